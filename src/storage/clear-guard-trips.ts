import type { GuardAuthor } from '../guard/guard-control.ts';
import type { TripRow } from '../guard/guard-store.ts';
import { text } from './columns.ts';
import { readGuardTrip } from './list-guard-trips.ts';
import type { Sql, SqlStore } from './sql.ts';

/** Adds to the audit what somebody did with the guard of a cohort. */
export async function noteGuardAction(
  sql: Sql,
  kind: string,
  subject: string,
  { actor, reason }: GuardAuthor,
): Promise<void> {
  await sql.run(
    `INSERT INTO changes (map, version, epoch, actor, reason, kind, after)
     SELECT id, version, epoch, $1, $2, $3, to_jsonb($4::text) FROM state_map WHERE retired_at IS NULL`,
    [actor, reason, kind, subject],
  );
}

/**
 * Clears what is open in a cohort: its rollback, and warnings and holds that were not to be repeated yet.
 * @returns the rollback, else the latest one; `undefined` when nothing was open
 */
export async function clearGuardTrips(
  store: SqlStore,
  cohort: string,
  author: GuardAuthor,
  tell: boolean,
): Promise<TripRow | undefined> {
  return store.transaction(async (sql) => {
    const rows = await sql.run(
      `WITH g AS (
         UPDATE guard_trips SET cleared_at = now(), cleared_by = $2, clear_reason = $3,
           ended_at = CASE WHEN action = 'rollback' THEN ended_at ELSE coalesce(ended_at, now()) END
         WHERE cohort = $1 AND cleared_at IS NULL AND (action = 'rollback' OR ended_at IS NULL)
         RETURNING id, cohort, action, sequence),
       told AS (INSERT INTO guard_notices (event, cohort, trip) SELECT 'cleared', g.cohort, g.id FROM g WHERE $4)
       SELECT id FROM g ORDER BY (action = 'rollback') DESC, sequence DESC`,
      [cohort, author.actor, author.reason, tell],
    );
    const [first] = rows;
    if (first === undefined) return undefined;
    await noteGuardAction(sql, 'guard-clear', `${cohort}: trip ${text(first, 'id')}`, author);
    return readGuardTrip(sql, text(first, 'id'));
  });
}
