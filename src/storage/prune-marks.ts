import { hasUsersOnNew } from '../cutover/era.ts';
import { readCohorts } from './read-cohorts.ts';
import type { Sql } from './sql.ts';

async function prune(sql: Sql, cohort: number, below: number, limit: number): Promise<number> {
  const rows = await sql.run(
    `DELETE FROM write_marks WHERE (key, cohort, era) IN
       (SELECT key, cohort, era FROM write_marks WHERE cohort = $1 AND era < $2::bigint LIMIT $3)
     RETURNING 1`,
    [cohort, below, limit],
  );
  return rows.length;
}

/**
 * Removes up to `limit` marks of eras that are over. The marks of a deleted cohort count until nobody is in `new`
 * because of a cohort: users without a membership may be in another one by now.
 * @returns how many were removed
 */
export async function pruneMarks(sql: Sql, limit: number): Promise<number> {
  const cohorts = await readCohorts(sql);
  const someoneOnNew = cohorts.some(({ cohort, deleted }) => !deleted && hasUsersOnNew(cohort));
  let left = limit;
  for (const { number, cohort, deleted } of cohorts) {
    if (left <= 0 || cohort.era === undefined) continue;
    const isOver = deleted && !someoneOnNew;
    left -= await prune(sql, number, cohort.era.number + (isOver ? 1 : 0), left);
  }
  return limit - left;
}
