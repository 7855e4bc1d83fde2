/**
 * How many bytes does a user take in Redis, its membership included? Users are written as the gateway writes
 * them, as densely as 10 million are in the default 65,536 buckets, and the growth of `used_memory` is divided
 * by their number. Keys, buckets' marks and the allocator's rounding are in it.
 *
 *     node bench/micro/redis-bytes.ts [USERS]
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { ABSENT_RECORD, type Membership, type UserRecord } from '../../src/model.ts';
import { cohortNumbers } from '../../src/state/cohort-numbers.ts';
import { bucketMark } from '../../src/state/map-commands.ts';
import { encodeRecord } from '../../src/state/record-codec.ts';
import { redisKeys } from '../../src/state/redis-keys.ts';
import { userBucket } from '../../src/state/user-bucket.ts';
import { MARK_FIELD, userField } from '../../src/state/user-field.ts';
import type { Versioned } from '../../src/state/versioned.ts';
import { startRedisProcess } from '../../test/fixtures/redis.ts';
import { freePort } from '../../test/fixtures/server-process.ts';

const TARGET_USERS = 10_000_000;
const TARGET_BUCKETS = 65_536;
const users = Number(process.argv[2] ?? 1_000_000);

function uuid(n: number): string {
  const hex = createHash('sha1').update(`${n}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const cohorts = cohortNumbers([
  {
    number: 7,
    position: 0,
    deleted: false,
    cohort: {
      name: 'everyone',
      stage: 'off',
      ramp: { kind: 'percent', buckets: 10_000 },
      salt: '',
      rule: undefined,
      isDefault: true,
      migration: 'cohort',
      mirror: false,
    },
  },
]);
const byRule: Membership = { cohort: 'everyone', ordinal: undefined, by: 'rule' };

function record(over: Partial<UserRecord>, version: number): Versioned {
  return { record: { ...ABSENT_RECORD, ...over }, version };
}

const cases: Record<string, { user: (n: number) => string; record: (n: number) => Versioned }> = {
  'number, placed by a rule': {
    user: (n) => `${7_000_000 + n}`,
    record: () => record({ membership: byRule }, 0),
  },
  'customer-N, placed by a rule': {
    user: (n) => `customer-${7_000_000 + n}`,
    record: () => record({ membership: byRule }, 0),
  },
  'UUID, placed by a rule': { user: uuid, record: () => record({ membership: byRule }, 0) },
  'UUID, explicit member with ordinal': {
    user: uuid,
    record: (n) => record({ membership: { cohort: 'everyone', ordinal: n * 10, by: 'explicit' } }, n * 10),
  },
  'number, migrated, with a UUID as new id': {
    user: (n) => `${7_000_000 + n}`,
    record: (n) => record({ state: 'migrated', membership: byRule, newId: uuid(n) }, n * 10),
  },
};

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}

const dir = await mkdtemp(join(tmpdir(), 'turnout-bench-'));
const port = await freePort();
const server = await startRedisProcess(port, dir, []);
const redis = new Redis(port, '127.0.0.1', { enableAutoPipelining: true });
try {
  const keys = redisKeys('turnout');
  const buckets = Math.round((TARGET_BUCKETS * users) / TARGET_USERS);
  const mark = bucketMark(uuid(0));
  console.log(`${users} users in ${buckets} buckets, ${(users / buckets).toFixed(0)} a bucket`);
  for (const [name, { user, record: recordOf }] of Object.entries(cases)) {
    await redis.flushall();
    const before = await usedMemory(redis);
    for (let bucket = 0; bucket < buckets; bucket++) void redis.hset(keys.bucket(bucket), MARK_FIELD, mark);
    for (let n = 0; n < users; n += 2_000) {
      const batch = Array.from({ length: Math.min(2_000, users - n) }, (_, offset) => {
        const one = user(n + offset);
        const bytes = encodeRecord(recordOf(n + offset), cohorts);
        return redis.hset(keys.bucket(userBucket(one, buckets)), userField(one), bytes);
      });
      await Promise.all(batch);
    }
    const bytes = ((await usedMemory(redis)) - before) / users;
    const sizes = await Promise.all(
      Array.from({ length: 200 }, (_, n) => redis.object('ENCODING', keys.bucket(n % buckets))),
    );
    const packed = sizes.filter((encoding) => String(encoding) === 'listpack').length / sizes.length;
    console.log(
      `${name.padEnd(42)} ${bytes.toFixed(1).padStart(5)} bytes a user, ${(packed * 100).toFixed(0)} % of buckets packed`,
    );
  }
  console.log(`hash-max-listpack-entries ${String(await redis.config('GET', 'hash-max-listpack-entries'))}`);
} finally {
  redis.disconnect();
  await server.end();
  await rm(dir, { recursive: true, force: true });
}
