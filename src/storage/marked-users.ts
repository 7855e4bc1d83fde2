import type { MarkedUser, MarkedUsersQuery } from '../cutover/write-marks-store.ts';
import { ABSENT_RECORD } from '../model.ts';
import { utf8 } from './columns.ts';
import type { Sql } from './sql.ts';
import { storedUser, USER_COLUMNS } from './user-row.ts';

/**
 * Users with a mark in one of the scopes, unpinned, and members of one of the cohorts, or also of none.
 *
 * The marks of a scope are read in key order, up to the limit and no further. Not so those of users who had no
 * membership: of many marks few may be wanted, so how to find them is left to the planner.
 */
export async function markedUsers(
  sql: Sql,
  { scopes, members, withoutToo, unplacedOnly, limit }: MarkedUsersQuery,
): Promise<readonly MarkedUser[]> {
  if (scopes.length === 0) return [];
  const member = 'u.cohort IN (SELECT value::integer FROM jsonb_array_elements_text($2::jsonb))';
  const rows = await sql.run(
    `SELECT found.* FROM jsonb_to_recordset($1::jsonb) AS s (number integer, era bigint), LATERAL (
       SELECT m.key AS marked, ${USER_COLUMNS}
       FROM write_marks m ${withoutToo ? 'LEFT JOIN' : 'JOIN'} users u ON u.key = m.key
       LEFT JOIN cohorts c ON c.number = u.cohort
       WHERE m.cohort = s.number AND m.era = s.era ${unplacedOnly ? 'AND m.unplaced' : ''}
         AND u.pin IS NULL AND (${withoutToo ? `u.cohort IS NULL OR ${member}` : member})
       ${unplacedOnly ? '' : 'ORDER BY m.key'} LIMIT $3
     ) AS found`,
    [JSON.stringify(scopes), JSON.stringify(members), limit],
  );
  return rows.map((row) => ({
    user: utf8(row, 'marked'),
    record: row['key'] === null ? ABSENT_RECORD : storedUser(row).record,
  }));
}
