import type { GroupAction, GroupRow, GroupStatus } from '../reports/report-store.ts';
import { textOrNone } from './columns.ts';
import { readMismatchGroup } from './list-mismatch-groups.ts';
import { statusOf } from './mismatch-group-row.ts';
import type { SqlStore } from './sql.ts';

interface Change {
  readonly status: GroupStatus;
  readonly ignoredUntil: number | undefined;
  readonly owner: string | undefined;
  readonly detail: string | undefined;
}

/** @returns the group as it is then; `undefined` if there is none */
export function changeMismatchGroup(
  store: SqlStore,
  id: string,
  at: number,
  actor: string,
  action: GroupAction,
): Promise<GroupRow | undefined> {
  return store.transaction(async (sql) => {
    const now = new Date(at).toISOString();
    const [row] = await sql.run(
      `SELECT CASE WHEN ignored_until <= $2::timestamptz THEN 'open' ELSE status END AS status, owner,
         ignored_until::text AS ignored_until
       FROM mismatch_groups WHERE id = $1 FOR UPDATE`,
      [id, now],
    );
    if (row === undefined) return undefined;
    const before = statusOf(row, 'status');
    const ignoredUntil = before === 'ignored' ? textOrNone(row, 'ignored_until') : undefined;
    const change = changeOf(action, before, textOrNone(row, 'owner'));
    const until =
      change.ignoredUntil === undefined ? ignoredUntil : new Date(change.ignoredUntil).toISOString();
    await sql.run(
      `UPDATE mismatch_groups SET status = $2::text,
         status_since = CASE WHEN $2 = $6::text THEN status_since ELSE $7::timestamptz END,
         ignored_until = $3::timestamptz, owner = $4::text, note = coalesce($5::text, note)
       WHERE id = $1`,
      [
        id,
        change.status,
        change.status === 'ignored' ? (until ?? now) : null,
        change.owner ?? null,
        action.note ?? null,
        before,
        now,
      ],
    );
    await sql.run(
      `INSERT INTO mismatch_events (group_id, at, actor, action, from_status, to_status, detail)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [id, now, actor, action.action, before, change.status, detailOf(change, action) ?? null],
    );
    return readMismatchGroup(sql, at, id);
  });
}

function changeOf(action: GroupAction, status: GroupStatus, owner: string | undefined): Change {
  const same = { status, ignoredUntil: undefined, owner, detail: undefined };
  switch (action.action) {
    case 'acknowledge':
      return { ...same, status: 'acknowledged', owner: action.owner ?? owner, detail: ownedBy(action.owner) };
    case 'assign':
      return { ...same, owner: action.owner, detail: ownedBy(action.owner) ?? 'nobody owns it' };
    case 'ignore':
      return {
        ...same,
        status: 'ignored',
        ignoredUntil: action.until,
        detail: `until ${new Date(action.until).toISOString()}`,
      };
    case 'resolve':
      return { ...same, status: 'resolved' };
    case 'reopen':
      return { ...same, status: 'open' };
    default:
      return action satisfies never;
  }
}

function ownedBy(owner: string | undefined): string | undefined {
  return owner === undefined ? undefined : `${owner} owns it`;
}

function detailOf({ detail }: Change, { note }: GroupAction): string | undefined {
  if (detail === undefined) return note;
  return note === undefined ? detail : `${detail}: ${note}`;
}
