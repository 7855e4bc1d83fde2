/**
 * Users written into Redis as a rebuild writes them, without a record to read them from: how fast they can come
 * at the most, and what they take.
 */
import type { Redis } from 'ioredis';
import { cohortNumbers } from '../../src/state/cohort-numbers.ts';
import { bucketMark } from '../../src/state/map-commands.ts';
import { encodeRecord } from '../../src/state/record-codec.ts';
import { redisKeys } from '../../src/state/redis-keys.ts';
import { userBucket } from '../../src/state/user-bucket.ts';
import { MARK_FIELD, userField } from '../../src/state/user-field.ts';
import type { StoredCohort } from '../../src/storage/record-store.ts';
import { usedBytes } from './redis-figures.ts';
import { userName, userRecord } from './users.ts';
import type { MapWorld } from './world.ts';

const BATCH = 2_000;
const BUCKETS_LOOKED_AT = 200;
const MAP_ID = '00000000-0000-4000-8000-000000000000';

export interface Loaded {
  readonly users: number;
  readonly buckets: number;
  readonly seconds: number;
  /** CPU of this process, seconds. */
  readonly cpuSeconds: number;
  /** The growth of what Redis has allocated, keys and marks of the buckets included. */
  readonly bytesAUser: number;
  /** The share of the buckets that Redis keeps as packed lists: 0 to 1. */
  readonly packed: number;
}

/** Empties Redis first. */
export async function loadUsers({ redis, buckets, config }: MapWorld, users: number): Promise<Loaded> {
  await redis.flushall();
  const [cohort] = config().cohorts;
  if (cohort === undefined) throw new Error('there is no cohort');
  const stored: StoredCohort = { number: 7, position: 0, deleted: false, cohort };
  const numbers = cohortNumbers([stored]);
  const keys = redisKeys('turnout');
  const before = await usedBytes(redis);
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  const mark = bucketMark(MAP_ID);
  await inBatches(buckets, (bucket) => redis.hset(keys.bucket(bucket), MARK_FIELD, mark));
  await inBatches(users, (n) => {
    const user = userName(n);
    const bytes = encodeRecord(userRecord(n), numbers);
    return redis.hset(keys.bucket(userBucket(user, buckets)), userField(user), bytes);
  });
  const seconds = (performance.now() - beganMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    users,
    buckets,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    bytesAUser: ((await usedBytes(redis)) - before) / users,
    packed: await packedShare(redis, buckets),
  };
}

async function inBatches(count: number, work: (n: number) => Promise<unknown>): Promise<void> {
  for (let first = 0; first < count; first += BATCH) {
    await Promise.all(Array.from({ length: Math.min(BATCH, count - first) }, (_, n) => work(first + n)));
  }
}

export async function packedShare(redis: Redis, buckets: number): Promise<number> {
  const keys = redisKeys('turnout');
  const encodings = await Promise.all(
    Array.from({ length: Math.min(BUCKETS_LOOKED_AT, buckets) }, (_, bucket) =>
      redis.object('ENCODING', keys.bucket(bucket)),
    ),
  );
  return encodings.filter((encoding) => String(encoding) === 'listpack').length / encodings.length;
}
