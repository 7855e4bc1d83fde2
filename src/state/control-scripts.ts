/**
 * The scripts of the barrier. Each works on keys of the shared slot. What the map knows of an open change is a
 * JSON object in the hash `control`:
 *
 *     token      of its controller
 *     moves      whether it moves a truth: then it is not switched without its hold
 *     field      of its hold; empty before the first
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
  if known.field == '' then return false end
  local hold = redis.call('HGET', KEYS[3], known.field)
  return hold and cjson.decode(hold).change == ARGV[2]
end
local function remember() redis.call('HSET', KEYS[2], ARGV[2], cjson.encode(known)) end
local function announce(feed)
  local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
  redis.call('XADD', feed, 'MAXLEN', '~', ARGV[4], '*', 'e', epoch, 'k', 's')
  return epoch
end`;

/** Makes a token the change's. KEYS meta control over; ARGV map, change, token, 1 when it moves a truth. */
export const CLAIM: RedisScript = {
  keys: 3,
  lua: `
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return ${OTHER_MAP} end
if redis.call('ZSCORE', KEYS[3], ARGV[2]) then return ${LOST} end
local known = { held = 0, switched = 0, released = 0, field = '' }
local json = redis.call('HGET', KEYS[2], ARGV[2])
if json then known = cjson.decode(json) end
if known.token and known.token > tonumber(ARGV[3]) then return ${LOST} end
known.token = tonumber(ARGV[3])
known.moves = ARGV[4] == '1'
redis.call('HSET', KEYS[2], ARGV[2], cjson.encode(known))
return 1`,
};

/**
 * Holds a cohort. KEYS meta control holds cohorts changes; ARGV map, change, token, feed bound, cohort number.
 * A hold of another change is replaced: the record has one open change for a cohort, so that one is over.
 */
export const HOLD: RedisScript = {
  keys: 5,
  lua: `${CHECKED}
if known.released > 0 then return ${LOST} end
if holds() then return known.held end
if redis.call('HEXISTS', KEYS[4], ARGV[5]) == 0 then return ${NO_COHORT} end
known.field = 'c' .. ARGV[5]
known.held = announce(KEYS[5])
redis.call('HSET', KEYS[3], known.field, cjson.encode({ change = ARGV[2], epoch = known.held }))
remember()
return known.held`,
};

/**
 * Replaces a cohort's definition. KEYS meta control holds cohorts changes; ARGV map, change, token, feed bound,
 * cohort number, JSON.
 */
export const SWITCH: RedisScript = {
  keys: 5,
  lua: `${CHECKED}
if known.switched > 0 then return known.switched end
if known.released > 0 then return ${LOST} end
if known.moves and not holds() then return ${NO_HOLD} end
redis.call('HSET', KEYS[4], ARGV[5], ARGV[6])
known.switched = announce(KEYS[5])
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
if holds() then
  redis.call('HDEL', KEYS[3], known.field)
  known.released = announce(KEYS[4])
else
  known.released = tonumber(redis.call('HGET', KEYS[1], 'epoch'))
end
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
return 1`,
};

/** All leases, or nothing when there is no map. KEYS meta leases. */
export const READ_LEASES: RedisScript = {
  keys: 2,
  lua: `
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
return redis.call('HVALS', KEYS[2])`,
};
