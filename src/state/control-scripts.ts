/**
 * The scripts of the barrier. Each works on keys of the shared slot. What the map knows of an open change is a
 * JSON object in the hash `control`:
 *
 *     token      of its controller
 *     attempt    how often the change has begun anew; a new attempt has made no step
 *     moves      whether it moves a truth: then it is not switched without its hold
 *     fields     of its hold; none before the first
 *     announced  the epoch of its latest announcement of records; nothing before the first
 *     held, switched, released
 *                the epochs of these steps; 0 before them
 *
 * The epochs make each step idempotent, and keep a step that arrives late, sent by a connection that was given
 * up, from undoing a later one.
 */
import type { RedisScript } from './redis-scripts.ts';

/** The map is not the caller's. */
export const OTHER_MAP = -1;
/** The change has a newer controller, is further on, or is over. */
export const LOST = -2;
/** The map does not know the change by this token. */
export const UNCLAIMED = -3;
/** The map does not have the cohort. */
export const NO_COHORT = -4;
/** The change moves a truth and its hold is not there. */
export const NO_HOLD = -5;
/** Records that were announced are not there any more. */
export const NO_RECORDS = -6;

/** How many changes that are over the map remembers. */
export const OVER_MAX = 1_000;

/** Reads and checks what is known of the change: KEYS meta control; ARGV map, change, token. */
const CHECKED = `
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return ${OTHER_MAP} end
local json = redis.call('HGET', KEYS[2], ARGV[2])
if not json then return ${UNCLAIMED} end
local known = cjson.decode(json)
if known.token > tonumber(ARGV[3]) then return ${LOST} end
if known.token < tonumber(ARGV[3]) then return ${UNCLAIMED} end
local function holds()
  if #known.fields == 0 then return false end
  for _, field in ipairs(known.fields) do
    local hold = redis.call('HGET', KEYS[3], field)
    if not hold or cjson.decode(hold).change ~= ARGV[2] then return false end
  end
  return true
end
local function hold(field)
  redis.call('HSET', KEYS[3], field, cjson.encode({ change = ARGV[2], epoch = known.held }))
end
local function remember() redis.call('HSET', KEYS[2], ARGV[2], cjson.encode(known)) end
local function announce(feed)
  local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
  redis.call('XADD', feed, 'MAXLEN', '~', ARGV[4], '*', 'e', epoch, 'k', 's')
  return epoch
end`;

/** Makes a token the change's. KEYS meta control over; ARGV map, change, token, 1 when it moves a truth, attempt. */
export const CLAIM: RedisScript = {
  keys: 3,
  lua: `
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return ${OTHER_MAP} end
if redis.call('ZSCORE', KEYS[3], ARGV[2]) then return ${LOST} end
local known = { held = 0, switched = 0, released = 0, attempt = tonumber(ARGV[5]), fields = {} }
local json = redis.call('HGET', KEYS[2], ARGV[2])
if json then
  local found = cjson.decode(json)
  if found.token > tonumber(ARGV[3]) then return ${LOST} end
  if found.attempt == known.attempt then known = found end
end
known.token = tonumber(ARGV[3])
known.moves = ARGV[4] == '1'
redis.call('HSET', KEYS[2], ARGV[2], cjson.encode(known))
return 1`,
};

/**
 * Holds cohorts and users. KEYS meta control holds cohorts changes; ARGV map, change, token, feed bound, then the
 * fields: `c` and a cohort's number, or `u` and a user. A hold of another change is replaced: the record has one open
 * change for a cohort or a user, so that one is over.
 */
export const HOLD: RedisScript = {
  keys: 5,
  lua: `${CHECKED}
if known.released > 0 then return ${LOST} end
if holds() then return known.held end
known.fields = {}
for i = 5, #ARGV do
  local field = ARGV[i]
  if string.sub(field, 1, 1) == 'c' and redis.call('HEXISTS', KEYS[4], string.sub(field, 2)) == 0 then
    return ${NO_COHORT}
  end
  known.fields[i - 4] = field
end
known.held = announce(KEYS[5])
for _, field in ipairs(known.fields) do hold(field) end
remember()
return known.held`,
};

/**
 * Whether users' records may be put in force. KEYS meta control holds; ARGV map, change, token. Returns the epoch of the
 * switch when it was made, else 0.
 */
export const MAY_SWITCH: RedisScript = {
  keys: 3,
  lua: `${CHECKED}
if known.switched > 0 then return known.switched end
if known.released > 0 then return ${LOST} end
if known.moves and not holds() then return ${NO_HOLD} end
return 0`,
};

/**
 * Announces records that are in their buckets, all in one epoch. KEYS meta control holds changes; ARGV map, change,
 * token, feed bound, then user and record of each, 500 at the most.
 */
export const ANNOUNCE_SWITCHED: RedisScript = {
  keys: 4,
  lua: `${CHECKED}
if known.released > 0 then return ${LOST} end
if known.moves and not holds() then return ${NO_HOLD} end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local fields = { 'e', epoch, 'k', 'p', 'c', ARGV[2] }
for i = 5, #ARGV, 2 do
  fields[#fields + 1] = 'u'
  fields[#fields + 1] = ARGV[i]
  fields[#fields + 1] = 'r'
  fields[#fields + 1] = ARGV[i + 1]
end
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[4], '*', unpack(fields))
known.announced = epoch
remember()
return epoch`,
};

/**
 * Replaces definitions of cohorts. One that is new is held at once. Without definitions there is no epoch of its own:
 * everything that was announced before is in force at the present one. A replica that has the latest announcement has
 * everything that came before it, the records in their buckets too. KEYS meta control holds cohorts changes; ARGV map,
 * change, token, feed bound, the epoch of that announcement or 0, then number and JSON of each cohort.
 */
export const SWITCH: RedisScript = {
  keys: 5,
  lua: `${CHECKED}
if known.switched > 0 then return known.switched end
if known.released > 0 then return ${LOST} end
if known.moves and not holds() then return ${NO_HOLD} end
if (known.announced or 0) < tonumber(ARGV[5]) then return ${NO_RECORDS} end
for i = 6, #ARGV, 2 do
  if known.moves and redis.call('HEXISTS', KEYS[4], ARGV[i]) == 0 then
    known.fields[#known.fields + 1] = 'c' .. ARGV[i]
    hold('c' .. ARGV[i])
  end
  redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1])
end
if #ARGV > 5 then known.switched = announce(KEYS[5])
else known.switched = tonumber(redis.call('HGET', KEYS[1], 'epoch')) end
remember()
return known.switched`,
};

/**
 * Takes the change's hold away. Remembered also when there is none: a hold that arrives later is refused.
 * KEYS meta control holds changes; ARGV map, change, token, feed bound.
 */
export const RELEASE: RedisScript = {
  keys: 4,
  lua: `${CHECKED}
if known.released > 0 then return known.released end
local gone = 0
for _, field in ipairs(known.fields) do
  local hold = redis.call('HGET', KEYS[3], field)
  if hold and cjson.decode(hold).change == ARGV[2] then gone = gone + redis.call('HDEL', KEYS[3], field) end
end
if gone > 0 then known.released = announce(KEYS[4])
else known.released = tonumber(redis.call('HGET', KEYS[1], 'epoch')) end
remember()
return known.released`,
};

/**
 * The change is over. It is remembered as such, so that a controller that was stopped before its claim and
 * continues cannot begin anew. KEYS meta control over; ARGV map, change, bound on those remembered.
 */
export const FORGET: RedisScript = {
  keys: 3,
  lua: `
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return ${OTHER_MAP} end
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[3], redis.call('HGET', KEYS[1], 'epoch'), ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[3]))
return 1`,
};

/** KEYS meta leases; ARGV map, gateway, JSON. */
export const RENEW_LEASE: RedisScript = {
  keys: 2,
  lua: `
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return ${OTHER_MAP} end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return tonumber(redis.call('HGET', KEYS[1], 'epoch'))`,
};

/** All leases, or nothing when there is no map. KEYS meta leases. */
export const READ_LEASES: RedisScript = {
  keys: 2,
  lua: `
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
return redis.call('HVALS', KEYS[2])`,
};
