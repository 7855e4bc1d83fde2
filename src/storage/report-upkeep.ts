import type { ReportBounds } from '../reports/report-store.ts';
import { integer } from './columns.ts';
import { dropOldestCounts, foldCounts } from './fold-report-counts.ts';
import type { Sql, SqlStore } from './sql.ts';

/** Batches of a process that has told nothing for so long are not repeated any more. */
const BATCHES_MS = 86_400_000;
/** Days that are folded at a time: the rest has its turn at the next. */
const DAYS_AT_A_TIME = 4;

/**
 * Throws away what is expired and folds hours into days, so that the tables stay within their bounds. Whoever comes
 * first after `everyMs` does it.
 * @returns whether this call did it
 */
export async function reportUpkeep(
  store: SqlStore,
  at: number,
  everyMs: number,
  bounds: ReportBounds,
): Promise<boolean> {
  const [taken] = await store.run(
    'UPDATE report_settings SET upkeep_at = $1 WHERE upkeep_at <= $2::timestamptz RETURNING one',
    [iso(at), iso(at - everyMs)],
  );
  if (taken === undefined) return false;
  await store.run('DELETE FROM mismatch_samples WHERE expires_at <= $1', [iso(at)]);
  await endIgnores(store, at);
  await store.run(
    'DELETE FROM mismatch_events WHERE id <= (SELECT max(id) FROM mismatch_events) - $1::bigint',
    [bounds.eventsMax],
  );
  await store.run('DELETE FROM report_batches WHERE at < $1', [iso(at - BATCHES_MS)]);
  await foldOldHours(store, at, bounds);
  // The embedded record has nobody who vacuums behind it.
  if (store.kind === 'embedded') await vacuum(store);
  return true;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

async function endIgnores(store: SqlStore, at: number): Promise<void> {
  await store.run(
    `WITH ended AS (
       UPDATE mismatch_groups SET status = 'open', status_since = ignored_until, ignored_until = NULL
       WHERE status = 'ignored' AND ignored_until <= $1::timestamptz RETURNING id, status_since)
     INSERT INTO mismatch_events (group_id, at, actor, action, from_status, to_status)
     SELECT id, status_since, 'turnout', 'ignore_ended', 'ignored', 'open' FROM ended`,
    [iso(at)],
  );
}

async function foldOldHours(store: SqlStore, at: number, bounds: ReportBounds): Promise<void> {
  await foldCounts(store, at - bounds.hourlyMs, DAYS_AT_A_TIME);
  await store.run('DELETE FROM comparison_counts WHERE begins < $1', [iso(at - bounds.dailyMs)]);
  await store.run('DELETE FROM comparison_side_counts WHERE begins < $1', [iso(at - bounds.dailyMs)]);
  if ((await countRows(store)) <= bounds.countRowsMax) return;
  // More routes and cohorts than were thought of: hours of days that are over first, then the oldest days.
  const DAY_MS = 86_400_000;
  await foldCounts(store, Math.floor(at / DAY_MS) * DAY_MS, DAYS_AT_A_TIME);
  const excess = (await countRows(store)) - bounds.countRowsMax;
  if (excess > 0) await dropOldestCounts(store, excess);
}

async function countRows(sql: Sql): Promise<number> {
  const [row] = await sql.run(
    'SELECT (SELECT count(*) FROM comparison_counts) + (SELECT count(*) FROM comparison_side_counts) AS count',
  );
  return row === undefined ? 0 : integer(row, 'count');
}

async function vacuum(store: SqlStore): Promise<void> {
  for (const table of [
    'mismatch_groups',
    'mismatch_spread',
    'mismatch_samples',
    'mismatch_events',
    'comparison_totals',
    'comparison_counts',
    'comparison_side_counts',
    'report_settings',
    'report_batches',
  ]) {
    await store.run(`VACUUM ${table}`);
  }
}
