import {
  type MarkedUser,
  type MarkedUsersQuery,
  type MarkScope,
  PINNED_SCOPE,
} from '../cutover/write-marks-store.ts';
import { ABSENT_RECORD } from '../model.ts';
import { utf8 } from './columns.ts';
import type { Row, Sql } from './sql.ts';
import { storedUser, USER_COLUMNS } from './user-row.ts';

function markedUser(row: Row): MarkedUser {
  return {
    user: utf8(row, 'marked'),
    record: row['key'] === null ? ABSENT_RECORD : storedUser(row).record,
  };
}

/** The numbers in a JSON parameter. */
function numbers(parameter: string): string {
  return `(SELECT value::integer FROM jsonb_array_elements_text(${parameter}::jsonb))`;
}

function join(withoutToo: boolean): string {
  return `${withoutToo ? 'LEFT JOIN' : 'JOIN'} users u ON u.key = m.key LEFT JOIN cohorts c ON c.number = u.cohort`;
}

/**
 * Users with a mark in one of the scopes, unpinned, and members of one of the cohorts, or also of none. Of each scope in
 * key order, so that an index is read up to the limit and no further.
 */
export async function markedUsers(
  sql: Sql,
  scopes: readonly MarkScope[],
  { members, withoutToo, limit }: MarkedUsersQuery,
): Promise<readonly MarkedUser[]> {
  if (scopes.length === 0) return [];
  const isMember = `u.cohort IN ${numbers('$2')}`;
  const rows = await sql.run(
    `SELECT found.* FROM jsonb_to_recordset($1::jsonb) AS s (number integer, era bigint), LATERAL (
       SELECT m.key AS marked, ${USER_COLUMNS} FROM write_marks m ${join(withoutToo)}
       WHERE m.cohort = s.number AND m.era = s.era
         AND u.pin IS NULL AND (${withoutToo ? `u.cohort IS NULL OR ${isMember}` : isMember})
       ORDER BY m.key LIMIT $3
     ) AS found`,
    [JSON.stringify(scopes), JSON.stringify(members), limit],
  );
  return rows.map(markedUser);
}

/**
 * Users who wrote without a membership in another cohort than these, and whom a rule has put into one of these since,
 * or may put there. Of many such marks few may be wanted, so how to find them is left to the planner.
 */
export async function strayedUsers(
  sql: Sql,
  { members, withoutToo, limit }: MarkedUsersQuery,
): Promise<readonly MarkedUser[]> {
  if (members.length === 0) return [];
  const isMember = `(u.membership_by = 'rule' AND u.cohort IN ${numbers('$1')})`;
  const rows = await sql.run(
    `SELECT m.key AS marked, ${USER_COLUMNS} FROM write_marks m ${join(withoutToo)}
     WHERE m.unplaced AND m.cohort <> $2 AND m.cohort NOT IN ${numbers('$1')}
       AND u.pin IS NULL AND (${withoutToo ? `u.cohort IS NULL OR ${isMember}` : isMember})
     LIMIT $3`,
    [JSON.stringify(members), PINNED_SCOPE.number, limit],
  );
  return rows.map(markedUser);
}
