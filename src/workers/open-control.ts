/** The control service of a process: in a single process over the gateway's own stores, else over its own. */
import type { Logger } from 'pino';
import type { ConfigModel } from '../config/model.ts';
import type { Control } from '../cutover/control.ts';
import { createControl } from '../cutover/create-control.ts';
import { createWriteMarks } from '../cutover/read-write-marks.ts';
import type { ControlMap } from '../cutover/stores.ts';
import type { GuardEngine } from '../guard/guard-engine.ts';
import { createControlMap } from '../state/create-control-map.ts';
import { createSlotFeed } from '../state/create-slot-feed.ts';
import { createRecord } from '../storage/create-record.ts';
import type { RecordStore } from '../storage/record-store.ts';
import { guardOf, mayGoOn } from './open-guard.ts';

/** How long a write may take whose last piece was sent: then its backend has answered, or it has failed. */
export function writeMaxMs({ backends }: ConfigModel): number {
  return Math.max(backends.legacy.headersMs, backends.new.headersMs);
}

/** @param config the one in force */
export function controlOf(
  config: () => ConfigModel,
  record: RecordStore,
  map: ControlMap,
  log: Logger,
): Control {
  return createControl({
    store: record.changes,
    map,
    users: record.users,
    marks: createWriteMarks({
      store: record.marks,
      users: record.users,
      readCohorts: () => record.readCohorts(),
      collect: async () => map.collectMarks?.(),
    }),
    readCohorts: async () => {
      const cohorts = await record.readCohorts();
      return cohorts.filter(({ deleted }) => !deleted).map(({ cohort }) => cohort);
    },
    drainMaxMs: () => config().cutover.drainMaxMs,
    selfFenceAfterMs: config().cutover.selfFenceAfterMs,
    writeMaxMs: writeMaxMs(config()),
    mayGoOn: mayGoOn(record),
    log,
  });
}

export interface OpenControl extends Control {
  /** Closed with the control service. */
  readonly guard: GuardEngine;
}

/**
 * The control service and the guard of a primary, which serves no requests itself. `undefined` for an embedded map, which
 * has one process.
 */
export async function openControl(config: () => ConfigModel, log: Logger): Promise<OpenControl | undefined> {
  if (config().state.kind === 'embedded') return undefined;
  const record = await createRecord(config().record, log);
  const map = createControlMap({ config: config(), record, log });
  const control = controlOf(config, record, map, log);
  const feed = createSlotFeed(config(), log);
  const guard = guardOf({ config, record, control, feed, log });
  return {
    guard,
    changeStage: (request) => control.changeStage(request),
    rollback: (request) => control.rollback(request),
    previewRollback: (cohort) => control.previewRollback(cohort),
    createCohort: (request) => control.createCohort(request),
    editCohort: (request) => control.editCohort(request),
    deleteCohort: (request) => control.deleteCohort(request),
    pin: (request) => control.pin(request),
    changeMembers: (request, lines) => control.changeMembers(request, lines),
    reassign: (request) => control.reassign(request),
    members: (cohort, after, limit) => control.members(cohort, after, limit),
    user: (user) => control.user(user),
    rebuild: (author) => control.rebuild(author),
    openChanges: () => control.openChanges(),
    changes: (before, limit, cohort) => control.changes(before, limit, cohort),
    change: (id) => control.change(id),
    dirtyOf: (change, after, limit) => control.dirtyOf(change, after, limit),
    gateways: () => control.gateways(),
    evictGateway: (id, author) => control.evictGateway(id, author),
    cohorts: () => control.cohorts(),
    close: async () => {
      // What it waits for ends with the control service.
      const guarded = guard.close();
      await control.close();
      await guarded;
      feed.close();
      map.close();
      await record.close();
    },
  };
}
