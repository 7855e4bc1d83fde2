import type { Change } from '../cutover/change.ts';
import { CHANGE_COLUMNS, CHANGE_TABLES, changeRow } from './change-row.ts';
import type { Sql } from './sql.ts';

/** The changes that are not over, oldest first; one a cohort at the most. */
export async function openChanges(sql: Sql): Promise<readonly Change[]> {
  const rows = await sql.run(
    `SELECT ${CHANGE_COLUMNS} FROM ${CHANGE_TABLES} WHERE h.ended_at IS NULL ORDER BY h.sequence`,
  );
  return rows.map(changeRow);
}
