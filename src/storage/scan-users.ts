import type { User } from '../model.ts';
import type { UserRow } from './record-store.ts';
import type { Sql } from './sql.ts';
import { USER_COLUMNS, USER_TABLES, userKey, userRow } from './user-row.ts';

/** Up to `limit` users in key order, from the one after `after`: a page that costs the same wherever it is. */
export async function scanUsers(
  sql: Sql,
  after: User | undefined,
  limit: number,
): Promise<readonly UserRow[]> {
  const rows = await sql.run(
    `SELECT ${USER_COLUMNS} FROM ${USER_TABLES} WHERE u.key > $1 ORDER BY u.key LIMIT $2`,
    [after === undefined ? new Uint8Array() : userKey(after), limit],
  );
  return rows.map(userRow);
}
