import type { Logger } from 'pino';
import type { ConfigModel } from '../config/model.ts';
import type { ControlMap } from '../cutover/stores.ts';
import type { RecordStore } from '../storage/record-store.ts';
import { RedisControl } from './redis-control.ts';
import type { StateMap } from './state-map.ts';

export interface CreateControlMapOptions {
  readonly config: Pick<ConfigModel, 'state'>;
  readonly record: RecordStore;
  readonly log: Logger;
  /**
   * The map that this process follows. The embedded form needs it, for it is the map. In Redis only a process
   * that follows the map can renew a lease; one that serves no requests leaves it out.
   */
  readonly state?: StateMap;
}

/** To be closed by whoever created it. */
export type ClosableControlMap = ControlMap & { close(): void };

/**
 * The barrier's part of the map that the configuration names. Does no I/O before the first call; in Redis it
 * has a connection of its own.
 */
export function createControlMap({
  config,
  record,
  log,
  state,
}: CreateControlMapOptions): ClosableControlMap {
  const model = config.state;
  switch (model.kind) {
    case 'embedded':
      if (state?.control === undefined) throw new Error('the embedded state map is changed where it is');
      return state.control;
    case 'redis':
      return new RedisControl({
        model,
        record,
        log,
        ...(state === undefined ? {} : { followed: () => state.snapshot.mapId }),
      });
    default: {
      const unknown: never = model;
      throw new Error(`unknown state ${JSON.stringify(unknown)}`);
    }
  }
}
