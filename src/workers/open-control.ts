/** The control service of a process: in a single process over the gateway's own stores, else over its own. */
import type { Logger } from 'pino';
import type { ConfigModel } from '../config/model.ts';
import type { Control } from '../cutover/control.ts';
import { createControl } from '../cutover/create-control.ts';
import type { ControlMap } from '../cutover/stores.ts';
import { createControlMap } from '../state/create-control-map.ts';
import { createRecord } from '../storage/create-record.ts';
import type { RecordStore } from '../storage/record-store.ts';

/** How long a write may take whose last piece was sent: then its backend has answered, or it has failed. */
export function writeMaxMs({ backends }: ConfigModel): number {
  return Math.max(backends.legacy.headersMs, backends.new.headersMs);
}

/** @param config the one in force */
export function controlOf(
  config: () => ConfigModel,
  record: Pick<RecordStore, 'changes' | 'readCohorts'>,
  map: ControlMap,
  log: Logger,
): Control {
  return createControl({
    store: record.changes,
    map,
    readCohorts: async () => {
      const cohorts = await record.readCohorts();
      return cohorts.filter(({ deleted }) => !deleted).map(({ cohort }) => cohort);
    },
    drainMaxMs: () => config().cutover.drainMaxMs,
    selfFenceAfterMs: config().cutover.selfFenceAfterMs,
    writeMaxMs: writeMaxMs(config()),
    log,
  });
}

/**
 * The control service of a primary, which serves no requests itself. `undefined` for an embedded map, which has
 * one process.
 */
export async function openControl(config: () => ConfigModel, log: Logger): Promise<Control | undefined> {
  if (config().state.kind === 'embedded') return undefined;
  const record = await createRecord(config().record, log);
  const map = createControlMap({ config: config(), record });
  const control = controlOf(config, record, map, log);
  return {
    changeStage: (request) => control.changeStage(request),
    changes: (before, limit, cohort) => control.changes(before, limit, cohort),
    change: (id) => control.change(id),
    gateways: () => control.gateways(),
    evictGateway: (id) => control.evictGateway(id),
    cohorts: () => control.cohorts(),
    close: async () => {
      await control.close();
      map.close();
      await record.close();
    },
  };
}
