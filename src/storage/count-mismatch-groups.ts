import { GROUP_STATUSES, type GroupStatus } from '../reports/report-store.ts';
import { integer } from './columns.ts';
import { statusOf } from './mismatch-group-row.ts';
import type { Sql } from './sql.ts';

/** Groups by their status in effect at that moment; every status is there. */
export async function countMismatchGroups(sql: Sql, at: number): Promise<ReadonlyMap<GroupStatus, number>> {
  const rows = await sql.run(
    `SELECT CASE WHEN ignored_until <= $1::timestamptz THEN 'open' ELSE status END AS status, count(*) AS count
     FROM mismatch_groups GROUP BY 1`,
    [new Date(at).toISOString()],
  );
  const counts = new Map<GroupStatus, number>(GROUP_STATUSES.map((status) => [status, 0]));
  for (const row of rows) counts.set(statusOf(row, 'status'), integer(row, 'count'));
  return counts;
}
