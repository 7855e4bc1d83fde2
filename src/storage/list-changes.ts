import type { Change } from '../cutover/change.ts';
import { CHANGE_COLUMNS, changeRow } from './change-row.ts';
import { integer } from './columns.ts';
import type { Sql } from './sql.ts';

/** Bound on one page of changes. */
export const CHANGES_PAGE_MAX = 500;

/**
 * A page of changes, newest first, over or not.
 *
 * @param before the id of the last one of the page before
 * @param limit 1 to 500
 * @param cohort of these only; of every cohort that ever had the name
 * @throws RangeError for another limit, and for a `before` that does not exist
 */
export async function listChanges(
  sql: Sql,
  before: string | undefined,
  limit: number,
  cohort: string | undefined,
): Promise<readonly Change[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > CHANGES_PAGE_MAX)
    throw new RangeError(`a page has 1 to ${CHANGES_PAGE_MAX} changes`);
  let from: number | null = null;
  if (before !== undefined) {
    const [row] = await sql.run('SELECT sequence FROM cohort_changes WHERE id = $1', [before]);
    if (row === undefined) throw new RangeError('there is no change with the id to go on from');
    from = integer(row, 'sequence');
  }
  const rows = await sql.run(
    `SELECT ${CHANGE_COLUMNS} FROM cohort_changes h
     WHERE ($1::bigint IS NULL OR h.sequence < $1) AND ($2::text IS NULL OR h.cohort_name = $2)
     ORDER BY h.sequence DESC LIMIT $3`,
    [from, cohort ?? null, limit],
  );
  return rows.map(changeRow);
}
