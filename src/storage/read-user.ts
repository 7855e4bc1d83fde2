import type { User } from '../model.ts';
import type { StoredUser } from './record-store.ts';
import type { Sql } from './sql.ts';
import { storedUser, USER_COLUMNS, USER_TABLES, userKey } from './user-row.ts';

/** One user by key, or `undefined`. On the data path while the state map is unreachable. */
export async function readUser(sql: Sql, user: User): Promise<StoredUser | undefined> {
  const [row] = await sql.run(`SELECT ${USER_COLUMNS} FROM ${USER_TABLES} WHERE u.key = $1`, [userKey(user)]);
  return row === undefined ? undefined : storedUser(row);
}
