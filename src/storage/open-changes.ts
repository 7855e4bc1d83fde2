import type { Change } from '../cutover/change.ts';
import { CHANGE_COLUMNS, changeRow } from './change-row.ts';
import type { Sql } from './sql.ts';

/** The changes that are not over, oldest first. */
export async function openChanges(sql: Sql): Promise<readonly Change[]> {
  const rows = await sql.run(
    `SELECT ${CHANGE_COLUMNS} FROM cohort_changes h WHERE h.ended_at IS NULL ORDER BY h.sequence`,
  );
  return rows.map(changeRow);
}
