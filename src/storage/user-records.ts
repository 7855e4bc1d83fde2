import type { UserEvent } from '../cutover/stores.ts';
import type { Membership, User, UserRecord } from '../model.ts';
import { integerOrNone, moment, text } from './columns.ts';
import { keyList, keysOf } from './key-list.ts';
import type { Sql } from './sql.ts';
import { USER_COLUMNS, USER_TABLES, userKey, userRow } from './user-row.ts';

/** The records of those users that the record knows. */
export async function readUsers(sql: Sql, users: readonly User[]): Promise<ReadonlyMap<User, UserRecord>> {
  const rows = await sql.run(
    `SELECT ${USER_COLUMNS} FROM ${keysOf('$1')} k JOIN ${USER_TABLES} ON true WHERE u.key = k.key`,
    [keyList(users)],
  );
  return new Map(rows.map(userRow).map(({ user, record }) => [user, record]));
}

/** Members of the cohort that has the name now, in key order; a page costs the same wherever it is. */
export async function membersOf(
  sql: Sql,
  cohort: string,
  after: User | undefined,
  limit: number,
  by: Membership['by'] | undefined,
): Promise<readonly { readonly user: User; readonly record: UserRecord }[]> {
  const rows = await sql.run(
    `SELECT ${USER_COLUMNS} FROM ${USER_TABLES}
     WHERE u.cohort = (SELECT number FROM cohorts WHERE name = $1 AND deleted_at IS NULL)
       AND u.key > $2 AND ($4::text IS NULL OR u.membership_by = $4)
     ORDER BY u.key LIMIT $3`,
    [cohort, after === undefined ? new Uint8Array() : userKey(after), limit, by ?? null],
  );
  return rows.map(userRow).map(({ user, record }) => ({ user, record }));
}

/** What the audit has of one user, newest first. */
export async function historyOf(sql: Sql, user: User, limit: number): Promise<readonly UserEvent[]> {
  const rows = await sql.run(
    `SELECT a.at, a.actor, a.reason, coalesce(h.kind, a.kind) AS kind, coalesce(a.epoch, h.switch_epoch) AS epoch
     FROM changes a LEFT JOIN cohort_changes h ON h.id = a.change
     WHERE a.subject = $1 ORDER BY a.id DESC LIMIT $2`,
    [userKey(user), limit],
  );
  return rows.map((row) => ({
    at: moment(row, 'at'),
    actor: text(row, 'actor'),
    reason: text(row, 'reason'),
    kind: text(row, 'kind'),
    epoch: integerOrNone(row, 'epoch'),
  }));
}
