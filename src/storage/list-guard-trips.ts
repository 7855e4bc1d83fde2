import type { TripRow } from '../guard/guard-store.ts';
import { integer, text } from './columns.ts';
import { TRIP_COLUMNS, tripRow } from './guard-trip-row.ts';
import type { Sql } from './sql.ts';

/** Bound on one page of trips. */
export const TRIPS_PAGE_MAX = 500;

/** What is open: uncleared rollbacks, and warnings and holds that are not repeated yet. */
export async function openGuardTrips(sql: Sql): Promise<readonly TripRow[]> {
  const rows = await sql.run(
    `SELECT ${TRIP_COLUMNS} FROM guard_trips g WHERE g.action = 'rollback' AND g.cleared_at IS NULL
     UNION ALL
     SELECT ${TRIP_COLUMNS} FROM guard_trips g WHERE g.action <> 'rollback' AND g.ended_at IS NULL`,
  );
  return rows.map(tripRow);
}

/** The latest trip of each cohort that is there. */
export async function latestGuardTrips(sql: Sql): Promise<readonly TripRow[]> {
  const rows = await sql.run(
    `SELECT ${TRIP_COLUMNS} FROM cohorts c CROSS JOIN LATERAL
       (SELECT * FROM guard_trips t WHERE t.cohort = c.name ORDER BY t.sequence DESC LIMIT 1) g
     WHERE c.deleted_at IS NULL`,
  );
  return rows.map(tripRow);
}

/** The uncleared rollback of a cohort. */
export async function guardTripHolding(sql: Sql, cohort: string): Promise<string | undefined> {
  const [row] = await sql.run(
    "SELECT id FROM guard_trips WHERE cohort = $1 AND action = 'rollback' AND cleared_at IS NULL",
    [cohort],
  );
  return row === undefined ? undefined : text(row, 'id');
}

export async function readGuardTrip(sql: Sql, id: string): Promise<TripRow | undefined> {
  const [row] = await sql.run(`SELECT ${TRIP_COLUMNS} FROM guard_trips g WHERE g.id = $1`, [id]);
  return row === undefined ? undefined : tripRow(row);
}

/**
 * A page of trips, newest first. @param before the id of the last one of the page before @param limit 1 to 500
 * @throws RangeError for another limit, and for a `before` that does not exist
 */
export async function listGuardTrips(
  sql: Sql,
  before: string | undefined,
  limit: number,
  cohort: string | undefined,
): Promise<readonly TripRow[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > TRIPS_PAGE_MAX)
    throw new RangeError(`a page has 1 to ${TRIPS_PAGE_MAX} trips`);
  let from: number | null = null;
  if (before !== undefined) {
    const [row] = await sql.run('SELECT sequence FROM guard_trips WHERE id = $1', [before]);
    if (row === undefined) throw new RangeError('there is no trip with the id to go on from');
    from = integer(row, 'sequence');
  }
  const rows = await sql.run(
    `SELECT ${TRIP_COLUMNS} FROM guard_trips g
     WHERE ($1::bigint IS NULL OR g.sequence < $1) AND ($2::text IS NULL OR g.cohort = $2)
     ORDER BY g.sequence DESC LIMIT $3`,
    [from, cohort ?? null, limit],
  );
  return rows.map(tripRow);
}
