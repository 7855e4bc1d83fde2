/** State maps on real Redis servers, as the tests beside this file need them. */
import { pino } from 'pino';
import type { Test } from 'tap';
import type { RedisModel } from '../../src/state/redis-client.ts';
import { createRedisState, type RedisStateOptions } from '../../src/state/redis-state.ts';
import type { StateMap } from '../../src/state/state-map.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { SEEDS } from './state-map-contract.ts';

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
