/** The map rebuilt from the record, by the product itself: a gateway's state map that starts on an empty Redis. */
import { Client } from 'pg';
import { pino } from 'pino';
import { createState } from '../../src/state/create-state.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { packedShare } from './load-users.ts';
import { redisCpuUs, usedBytes } from './redis-figures.ts';
import { COHORT, USER_KEY_SQL } from './users.ts';
import type { MapWorld } from './world.ts';

const ROWS_A_STATEMENT = 250_000;

/** Adds users to the record, from number `from` up to before number `to`, in the order in which they were added. */
export async function fillRecord(
  { postgresUrl, config }: MapWorld,
  record: RecordStore,
  from: number,
  to: number,
): Promise<void> {
  await record.createMap();
  await record.seedCohorts(config().cohorts);
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    for (let first = from; first < to; first += ROWS_A_STATEMENT) {
      await client.query(
        `INSERT INTO users (key, cohort, ordinal, membership_by, version, epoch)
         SELECT ${USER_KEY_SQL}, c.number, n, 'explicit', n + 1, 0
         FROM generate_series($1::bigint, $2::bigint) AS n, cohorts c WHERE c.name = $3`,
        [first, Math.min(first + ROWS_A_STATEMENT, to) - 1, COHORT],
      );
    }
    await client.query('UPDATE state_map SET version = greatest(version, $1) WHERE retired_at IS NULL', [to]);
    await client.query('VACUUM ANALYZE users');
  } finally {
    await client.end();
  }
}

export interface Rebuilt {
  readonly users: number;
  readonly seconds: number;
  /** CPU of the process that rebuilds, and of Redis, seconds. */
  readonly cpuSeconds: number;
  readonly redisCpuSeconds: number;
  /** The growth of what Redis has allocated, the whole map included. */
  readonly bytesAUser: number;
  readonly packed: number;
}

/** Empties Redis and starts a state map, which then has to build it: until it is attached. */
export async function rebuildUsers(world: MapWorld, record: RecordStore, users: number): Promise<Rebuilt> {
  const { redis, buckets } = world;
  await redis.flushall();
  const before = await usedBytes(redis);
  const redisCpu = await redisCpuUs(redis);
  const log = pino({ level: 'silent' });
  const state = createState({ config: world.config(), record, log, clock: () => performance.now() });
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  await state.start();
  const seconds = (performance.now() - beganMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  await state.close();
  return {
    users,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    redisCpuSeconds: ((await redisCpuUs(redis)) - redisCpu) / 1e6,
    bytesAUser: ((await usedBytes(redis)) - before) / users,
    packed: await packedShare(redis, buckets),
  };
}
