import type { UserRow } from './record-store.ts';
import type { Sql } from './sql.ts';
import { USER_COLUMNS, USER_TABLES, userRow } from './user-row.ts';

/** Writes whose writer died before it could note that the state map has them, oldest first. */
export async function unconfirmedUsers(sql: Sql, limit: number): Promise<readonly UserRow[]> {
  const rows = await sql.run(
    `SELECT ${USER_COLUMNS} FROM ${USER_TABLES} WHERE u.epoch IS NULL ORDER BY u.version LIMIT $1`,
    [limit],
  );
  return rows.map(userRow);
}
