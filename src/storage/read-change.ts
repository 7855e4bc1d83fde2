import type { Change } from '../cutover/change.ts';
import { CHANGE_COLUMNS, changeRow } from './change-row.ts';
import type { Sql } from './sql.ts';

/** One change by id, over or not. */
export async function readChange(sql: Sql, id: string): Promise<Change | undefined> {
  const [row] = await sql.run(`SELECT ${CHANGE_COLUMNS} FROM cohort_changes h WHERE h.id = $1`, [id]);
  return row === undefined ? undefined : changeRow(row);
}

/** The change that was begun with an idempotency key. */
export async function changeOfKey(sql: Sql, key: string): Promise<Change | undefined> {
  const [row] = await sql.run(`SELECT ${CHANGE_COLUMNS} FROM cohort_changes h WHERE h.idempotency_key = $1`, [
    key,
  ]);
  return row === undefined ? undefined : changeRow(row);
}
