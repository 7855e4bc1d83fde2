/** What becomes of a trip. Each statement names what it knows of it, so that of two processes one does it. */
import type { TripRow } from '../guard/guard-store.ts';
import { TRIP_COLUMNS, tripRow } from './guard-trip-row.ts';
import type { Sql } from './sql.ts';

/** It still has to go back. */
const GOING = "g.action = 'rollback' AND g.in_force_at IS NULL AND g.cleared_at IS NULL";

/** Notes the change or for what it waits. @returns whether the trip was at that attempt and not in force */
export async function noteGuardTrip(
  sql: Sql,
  id: string,
  attempt: number,
  { change, note }: { readonly change?: string; readonly note?: string },
): Promise<boolean> {
  const rows = await sql.run(
    `UPDATE guard_trips g SET change = coalesce($3, g.change), note = coalesce($4, g.note)
     WHERE g.id = $1 AND g.attempt = $2 AND ${GOING} RETURNING 1`,
    [id, attempt, change ?? null, note ?? null],
  );
  return rows.length > 0;
}

/** The change of that attempt was undone. @returns the trip, when nobody was faster */
export async function retryGuardTrip(
  sql: Sql,
  id: string,
  attempt: number,
  note: string,
): Promise<TripRow | undefined> {
  const [row] = await sql.run(
    `UPDATE guard_trips g SET attempt = g.attempt + 1, change = NULL, note = $3
     WHERE g.id = $1 AND g.attempt = $2 AND ${GOING} RETURNING ${TRIP_COLUMNS}`,
    [id, attempt, note],
  );
  return row === undefined ? undefined : tripRow(row);
}

/** The cohort is back everywhere. @param at since when; now unless given @returns whether this call noted it */
export async function settleGuardTrip(
  sql: Sql,
  id: string,
  at: Date | undefined,
  note: string | undefined,
  tell: boolean,
): Promise<boolean> {
  const rows = await sql.run(
    `WITH g AS (
       UPDATE guard_trips g SET in_force_at = coalesce($2::timestamptz, clock_timestamp()), note = $3
       WHERE g.id = $1 AND ${GOING} RETURNING g.id, g.cohort),
     told AS (INSERT INTO guard_notices (event, cohort, trip) SELECT 'in-force', g.cohort, g.id FROM g WHERE $4)
     SELECT g.id FROM g`,
    [id, at === undefined ? null : at.toISOString(), note ?? null, tell],
  );
  return rows.length > 0;
}

/** It cannot go back, and is none that people have to clear. */
export async function holdInsteadOfRollback(sql: Sql, id: string, note: string): Promise<boolean> {
  // One of the same condition may hold already: then this one is over at once.
  const rows = await sql.run(
    `UPDATE guard_trips g SET action = 'hold', note = $2, ended_at = CASE WHEN EXISTS (
       SELECT 1 FROM guard_trips o WHERE o.cohort = g.cohort AND o.condition_name = g.condition_name
         AND o.action <> 'rollback' AND o.ended_at IS NULL) THEN now() END
     WHERE g.id = $1 AND ${GOING} RETURNING 1`,
    [id, note],
  );
  return rows.length > 0;
}

/** Warnings and holds that are older may be repeated. */
export async function endQuietTrips(sql: Sql, cooldownMs: number): Promise<void> {
  await sql.run(
    `UPDATE guard_trips SET ended_at = now()
     WHERE action <> 'rollback' AND ended_at IS NULL AND tripped_at <= now() - $1::bigint * interval '1 millisecond'`,
    [Math.round(cooldownMs)],
  );
}
