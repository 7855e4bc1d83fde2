/** What people are still to be told: taken by one process at a time, told at least once. */
import { HOOK_EVENTS, type HookEvent } from '../guard/guard-settings.ts';
import type { Notice } from '../guard/guard-store.ts';
import { integer, moment, text, textOrNone } from './columns.ts';
import { TRIP_COLUMNS, tripRow } from './guard-trip-row.ts';
import { RAMP_COLUMNS, rampRow, rampStatusOf } from './ramp-run-row.ts';
import type { Row, Sql } from './sql.ts';

function eventOf(row: Row): HookEvent {
  const name = text(row, 'event');
  const event = HOOK_EVENTS.find((each) => each === name);
  if (event === undefined) throw new TypeError(`guard_notices.event is ${name}`);
  return event;
}

/**
 * Takes up to `limit` of them that nobody is telling. @param silentMs whoever took one so long ago, and has not told it,
 * is gone
 */
export async function takeGuardNotices(
  sql: Sql,
  limit: number,
  silentMs: number,
): Promise<readonly Notice[]> {
  const rows = await sql.run(
    `UPDATE guard_notices SET taken_at = now(), takes = takes + 1 WHERE id IN (
       SELECT id FROM guard_notices WHERE ended_at IS NULL
         AND (taken_at IS NULL OR taken_at < now() - $2::bigint * interval '1 millisecond')
       ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
     RETURNING id::text, event, cohort, trip, ramp, ramp_status, ramp_step, ramp_note, at, takes`,
    [limit, silentMs],
  );
  const notices: Notice[] = [];
  for (const row of rows.toSorted((a, b) => Number(text(a, 'id')) - Number(text(b, 'id'))))
    notices.push(await noticeOf(sql, row));
  return notices;
}

async function noticeOf(sql: Sql, row: Row): Promise<Notice> {
  const [trip, ramp] = [textOrNone(row, 'trip'), textOrNone(row, 'ramp')];
  const trips =
    trip === undefined
      ? []
      : await sql.run(`SELECT ${TRIP_COLUMNS} FROM guard_trips g WHERE g.id = $1`, [trip]);
  const runs =
    ramp === undefined
      ? []
      : await sql.run(`SELECT ${RAMP_COLUMNS} FROM ramp_runs r WHERE r.id = $1`, [ramp]);
  return {
    id: text(row, 'id'),
    event: eventOf(row),
    cohort: text(row, 'cohort'),
    at: moment(row, 'at'),
    trip: trips.map(tripRow)[0],
    ramp: runs.map(rampRow).map((run) => ({
      ...run,
      status: rampStatusOf(row, 'ramp_status'),
      step: integer(row, 'ramp_step'),
      note: textOrNone(row, 'ramp_note'),
    }))[0],
    takes: integer(row, 'takes'),
  };
}

/** It was told, or given up. Its trip knows when people were last told of it. */
export async function endGuardNotice(sql: Sql, id: string, outcome: string): Promise<void> {
  await sql.run(
    `WITH n AS (UPDATE guard_notices SET ended_at = now(), outcome = $2 WHERE id = $1::bigint RETURNING trip)
     UPDATE guard_trips g SET notified_at = now() FROM n WHERE g.id = n.trip AND $2 = 'told'`,
    [id, outcome],
  );
}

export async function pruneGuardNotices(sql: Sql, olderMs: number): Promise<void> {
  await sql.run(
    `DELETE FROM guard_notices WHERE at < now() - $1::bigint * interval '1 millisecond' AND ended_at IS NOT NULL`,
    [Math.round(olderMs)],
  );
}
