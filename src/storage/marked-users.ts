import type { MarkedUser, MarkScope } from '../cutover/write-marks-store.ts';
import { ABSENT_RECORD } from '../model.ts';
import { utf8 } from './columns.ts';
import type { Sql } from './sql.ts';
import { storedUser, USER_COLUMNS } from './user-row.ts';

/**
 * Users with a mark in one of the scopes, unpinned, and members of one of the cohorts or of none. Of each scope in
 * key order, so that an index is read up to the limit and no further.
 */
export async function markedUsers(
  sql: Sql,
  scopes: readonly MarkScope[],
  members: readonly number[],
  unplacedOnly: boolean,
  limit: number,
): Promise<readonly MarkedUser[]> {
  if (scopes.length === 0) return [];
  const rows = await sql.run(
    `SELECT found.* FROM jsonb_to_recordset($1::jsonb) AS s (number integer, era bigint), LATERAL (
       SELECT m.key AS marked, ${USER_COLUMNS}
       FROM write_marks m LEFT JOIN users u ON u.key = m.key LEFT JOIN cohorts c ON c.number = u.cohort
       WHERE m.cohort = s.number AND m.era = s.era${unplacedOnly ? ' AND m.unplaced' : ''}
         AND u.pin IS NULL
         AND (u.cohort IS NULL OR u.cohort IN (SELECT value::integer FROM jsonb_array_elements_text($2::jsonb)))
       ORDER BY m.key LIMIT $3
     ) AS found`,
    [JSON.stringify(scopes), JSON.stringify(members), limit],
  );
  return rows.map((row) => ({
    user: utf8(row, 'marked'),
    record: row['key'] === null ? ABSENT_RECORD : storedUser(row).record,
  }));
}
