import type { ReportStore } from '../reports/report-store.ts';
import { applyReportBatch } from './apply-report-batch.ts';
import { changeMismatchGroup } from './change-mismatch-group.ts';
import {
  comparisonRules,
  comparisonRulesHistory,
  comparisonRulesVersion,
  saveComparisonRules,
} from './comparison-rules.ts';
import { countMismatchGroups } from './count-mismatch-groups.ts';
import { comparisonTotals, countedReads, coverageCounts } from './coverage-counts.ts';
import { listMismatchGroups, readMismatchGroup } from './list-mismatch-groups.ts';
import { mismatchEvents, noteMismatchEvent } from './mismatch-events.ts';
import { mismatchSamples, mismatchSamplesOf } from './mismatch-samples.ts';
import { armMismatchWatch, mismatchWatch } from './mismatch-watch.ts';
import { reportKey } from './report-key.ts';
import { reportUpkeep } from './report-upkeep.ts';
import type { SqlStore } from './sql.ts';

/** @param migrated runs an operation when the schema is there */
export function reportStore(
  store: SqlStore,
  migrated: <T>(operation: () => Promise<T>) => Promise<T>,
): ReportStore {
  return {
    reportKey: () => migrated(() => reportKey(store)),
    applyReportBatch: (batch, bounds) => migrated(() => applyReportBatch(store, batch, bounds)),
    reportUpkeep: (at, everyMs, bounds) => migrated(() => reportUpkeep(store, at, everyMs, bounds)),
    countMismatchGroups: (at) => migrated(() => countMismatchGroups(store, at)),
    listMismatchGroups: (at, route, cohort) => migrated(() => listMismatchGroups(store, at, route, cohort)),
    readMismatchGroup: (at, id) => migrated(() => readMismatchGroup(store, at, id)),
    mismatchSamples: (at, group) => migrated(() => mismatchSamples(store, at, group)),
    mismatchSamplesOf: (at, route, limit) => migrated(() => mismatchSamplesOf(store, at, route, limit)),
    mismatchEvents: (group, limit) => migrated(() => mismatchEvents(store, group, limit)),
    changeMismatchGroup: (id, at, actor, action) =>
      migrated(() => changeMismatchGroup(store, id, at, actor, action)),
    noteMismatchEvent: (id, at, actor, action, detail) =>
      migrated(() => noteMismatchEvent(store, id, at, actor, action, detail)),
    armMismatchWatch: (id, at, actor) => migrated(() => armMismatchWatch(store, id, at, actor)),
    mismatchWatch: (id) => migrated(() => mismatchWatch(store, id)),
    coverageCounts: (from, to, cohort) => migrated(() => coverageCounts(store, from, to, cohort)),
    comparisonTotals: () => migrated(() => comparisonTotals(store)),
    countedReads: (cohort, from) => migrated(() => countedReads(store, cohort, from)),
    comparisonRulesVersion: () => migrated(() => comparisonRulesVersion(store)),
    comparisonRules: () => migrated(() => comparisonRules(store)),
    comparisonRulesHistory: (route, limit) => migrated(() => comparisonRulesHistory(store, route, limit)),
    saveComparisonRules: (route, rules, at, actor, reason, expectedVersion) =>
      migrated(() => saveComparisonRules(store, route, rules, at, actor, reason, expectedVersion)),
  };
}
