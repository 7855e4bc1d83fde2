import type { Logger } from 'pino';
import type { RecordModel } from '../config/model.ts';
import { addMarks } from './add-marks.ts';
import { beatChange } from './beat-change.ts';
import { claimsOf } from './claim.ts';
import { confirmUser } from './confirm-user.ts';
import { deregisterGateway } from './deregister-gateway.ts';
import { dropPinMarks } from './drop-pin-marks.ts';
import { guardStore } from './guard-store.ts';
import { listChanges } from './list-changes.ts';
import { markedUsers, strayedUsers } from './marked-users.ts';
import { marksOf } from './marks-of.ts';
import { migrate } from './migrate.ts';
import { moveChange } from './move-change.ts';
import { namedMarks } from './named-marks.ts';
import { noteAction } from './note-action.ts';
import { openChange } from './open-change.ts';
import { openChanges } from './open-changes.ts';
import { placeUser } from './place-user.ts';
import { placeUsers } from './place-users.ts';
import { openPostgres } from './postgres-sql.ts';
import { pruneMarks } from './prune-marks.ts';
import { pruneSlots } from './prune-slots.ts';
import { changeOfKey, readChange } from './read-change.ts';
import { readCohorts } from './read-cohorts.ts';
import { isRetired, readMap } from './read-map.ts';
import { readSlots } from './read-slots.ts';
import { readUser } from './read-user.ts';
import type { RecordStore } from './record-store.ts';
import { registerGateway } from './register-gateway.ts';
import { registeredGateways } from './registered-gateways.ts';
import { createMap, replaceMap } from './replace-map.ts';
import { reportStore } from './report-store.ts';
import { saveSlots } from './save-slots.ts';
import { scanUsers } from './scan-users.ts';
import { seedCohorts } from './seed-cohorts.ts';
import type { SqlStore } from './sql.ts';
import { definitionsOf } from './switch-cohorts.ts';
import { dirtyOf, usersOf } from './switch-users.ts';
import { takeChange } from './take-change.ts';
import { unconfirmedUsers } from './unconfirmed-users.ts';
import { unmarkedMembers } from './unmarked-members.ts';
import { historyOf, membersOf, readUsers } from './user-records.ts';
import { nextVersion, writeUser } from './write-user.ts';

/**
 * Whether the server answered and refused for good: a wrong password, a database that does not exist, a schema
 * it does not like. Classes 08, 53 and 57 of SQLSTATE are troubles that pass.
 */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') {
    // The migration's own verdicts have no code; a lost or impossible connection has one, or says "timeout".
    return error instanceof Error && /has schema \d+/.test(error.message);
  }
  return /^[0-9A-Z]{5}$/.test(error.code) && !/^(08|53|57)/.test(error.code);
}

/** Runs the migrations once, before the first operation that reaches the database. */
function migrateOnce(store: SqlStore): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= migrate(store).catch((error: unknown) => {
      done = undefined;
      throw error;
    });
    return done;
  };
}

/**
 * Opens the record and migrates its schema. A Postgres that is unreachable is no error here: a gateway whose
 * state map answers starts without it, so the store is returned and migrates when the server comes back.
 * @throws `Error` in words for an operator: the data directory is in use, the server refuses.
 */
export async function createRecord(config: RecordModel, log: Logger): Promise<RecordStore> {
  const store =
    config.kind === 'embedded'
      ? // Loaded when it is needed: it is larger than all the rest together.
        await (await import('./pglite-sql.ts')).openPglite(config.dir)
      : openPostgres({
          ...config,
          onConnectionError: (err) =>
            log.warn({ err, event: 'record_connection_lost' }, 'record connection lost'),
        });
  const ready = migrateOnce(store);
  try {
    await ready();
  } catch (cause) {
    if (store.kind === 'embedded' || isRefusal(cause)) {
      await store.close();
      throw new Error(
        `${store.where} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
        {
          cause,
        },
      );
    }
    log.warn({ err: cause, event: 'record_unreachable' }, `${store.where} is unreachable`);
  }
  return recordStore(store, ready);
}

function recordStore(store: SqlStore, ready: () => Promise<void>): RecordStore {
  const migrated = async <T>(operation: () => Promise<T>): Promise<T> => {
    await ready();
    return operation();
  };
  return {
    kind: store.kind,
    where: store.where,
    readMap: () => migrated(() => readMap(store)),
    isRetired: (mapId) => migrated(() => isRetired(store, mapId)),
    createMap: () => migrated(() => createMap(store)),
    replaceMap: (mapId, epochSeen) => migrated(() => replaceMap(store, mapId, epochSeen)),
    readCohorts: () => migrated(() => readCohorts(store)),
    seedCohorts: (cohorts) => migrated(() => seedCohorts(store, cohorts)),
    readUser: (user) => migrated(() => readUser(store, user)),
    writeUser: (write) => migrated(() => writeUser(store, write)),
    confirmUser: (user, version, epoch) => migrated(() => confirmUser(store, user, version, epoch)),
    unconfirmedUsers: (limit) => migrated(() => unconfirmedUsers(store, limit)),
    placeUser: (mapId, user, cohort) => migrated(() => placeUser(store, mapId, user, cohort)),
    placeUsers: (mapId, placements) => migrated(() => placeUsers(store, mapId, placements)),
    scanUsers: (after, limit) => migrated(() => scanUsers(store, after, limit)),
    exclusive: (lock, work) => migrated(() => store.exclusive(lock, work)),
    nextEpoch: (mapId) => migrated(() => nextVersion(store, mapId, 'record')),
    changes: {
      openChange: (change) => migrated(() => openChange(store, change)),
      moveChange: (id, token, from, to, patch, stranding) =>
        migrated(() => moveChange(store, id, token, from, to, patch, stranding)),
      claimsOf: (id) => migrated(() => claimsOf(store, id)),
      definitionsOf: (id) => migrated(() => definitionsOf(store, id)),
      usersOf: (id, after, limit) => migrated(() => usersOf(store, id, after, limit)),
      dirtyOf: (id, after, limit) => migrated(() => dirtyOf(store, id, after, limit)),
      beatChange: (id, token, patch) => migrated(() => beatChange(store, id, token, patch)),
      takeChange: (id, heartbeat) => migrated(() => takeChange(store, id, heartbeat)),
      readChange: (id) => migrated(() => readChange(store, id)),
      changeOfKey: (key) => migrated(() => changeOfKey(store, key)),
      openChanges: () => migrated(() => openChanges(store)),
      listChanges: (before, limit, cohort) => migrated(() => listChanges(store, before, limit, cohort)),
      registerGateway: (id, where) => migrated(() => registerGateway(store, id, where)),
      deregisterGateway: (id) => migrated(() => deregisterGateway(store, id)),
      noteAction: (action, subject, author) => migrated(() => noteAction(store, action, subject, author)),
      registeredGateways: () => migrated(() => registeredGateways(store)),
    },
    users: {
      readUsers: (users) => migrated(() => readUsers(store, users)),
      membersOf: (cohort, after, limit, by) => migrated(() => membersOf(store, cohort, after, limit, by)),
      historyOf: (user, limit) => migrated(() => historyOf(store, user, limit)),
    },
    marks: {
      addMarks: (marks) => migrated(() => addMarks(store, marks)),
      markedUsers: (scopes, query) => migrated(() => markedUsers(store, scopes, query)),
      strayedUsers: (query) => migrated(() => strayedUsers(store, query)),
      unmarkedMembers: (scope, filter) => migrated(() => unmarkedMembers(store, scope, filter)),
      marksOf: (users) => migrated(() => marksOf(store, users)),
      namedMarks: (users) => migrated(() => namedMarks(store, users)),
      dropPinMarks: (users) => migrated(() => dropPinMarks(store, users)),
      pruneMarks: (limit) => migrated(() => pruneMarks(store, limit)),
    },
    reports: reportStore(store, migrated),
    guard: guardStore(store, migrated),
    slots: {
      saveSlots: (periods) => migrated(() => saveSlots(store, periods)),
      readSlots: (cohort, from, to, limit) => migrated(() => readSlots(store, cohort, from, to, limit)),
      pruneSlots: (before) => migrated(() => pruneSlots(store, before)),
    },
    close: () => store.close(),
  };
}
