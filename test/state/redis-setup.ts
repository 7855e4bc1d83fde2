/** State maps on real Redis servers, as the tests beside this file need them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Test } from 'tap';
import { ABSENT_RECORD, type UserRecord } from '../../src/model.ts';
import type { RedisModel } from '../../src/state/redis-client.ts';
import { createRedisState, type RedisStateOptions } from '../../src/state/redis-state.ts';
import type { StateMap } from '../../src/state/state-map.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { type PostgresFixture, startPostgres } from '../fixtures/postgres.ts';
import { type RedisFixture, startRedis } from '../fixtures/redis.ts';
import { nextChange, SEEDS } from './state-map-contract.ts';

export const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

export function redisModel(over: Partial<RedisModel>): RedisModel {
  return {
    kind: 'redis',
    mode: 'single',
    url: '',
    nodes: [],
    sentinelName: undefined,
    username: undefined,
    password: undefined,
    tls: false,
    keyPrefix: 'turnout',
    userBuckets: 64,
    userCacheMax: 1_000,
    commandMs: 1_000,
    ...over,
  };
}

export async function postgresRecord(t: Test, url: string): Promise<RecordStore> {
  const record = await createRecord({ kind: 'postgres', url, poolMax: 4, statementMs: 1_000 }, log);
  t.teardown(() => record.close());
  return record;
}

/** A started state map, closed with `t`. */
export async function openState(
  t: Test,
  model: RedisModel,
  record: RecordStore,
  over: Partial<RedisStateOptions> = {},
): Promise<StateMap> {
  const state = createRedisState({
    model,
    record,
    recordMs: 1_000,
    cohorts: SEEDS,
    selfFenceAfterMs: 10_000,
    log,
    clock: () => performance.now(),
    random: () => 0,
    ...over,
  });
  t.teardown(() => state.close());
  await state.start();
  return state;
}

/** Resolves once `state` says that it is attached. */
export async function untilAttached(state: StateMap): Promise<void> {
  if (state.attachment === 'attached') return;
  await nextChange(state, (change) => change.kind === 'attachment' && change.attachment === 'attached');
}

export async function untilDetached(state: StateMap): Promise<void> {
  if (state.attachment !== 'attached') return;
  await nextChange(state, (change) => change.kind === 'attachment' && change.attachment !== 'attached');
}

export const MOVED: UserRecord = { ...ABSENT_RECORD, state: 'migrated', pin: 'new' };

export interface Stores {
  readonly redis: RedisFixture;
  readonly postgres: PostgresFixture;
}

/** One server of each for a test file; its cases run one after the other. */
export async function startStores(t: Test): Promise<Stores> {
  const [redis, postgres] = await Promise.all([
    startRedis(t, { disposable: true }),
    startPostgres(t, { disposable: true }),
  ]);
  return { redis, postgres };
}

/** Empties Redis and opens a record on a new database, closed with `t`. */
export async function freshRecord(t: Test, { redis, postgres }: Stores): Promise<RecordStore> {
  await redis.client.flushall();
  return postgresRecord(t, await postgres.createDatabase());
}

/** Asks again and again, for what nobody tells. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

/** Resolves once the record knows of every change that it is in force. Nobody waits for that but a test. */
export async function confirmed(record: RecordStore): Promise<void> {
  await until(async () => (await record.unconfirmedUsers(1)).length === 0);
}
