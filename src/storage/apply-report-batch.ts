import type { BatchOutcome, ReportBatch, ReportBounds } from '../reports/report-store.ts';
import { addMismatchGroups } from './add-mismatch-groups.ts';
import { addMismatchSamples } from './add-mismatch-samples.ts';
import { addReportCounts } from './add-report-counts.ts';
import { givingWay } from './give-way.ts';
import { mergeMismatchSpread } from './merge-mismatch-spread.ts';
import { reopenMismatchGroups } from './reopen-mismatch-groups.ts';
import type { SqlStore } from './sql.ts';

const NOTHING: BatchOutcome = Object.freeze({
  refusedGroups: [],
  refusedSamples: 0,
  samples: new Map(),
  reopened: [],
});

/**
 * Adds what one process has counted, whole or not at all. A batch that was applied before changes nothing: so it can
 * be repeated when nobody knows whether it was committed.
 *
 * Every process takes rows in this order, and within a table by their keys, so that two batches cannot lock each other
 * out. Groups come before counts: a new group begins at the totals without this batch.
 */
export function applyReportBatch(
  store: SqlStore,
  batch: ReportBatch,
  bounds: ReportBounds,
): Promise<BatchOutcome> {
  return store.transaction(async (transaction) => {
    const sql = givingWay(store, transaction);
    const fresh = await sql.run(
      `INSERT INTO report_batches (process, sequence, at) VALUES ($1, $2, $3)
       ON CONFLICT (process) DO UPDATE SET sequence = excluded.sequence, at = excluded.at
         WHERE report_batches.sequence < excluded.sequence
       RETURNING process`,
      [batch.process, batch.sequence, new Date(batch.at).toISOString()],
    );
    if (fresh.length === 0) return NOTHING;
    const { refused, resolved } = await addMismatchGroups(sql, batch, bounds);
    const groups = batch.groups.filter(({ id }) => !refused.has(id));
    await mergeMismatchSpread(sql, groups);
    const returned = groups.filter(({ id }) => resolved.has(id));
    const reopened = await reopenMismatchGroups(sql, returned, batch.at);
    const offered = batch.samples.filter(({ group }) => !refused.has(group));
    const { refusedSamples, samples } = await addMismatchSamples(sql, offered, bounds);
    await addReportCounts(sql, batch);
    return { refusedGroups: [...refused], refusedSamples, samples, reopened };
  });
}
