import { type MarkScope, type MemberFilter, PINNED_SCOPE } from '../cutover/write-marks-store.ts';
import { integer } from './columns.ts';
import type { SqlStore } from './sql.ts';

/**
 * How many members of the cohort pass the filter, are not pinned, and have no mark: none in the scope, and, if a rule
 * placed them, none that they got without a membership in another cohort. A count of millions takes seconds, so it
 * has the bound of a long operation.
 */
export async function unmarkedMembers(
  store: SqlStore,
  { number, era }: MarkScope,
  { migratedOnly, ordinalBelow }: MemberFilter,
): Promise<number> {
  return store.exclusive('turnout preview', async (sql) => {
    const [row] = await sql.run(
      `SELECT count(*) AS members FROM users u
       WHERE u.cohort = $1 AND u.pin IS NULL AND (NOT $3 OR u.state = 'migrated')
         AND ($4::bigint IS NULL OR (u.membership_by = 'explicit' AND u.ordinal < $4::bigint))
         AND NOT EXISTS (
           SELECT FROM write_marks m WHERE m.key = u.key AND (
             (m.cohort = $1 AND m.era = $2::bigint) OR
             (m.unplaced AND u.membership_by = 'rule' AND m.cohort NOT IN ($1, $5))))`,
      [number, era, migratedOnly, ordinalBelow ?? null, PINNED_SCOPE.number],
    );
    return row === undefined ? 0 : integer(row, 'members');
  });
}
