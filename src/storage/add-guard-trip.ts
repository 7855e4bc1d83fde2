import type { NewTrip, TripRow } from '../guard/guard-store.ts';
import { guardJson } from './guard-json.ts';
import { TRIP_COLUMNS, tripRow } from './guard-trip-row.ts';
import type { Sql } from './sql.ts';

/**
 * Adds a trip unless one like it is open: of all processes that see the same evidence at once, one gets the row back. One
 * statement, because users wait for what follows.
 */
export async function addGuardTrip(sql: Sql, trip: NewTrip, tell: boolean): Promise<TripRow | undefined> {
  const { id, cohort, condition, action, path, figures, stage, firstBadMs, note } = trip;
  const [row] = await sql.run(
    `WITH g AS (
       INSERT INTO guard_trips
         (id, cohort, condition_name, condition, action, path, figures, stage, first_bad_at, note)
       VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7::jsonb, $8,
         clock_timestamp() - $9::bigint * interval '1 millisecond', $10)
       ON CONFLICT DO NOTHING RETURNING *),
     told AS (INSERT INTO guard_notices (event, cohort, trip) SELECT 'trip', g.cohort, g.id FROM g WHERE $11)
     SELECT ${TRIP_COLUMNS} FROM g`,
    [
      id,
      cohort,
      condition.name,
      guardJson(condition),
      action,
      path,
      guardJson(figures),
      stage,
      firstBadMs === undefined ? null : Math.round(firstBadMs),
      note ?? null,
      tell,
    ],
  );
  return row === undefined ? undefined : tripRow(row);
}
