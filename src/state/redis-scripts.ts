/**
 * The scripts that change the state map. Each works on keys of one slot, so each is atomic on a cluster too.
 * The reasons for their order are in docs/state-map.md.
 */

export interface RedisScript {
  readonly lua: string;
  readonly keys: number;
}

/** Everything of the shared slot at one moment. KEYS meta cohorts holds pending changes; ARGV position. */
export const READ_SHARED: RedisScript = {
  keys: 5,
  lua: `
local meta = redis.call('HGETALL', KEYS[1])
if #meta == 0 then return {} end
local mine = {}
if ARGV[1] ~= '' then mine = redis.call('XRANGE', KEYS[5], ARGV[1], ARGV[1]) end
return {
  meta, redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]), redis.call('HGETALL', KEYS[4]),
  redis.call('XRANGE', KEYS[5], '-', '+', 'COUNT', 1), redis.call('XREVRANGE', KEYS[5], '+', '-', 'COUNT', 1), mine
}`,
};

/**
 * Announces a user's record: the next epoch. KEYS meta pending changes; ARGV map, user, version, record, feed
 * bound, pending bound. Returns the epoch, -1 for another map, -2 when too many are pending.
 */
export const ANNOUNCE_USER: RedisScript = {
  keys: 3,
  lua: `
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return -1 end
local known = redis.call('HGET', KEYS[2], ARGV[2])
if not known then
  if redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[6]) then return -2 end
elseif tonumber(string.match(known, '^%d+')) > tonumber(ARGV[3]) then
  known = 'newer'
end
if known ~= 'newer' then redis.call('HSET', KEYS[2], ARGV[2], ARGV[3] .. ':' .. ARGV[4]) end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[5], '*', 'e', epoch, 'k', 'u', 'u', ARGV[2], 'r', ARGV[4])
return epoch`,
};

/**
 * Says that a user's record is in its bucket. KEYS meta pending changes; ARGV map, user, version, feed bound.
 * No change of its own, so it has the epoch of the latest one. Returns 0 when there was nothing to settle.
 */
export const SETTLE_USER: RedisScript = {
  keys: 3,
  lua: `
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return -1 end
local known = redis.call('HGET', KEYS[2], ARGV[2])
if not known or tonumber(string.match(known, '^%d+')) > tonumber(ARGV[3]) then return 0 end
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 'e', redis.call('HGET', KEYS[1], 'epoch'), 'k', 'd',
  'u', ARGV[2], 'v', ARGV[3])
return 1`,
};

/**
 * Announces users that were placed, all in one epoch. KEYS meta changes; ARGV map, feed bound, then user and
 * record of each, 500 at the most. Returns the epoch or -1.
 */
export const ANNOUNCE_PLACED: RedisScript = {
  keys: 2,
  lua: `
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return -1 end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local fields = { 'e', epoch, 'k', 'p' }
for i = 3, #ARGV, 2 do
  fields[#fields + 1] = 'u'
  fields[#fields + 1] = ARGV[i]
  fields[#fields + 1] = 'r'
  fields[#fields + 1] = ARGV[i + 1]
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', unpack(fields))
return epoch`,
};

/**
 * Replaces a user's bytes in its bucket if they are what the caller believes. KEYS bucket; ARGV mark field,
 * mark, user field, expected (empty: none), new. Returns 1; or 0 and the bytes that are there; or -1 when the
 * bucket is not one of the caller's map.
 */
export const SWAP_USER: RedisScript = {
  keys: 1,
  lua: `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return { -1, '' } end
local now = redis.call('HGET', KEYS[1], ARGV[3]) or ''
if now ~= ARGV[4] then return { 0, now } end
if ARGV[5] == '' then redis.call('HDEL', KEYS[1], ARGV[3]) else redis.call('HSET', KEYS[1], ARGV[3], ARGV[5]) end
return { 1, '' }`,
};

/**
 * The same for many users, each in the bucket of its key: one call for all where one server has all buckets. KEYS
 * buckets; ARGV mark field, mark, then user field, expected, new of each. Returns what is there of each: empty when it
 * was replaced; or -1 when a bucket is not one of the caller's map.
 */
export function swapUsers(count: number): RedisScript {
  return { keys: count, lua: SWAP_USERS };
}

const SWAP_USERS = `
local found = {}
for i = 1, #KEYS do
  local at = 3 * i
  if redis.call('HGET', KEYS[i], ARGV[1]) ~= ARGV[2] then return -1 end
  local now = redis.call('HGET', KEYS[i], ARGV[at]) or ''
  if now == ARGV[at + 1] then
    redis.call('HSET', KEYS[i], ARGV[at], ARGV[at + 2])
    found[i] = ''
  elseif now == '' then found[i] = 'none'
  else found[i] = now end
end
return found`;

/**
 * Writes users of whom nothing is there yet: one call for many, where one server has all buckets. KEYS buckets; ARGV user
 * field and bytes of each.
 */
export function writeUsers(count: number): RedisScript {
  return { keys: count, lua: WRITE_USERS };
}

const WRITE_USERS = `
for i = 1, #KEYS do redis.call('HSET', KEYS[i], ARGV[2 * i - 1], ARGV[2 * i]) end
return #KEYS`;

/**
 * Adds the cohorts whose numbers are not there, all in one epoch. KEYS meta cohorts changes; ARGV map, feed
 * bound, then number and JSON of each. Returns the latest epoch or -1.
 */
export const ADD_COHORTS: RedisScript = {
  keys: 3,
  lua: `
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return -1 end
local added = 0
for i = 3, #ARGV, 2 do added = added + redis.call('HSETNX', KEYS[2], ARGV[i], ARGV[i + 1]) end
if added == 0 then return tonumber(redis.call('HGET', KEYS[1], 'epoch')) end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'e', epoch, 'k', 's')
return epoch`,
};

/**
 * Publishes a map whose buckets are complete. KEYS meta cohorts holds control changes, then those that are only
 * emptied; ARGV map, epoch, format, buckets, number of cohorts, number of holds, then field and JSON of each
 * cohort, hold and open change.
 */
export const PUBLISH_MAP: RedisScript = {
  keys: 8,
  lua: `
for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end
local holds = 7 + 2 * ARGV[5]
local control = holds + 2 * ARGV[6]
for i = 7, #ARGV, 2 do
  local key = KEYS[4]
  if i < holds then key = KEYS[2] elseif i < control then key = KEYS[3] end
  redis.call('HSET', key, ARGV[i], ARGV[i + 1])
end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'epoch', ARGV[2], 'format', ARGV[3], 'buckets', ARGV[4])
redis.call('XADD', KEYS[5], '*', 'e', ARGV[2], 'k', 's')
return 1`,
};
