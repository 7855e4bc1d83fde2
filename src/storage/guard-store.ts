import type { GuardStore } from '../guard/guard-store.ts';
import { addGuardTrip } from './add-guard-trip.ts';
import { clearGuardTrips } from './clear-guard-trips.ts';
import { guardCohorts } from './guard-cohorts.ts';
import { endGuardNotice, pruneGuardNotices, takeGuardNotices } from './guard-notices.ts';
import {
  guardTripHolding,
  latestGuardTrips,
  listGuardTrips,
  openGuardTrips,
  readGuardTrip,
} from './list-guard-trips.ts';
import {
  endQuietTrips,
  holdInsteadOfRollback,
  noteGuardTrip,
  retryGuardTrip,
  settleGuardTrip,
} from './move-guard-trip.ts';
import { addRampRun, changeRampRun, listRampRuns, openRampRuns } from './ramp-runs.ts';
import type { SqlStore } from './sql.ts';

/** @param migrated runs an operation when the schema is there */
export function guardStore(
  store: SqlStore,
  migrated: <T>(operation: () => Promise<T>) => Promise<T>,
): GuardStore {
  return {
    guardCohorts: () => migrated(() => guardCohorts(store)),
    addTrip: (trip, tell) => migrated(() => addGuardTrip(store, trip, tell)),
    noteTrip: (id, attempt, patch) => migrated(() => noteGuardTrip(store, id, attempt, patch)),
    retryTrip: (id, attempt, note) => migrated(() => retryGuardTrip(store, id, attempt, note)),
    settleTrip: (id, at, note, tell) => migrated(() => settleGuardTrip(store, id, at, note, tell)),
    holdInstead: (id, note) => migrated(() => holdInsteadOfRollback(store, id, note)),
    endQuietTrips: (cooldownMs) => migrated(() => endQuietTrips(store, cooldownMs)),
    openTrips: () => migrated(() => openGuardTrips(store)),
    latestTrips: () => migrated(() => latestGuardTrips(store)),
    heldBy: (cohort) => migrated(() => guardTripHolding(store, cohort)),
    listTrips: (before, limit, cohort) => migrated(() => listGuardTrips(store, before, limit, cohort)),
    readTrip: (id) => migrated(() => readGuardTrip(store, id)),
    clearTrips: (cohort, author, tell) => migrated(() => clearGuardTrips(store, cohort, author, tell)),
    addRamp: (ramp, author, tell) => migrated(() => addRampRun(store, ramp, author, tell)),
    changeRamp: (id, version, patch, tell, by) =>
      migrated(() => changeRampRun(store, id, version, patch, tell, by)),
    openRamps: () => migrated(() => openRampRuns(store)),
    listRamps: (cohort, limit) => migrated(() => listRampRuns(store, cohort, limit)),
    takeNotices: (limit, silentMs) => migrated(() => takeGuardNotices(store, limit, silentMs)),
    endNotice: (id, outcome) => migrated(() => endGuardNotice(store, id, outcome)),
    pruneNotices: (olderMs) => migrated(() => pruneGuardNotices(store, olderMs)),
  };
}
