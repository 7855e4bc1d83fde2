import type { GroupEvent } from '../reports/report-store.ts';
import { moment, text, textOrNone } from './columns.ts';
import { statusOf } from './mismatch-group-row.ts';
import type { Row, Sql } from './sql.ts';

const ACTIONS: readonly GroupEvent['action'][] = [
  'acknowledge',
  'assign',
  'ignore',
  'resolve',
  'reopen',
  'reopened',
  'ignore_ended',
  'verify',
];

function actionOf(row: Row): GroupEvent['action'] {
  const action = text(row, 'action');
  const known = ACTIONS.find((one) => one === action);
  if (known === undefined) throw new TypeError(`mismatch_events.action is ${action}`);
  return known;
}

/** What was done with a group, newest first. */
export async function mismatchEvents(sql: Sql, group: string, limit: number): Promise<readonly GroupEvent[]> {
  const rows = await sql.run(
    `SELECT at, actor, action, from_status, to_status, detail FROM mismatch_events
     WHERE group_id = $1 ORDER BY id DESC LIMIT $2`,
    [group, limit],
  );
  return rows.map((row) => ({
    at: moment(row, 'at').getTime(),
    actor: text(row, 'actor'),
    action: actionOf(row),
    from: statusOf(row, 'from_status'),
    to: statusOf(row, 'to_status'),
    detail: textOrNone(row, 'detail'),
  }));
}

/** Adds to the audit of a group without changing it. A group that does not exist has none. */
export async function noteMismatchEvent(
  sql: Sql,
  group: string,
  at: number,
  actor: string,
  action: GroupEvent['action'],
  detail: string,
): Promise<void> {
  await sql.run(
    `INSERT INTO mismatch_events (group_id, at, actor, action, from_status, to_status, detail)
     SELECT id, $2, $3, $4, status, status, $5 FROM mismatch_groups WHERE id = $1`,
    [group, new Date(at).toISOString(), actor, action, detail],
  );
}
