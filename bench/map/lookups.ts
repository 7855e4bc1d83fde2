/**
 * What it costs to look a user up: in the cache, and in Redis when it is not there, beside plain commands of the
 * same client in the same rounds. Redis has each plain key under the user's name.
 */
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { createState } from '../../src/state/create-state.ts';
import { redisKeys } from '../../src/state/redis-keys.ts';
import { userBucket } from '../../src/state/user-bucket.ts';
import { MARK_FIELD, userField } from '../../src/state/user-field.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { median, percentile } from '../statistics.ts';
import { redisCpuUs } from './redis-figures.ts';
import { userName } from './users.ts';
import type { MapWorld } from './world.ts';

/** Lookups under way at a time, as those of concurrent requests. */
const AT_A_TIME = 32;
/** Of all lookups of a round, those that are made one after the other to see how long one takes: one in so many. */
const ALONE_SHARE = 10;
/** A hit is so short that many are needed for a clock to see them. */
const HIT_TURNS = 20;

export interface LookupRow {
  readonly name: string;
  /** CPU of the process that asks, microseconds a lookup, `AT_A_TIME` under way. */
  readonly cpuUs: number;
  /** CPU of Redis. */
  readonly redisCpuUs: number;
  /** Time from one to the next, `AT_A_TIME` under way, microseconds. */
  readonly eachUs: number;
  /** How long one takes that is alone, microseconds. */
  readonly alone: { readonly p50: number; readonly p99: number };
}

type Lookup = (user: string) => Promise<unknown>;

interface Round {
  readonly cpuUs: number;
  readonly redisCpuUs: number;
  readonly eachUs: number;
  readonly alone: readonly number[];
}

/** @param record of the map that is in Redis with at least `users` users */
export async function measureLookups(
  world: MapWorld,
  record: RecordStore,
  { users, lookups, rounds }: { readonly users: number; readonly lookups: number; readonly rounds: number },
): Promise<LookupRow[]> {
  const { redis, buckets } = world;
  const log = pino({ level: 'silent' });
  const open = async (userCacheMax: number) => {
    const config = world.config({ userCacheMax });
    const state = createState({ config, record, log, clock: () => performance.now() });
    await state.start();
    return state;
  };
  const count = Math.min(lookups, users);
  // Spread over all users, in no order that their places in Redis have.
  const asked = Array.from({ length: count }, (_, n) => userName(Math.floor((n * users) / count)));
  const plain = new Redis(redis.options.port ?? 0, '127.0.0.1', { enableAutoPipelining: true });
  // Two generations of one user each: nobody who is asked for again is still there.
  const [cold, warm] = [await open(2), await open(count * 4)];
  try {
    const keys = redisKeys('turnout');
    for (const user of asked) void redis.set(`bench:user:${user}`, 'new');
    for (const user of asked) await warm.load(user);
    const kinds: readonly (readonly [string, Lookup])[] = [
      ['a miss, from Redis', (user) => cold.load(user)],
      [
        'its command by plain ioredis',
        (user) => plain.hmgetBuffer(keys.bucket(userBucket(user, buckets)), MARK_FIELD, userField(user)),
      ],
      ['plain ioredis GET', (user) => plain.get(`bench:user:${user}`)],
    ];
    const found = new Map<string, Round[]>(kinds.map(([name]) => [name, []]));
    const hits: Round[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const hit = hitRound(asked, (user) => warm.cached(user) !== undefined);
      if (round > 0) hits.push(hit);
      for (const [name, lookup] of kinds) {
        const measured = await measureRound(redis, asked, lookup);
        if (round > 0) found.get(name)?.push(measured);
      }
    }
    const { cachedUsers } = cold.status();
    if (cachedUsers > 2) throw new Error(`${cachedUsers} users were cached where lookups were to miss`);
    return [row('a hit, from the cache', hits), ...[...found].map(([name, each]) => row(name, each))];
  } finally {
    plain.disconnect();
    await cold.close();
    await warm.close();
  }
}

function hitRound(asked: readonly string[], known: (user: string) => boolean): Round {
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  let missed = 0;
  for (let turn = 0; turn < HIT_TURNS; turn += 1) for (const user of asked) if (!known(user)) missed += 1;
  if (missed > 0) throw new Error(`${missed} lookups that were to hit the cache missed it`);
  const eachUs = ((performance.now() - beganMs) * 1_000) / (asked.length * HIT_TURNS);
  const { user, system } = process.cpuUsage(cpu);
  return { cpuUs: (user + system) / (asked.length * HIT_TURNS), redisCpuUs: 0, eachUs, alone: [eachUs] };
}

async function measureRound(redis: Redis, asked: readonly string[], lookup: Lookup): Promise<Round> {
  const redisBefore = await redisCpuUs(redis);
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  let next = 0;
  const oneAfterTheOther = async (): Promise<void> => {
    for (let user = asked[next++]; user !== undefined; user = asked[next++]) await lookup(user);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, oneAfterTheOther));
  const eachUs = ((performance.now() - beganMs) * 1_000) / asked.length;
  const { user, system } = process.cpuUsage(cpu);
  const redisUs = (await redisCpuUs(redis)) - redisBefore;
  const alone: number[] = [];
  for (let n = 0; n < asked.length; n += ALONE_SHARE) {
    const askedMs = performance.now();
    await lookup(asked[n] ?? '');
    alone.push((performance.now() - askedMs) * 1_000);
  }
  const each = (us: number): number => us / asked.length;
  return { cpuUs: each(user + system), redisCpuUs: each(redisUs), eachUs, alone };
}

function row(name: string, rounds: readonly Round[]): LookupRow {
  const alone = rounds.flatMap((round) => round.alone);
  return {
    name,
    cpuUs: median(rounds.map(({ cpuUs }) => cpuUs)),
    redisCpuUs: median(rounds.map((round) => round.redisCpuUs)),
    eachUs: median(rounds.map(({ eachUs }) => eachUs)),
    alone: { p50: percentile(alone, 0.5), p99: percentile(alone, 0.99) },
  };
}
