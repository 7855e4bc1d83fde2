import type { MarkScope, MemberFilter } from '../cutover/write-marks-store.ts';
import { integer } from './columns.ts';
import type { SqlStore } from './sql.ts';

/**
 * How many members of the cohort pass the filter, are not pinned, and have no mark: none in the cohort's own scope,
 * and none that they got without a membership in another. A count of millions takes seconds, so it has the bound of
 * a long operation.
 */
export async function unmarkedMembers(
  store: SqlStore,
  { number, era }: MarkScope,
  others: readonly MarkScope[],
  { migratedOnly, ordinalBelow }: MemberFilter,
): Promise<number> {
  return store.exclusive('turnout preview', async (sql) => {
    const [row] = await sql.run(
      `SELECT count(*) AS members FROM users u
       WHERE u.cohort = $1 AND u.pin IS NULL AND (NOT $4 OR u.state = 'migrated')
         AND ($5::bigint IS NULL OR (u.membership_by = 'explicit' AND u.ordinal < $5::bigint))
         AND NOT EXISTS (
           SELECT FROM write_marks m WHERE m.key = u.key AND (
             (m.cohort = $1 AND m.era = $2::bigint) OR
             (m.unplaced AND u.membership_by = 'rule' AND EXISTS (
               SELECT FROM jsonb_to_recordset($3::jsonb) AS s (number integer, era bigint)
               WHERE m.cohort = s.number AND m.era = s.era))))`,
      [number, era, JSON.stringify(others), migratedOnly, ordinalBelow ?? null],
    );
    return row === undefined ? 0 : integer(row, 'members');
  });
}
