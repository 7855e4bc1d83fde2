import type { Change } from '../cutover/change.ts';
import { CHANGE_COLUMNS, CHANGE_TABLES, changeRow } from './change-row.ts';
import type { Sql } from './sql.ts';

/** One change by id, over or not. */
export async function readChange(sql: Sql, id: string): Promise<Change | undefined> {
  const [row] = await sql.run(`SELECT ${CHANGE_COLUMNS} FROM ${CHANGE_TABLES} WHERE h.id = $1`, [id]);
  return row === undefined ? undefined : changeRow(row);
}
