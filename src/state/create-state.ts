import type { Logger } from 'pino';
import type { ConfigModel } from '../config/model.ts';
import type { RecordStore } from '../storage/record-store.ts';
import { createEmbeddedState } from './embedded-state.ts';
import { createRedisState } from './redis-state.ts';
import type { StateMap } from './state-map.ts';

export interface CreateStateOptions {
  /** The parts of the configuration that the state map reads. */
  readonly config: Pick<ConfigModel, 'state' | 'record' | 'cohorts' | 'cutover'>;
  readonly record: RecordStore;
  readonly log: Logger;
  /** Monotonic, milliseconds: `performance.now`, or a test's own. */
  readonly clock: () => number;
}

/** Bound on one read of the embedded record, which has no bound of its own. */
const EMBEDDED_RECORD_MS = 5_000;

/** The state map that the configuration names. Does no I/O before `start`. */
export function createState(options: CreateStateOptions): StateMap {
  const { config, record, log } = options;
  const recordMs = config.record.kind === 'postgres' ? config.record.statementMs : EMBEDDED_RECORD_MS;
  const { state } = config;
  switch (state.kind) {
    case 'embedded':
      return createEmbeddedState({
        record,
        cohorts: config.cohorts,
        userCacheMax: state.userCacheMax,
        recordMs,
        log,
      });
    case 'redis':
      return createRedisState({
        model: state,
        record,
        recordMs,
        cohorts: config.cohorts,
        selfFenceAfterMs: config.cutover.selfFenceAfterMs,
        log,
        clock: options.clock,
      });
    default: {
      const unknown: never = state;
      throw new Error(`unknown state ${JSON.stringify(unknown)}`);
    }
  }
}
