import { type Change, isOver, isUserChange, type Phase } from '../cutover/change.ts';
import { ChangeLostError, type ChangePatch, type Stranding } from '../cutover/stores.ts';
import { patchColumns } from './change-row.ts';
import { dropClaims } from './claim.ts';
import { flag, integer, integerOrNone, text } from './columns.ts';
import { raiseEpoch } from './raise-epoch.ts';
import { readChange } from './read-change.ts';
import type { Row, Sql, SqlStore } from './sql.ts';
import { switchCohorts } from './switch-cohorts.ts';
import { confirmUsers, type NextVersion, switchUsers } from './switch-users.ts';

/** Which phases may follow which. */
const NEXT: Readonly<Record<Phase, readonly Phase[]>> = {
  pending: ['holding', 'switching', 'undoing', 'undone'],
  holding: ['switching', 'undoing'],
  switching: ['releasing', 'done'],
  releasing: ['done'],
  done: [],
  undoing: ['undone', 'pending'],
  undone: [],
};

const NOBODY: Stranding = { pinned: [], leftOut: [], stranded: [] };

/** The map's row is locked before any other, everywhere. */
async function nextVersion(sql: Sql): Promise<NextVersion | undefined> {
  const [row] = await sql.run(
    'UPDATE state_map SET version = version + 1 WHERE retired_at IS NULL RETURNING id, version',
  );
  return row && { map: text(row, 'id'), version: integer(row, 'version') };
}

/** Each statement takes a moment in which writes wait, so that what has nothing to do is not sent. */
async function writeSwitch(
  sql: Sql,
  change: Change,
  row: Row,
  next: NextVersion | undefined,
  stranding: Stranding,
): Promise<void> {
  const { pinned, stranded } = stranding;
  if (!isUserChange(change)) await switchCohorts(sql, change.id, change.kind, flag(row, 'more'));
  if (change.users + pinned.length + stranded.length === 0) return;
  if (next === undefined) throw new Error('the record has no state map');
  const cohort = integerOrNone(row, 'cohort');
  const { users, dirty } = await switchUsers(sql, next, change, cohort, stranding);
  await sql.run('UPDATE cohort_changes SET version = $2, users = $3, dirty = $4 WHERE id = $1', [
    change.id,
    next.version,
    users,
    dirty,
  ]);
}

/** What was sent for the attempt before fails when a change begins anew. */
const PHASE = `phase = $4, heartbeat = h.heartbeat + 1,
  token = CASE WHEN $4 = 'pending' THEN h.token + 1 ELSE h.token END,
  restarts = CASE WHEN $4 = 'pending' THEN h.restarts + 1 ELSE h.restarts END,
  ended_at = CASE WHEN $4 IN ('done', 'undone') THEN now() END`;

async function move(
  sql: Sql,
  id: string,
  token: number,
  from: Phase,
  to: Phase,
  patch: ChangePatch,
): Promise<Row | undefined> {
  const [row] = await sql.run(
    `UPDATE cohort_changes h SET ${PHASE}, ${patchColumns(5)}
     WHERE h.id = $1 AND h.token = $2 AND h.phase = $3
     RETURNING h.cohort, h.version, h.others IS NOT NULL OR h.cohort_order IS NOT NULL AS more`,
    [
      id,
      token,
      from,
      to,
      patch.holdEpoch ?? null,
      patch.switchEpoch ?? null,
      patch.releaseEpoch ?? null,
      patch.note ?? null,
    ],
  );
  return row;
}

/**
 * Moves a change from one phase to the next, if it is in the one and `token` is current. Into `switching` the
 * new definitions and records are written by the same transaction. Not repeatable: whoever does not know whether a
 * call took effect reads the change.
 * @throws ChangeLostError; RangeError for phases that do not follow each other
 */
export async function moveChange(
  store: SqlStore,
  id: string,
  token: number,
  from: Phase,
  to: Phase,
  patch: ChangePatch = {},
  stranding: Stranding = NOBODY,
): Promise<Change> {
  if (!NEXT[from].includes(to)) throw new RangeError(`a change does not go from ${from} to ${to}`);
  // What is decided inside is thrown outside: an error inside costs the connection.
  const moved = await store.transaction(async (sql) => {
    const next = to === 'switching' ? await nextVersion(sql) : undefined;
    await raiseEpoch(sql, patch);
    const row = await move(sql, id, token, from, to, patch);
    if (row === undefined) return undefined;
    if (to === 'switching') {
      const change = await readChange(sql, id);
      if (change !== undefined) await writeSwitch(sql, change, row, next, stranding);
    }
    const version = integerOrNone(row, 'version');
    if (from === 'switching' && version !== undefined && patch.switchEpoch !== undefined)
      await confirmUsers(sql, version, patch.switchEpoch);
    if (isOver(to)) await dropClaims(sql, id);
    return readChange(sql, id);
  });
  if (moved === undefined) throw new ChangeLostError(id);
  return moved;
}
