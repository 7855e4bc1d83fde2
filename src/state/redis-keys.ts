/**
 * The keys of the state map in Redis, for one `state.keyPrefix` (here `turnout`). docs/state-map.md describes
 * their contents.
 *
 *     {turnout}:meta       hash: id, epoch, format, buckets
 *     {turnout}:cohorts    hash: cohort number -> JSON
 *     {turnout}:holds      hash: `c` and cohort number, or `u` and user -> JSON
 *     {turnout}:pending    hash: user -> version, `:`, record: announced, not yet in its bucket
 *     {turnout}:changes    stream: the change feed
 *     {turnout}:control    hash: open change -> JSON: its controller's token, the epochs of its steps
 *     {turnout}:over       sorted set: the latest changes that are over, by epoch
 *     {turnout}:leases     hash: gateway -> JSON
 *     {turnout}:slots      stream: what gateways counted of their requests, for the guard
 *     turnout:u:N          hash: user field -> record; N from 0 to buckets - 1
 *     turnout:w:N          set: marks of writes that the record may not have yet; N from 0 to 63
 *
 * The first group has one hash tag, so it is in one slot and one script can change all of it. The others have
 * none, so they spread over the nodes of a cluster.
 */
export interface RedisKeys {
  readonly meta: string;
  readonly cohorts: string;
  readonly holds: string;
  readonly pending: string;
  readonly changes: string;
  readonly control: string;
  readonly over: string;
  readonly leases: string;
  readonly slots: string;
  bucket(number: number): string;
  marks(shard: number): string;
}

/** @param prefix without braces: they would change the hash tag */
export function redisKeys(prefix: string): RedisKeys {
  if (prefix === '' || /[{}]/.test(prefix))
    throw new RangeError('state.keyPrefix must not be empty or hold { or }');
  const shared = (name: string): string => `{${prefix}}:${name}`;
  return {
    meta: shared('meta'),
    cohorts: shared('cohorts'),
    holds: shared('holds'),
    pending: shared('pending'),
    changes: shared('changes'),
    control: shared('control'),
    over: shared('over'),
    leases: shared('leases'),
    slots: shared('slots'),
    bucket: (number) => `${prefix}:u:${number}`,
    marks: (shard) => `${prefix}:w:${shard}`,
  };
}

/** What `meta.format` says for this layout. A map with another one is refused. */
export const LAYOUT_FORMAT = 1;

/** Changes that the feed keeps, about: a gateway that was away for longer reloads. */
export const CHANGES_MAX = 100_000;

/** Bound on changes that are announced and not yet in their buckets. */
export const PENDING_MAX = 10_000;

/** Sets of marks. Fixed for good: with another number nobody would find the marks of some users. */
export const MARK_SHARDS = 64;

/**
 * The same while batches of users are announced, whose entries are large: a gateway that was away for longer
 * reloads then.
 */
export const BATCHES_MAX = 2_000;

/**
 * Reports that the stream of counts keeps, about: ten minutes of eight gateways that have requests all the time, two
 * minutes of forty; a fifth less while all of them have bad news to tell all the time. 5 MB with 200 requests a second at each gateway, some 20 MB with 2,000.
 */
export const REPORTS_MAX = 20_000;
