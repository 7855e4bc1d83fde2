import { type Change, isOver, isUserChange, type Phase } from '../cutover/change.ts';
import { ChangeLostError, type ChangePatch, type Stranding } from '../cutover/stores.ts';
import { CHANGE_COLUMNS, changeRow, patchColumns, patchValues } from './change-row.ts';
import { CLAIMS_DROPPED } from './claim.ts';
import { flag, integer, integerOrNone, text } from './columns.ts';
import { AFTER_MAP, hasEpoch, MAP, raised, raisedVersion } from './raise-epoch.ts';
import type { Row, Sql, SqlStore, SqlValue } from './sql.ts';
import { switchCohorts } from './switch-cohorts.ts';
import { CONFIRMED_MAX, confirmed, confirmUsers, type NextVersion, switchUsers } from './switch-users.ts';

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

/** What was sent for the attempt before fails when a change begins anew. */
const PHASE = `phase = $4, heartbeat = h.heartbeat + 1,
  token = CASE WHEN $4 = 'pending' THEN h.token + 1 ELSE h.token END,
  restarts = CASE WHEN $4 = 'pending' THEN h.restarts + 1 ELSE h.restarts END,
  ended_at = CASE WHEN $4 IN ('done', 'undone') THEN now() END`;

/** The switch epoch of the patch. */
const SWITCH_EPOCH = '$6::bigint';

interface Parts {
  /** What is done with the map's row, which is locked first then. */
  readonly map: 'untouched' | 'raised' | 'versioned';
  /** Every record that the change has written is in force; it moves only if those are few enough. */
  readonly confirms: boolean;
  readonly isOver: boolean;
}

/**
 * The statement that moves a change. Writes are held while most of these are under way, and each round trip may
 * cost a busy gateway a turn of its event loop, so everything that goes with a phase is in it.
 */
function statement({ map, confirms, isOver }: Parts): string {
  const locks = map !== 'untouched';
  const moved = `moved AS (
    UPDATE cohort_changes h SET ${PHASE}, ${patchColumns(5)}
    ${locks ? `FROM ${AFTER_MAP}` : ''}
    WHERE h.id = $1 AND h.token = $2 AND h.phase = $3 ${confirms ? `AND h.users <= ${CONFIRMED_MAX}` : ''}
    RETURNING ${CHANGE_COLUMNS}, h.cohort, h.version, h.others IS NOT NULL OR h.cohort_order IS NOT NULL AS more)`;
  const parts = [
    ...(locks ? [MAP] : []),
    moved,
    ...(map === 'raised' ? [raised(5)] : []),
    ...(map === 'versioned' ? [raisedVersion(5)] : []),
    ...(confirms ? [confirmed(SWITCH_EPOCH)] : []),
    ...(isOver ? [CLAIMS_DROPPED] : []),
  ];
  return `WITH ${parts.join(', ')} SELECT * FROM moved ${map === 'versioned' ? 'LEFT JOIN raised ON true' : ''}`;
}

/** @returns what became of users and marks; `undefined` when it changed nothing in the change's row */
async function writeSwitch(
  sql: Sql,
  change: Change,
  row: Row,
  stranding: Stranding,
): Promise<Row | undefined> {
  const { pinned, stranded } = stranding;
  if (!isUserChange(change)) await switchCohorts(sql, change.id, change.kind, flag(row, 'more'));
  if (change.users + pinned.length + stranded.length === 0) return undefined;
  if (row['map'] === null) throw new Error('the record has no state map');
  const next: NextVersion = { map: text(row, 'map'), version: integer(row, 'map_version') };
  const cohort = integerOrNone(row, 'cohort');
  const { users, dirty } = await switchUsers(sql, next, change, cohort, stranding);
  const [written] = await sql.run(
    `UPDATE cohort_changes h SET version = $2, users = $3, dirty = $4 WHERE h.id = $1 RETURNING ${CHANGE_COLUMNS}`,
    [change.id, next.version, users, dirty],
  );
  return written;
}

/** The point of no return: a transaction, with the definitions and records of the change in it. */
function switchOver(
  store: SqlStore,
  values: readonly SqlValue[],
  stranding: Stranding,
): Promise<Row | undefined> {
  return store.transaction(async (sql) => {
    const [row] = await sql.run(statement({ map: 'versioned', confirms: false, isOver: false }), values);
    if (row === undefined) return undefined;
    return (await writeSwitch(sql, changeRow(row), row, stranding)) ?? row;
  });
}

/** The move of a change that has written more records than one statement may confirm. */
function confirmMany(
  store: SqlStore,
  parts: Parts,
  values: readonly SqlValue[],
  epoch: number,
): Promise<Row | undefined> {
  return store.transaction(async (sql) => {
    const [row] = await sql.run(statement({ ...parts, confirms: false }), values);
    const version = row === undefined ? undefined : integerOrNone(row, 'version');
    if (version !== undefined) await confirmUsers(sql, version, epoch);
    return row;
  });
}

/**
 * Moves a change from one phase to the next, if it is in the one and `token` is current. Into `switching` the
 * new definitions and records are written by the same transaction; every other move is one statement, but that of a
 * change which has written over 5,000 records. Not repeatable: whoever does not know whether a call took effect
 * reads the change.
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
  const { switchEpoch } = patch;
  const values = [id, token, from, to, ...patchValues(patch)];
  let row: Row | undefined;
  // What is decided inside of a transaction is thrown outside: an error inside costs the connection.
  if (to === 'switching') row = await switchOver(store, values, stranding);
  else {
    const confirms = from === 'switching' && switchEpoch !== undefined;
    const parts: Parts = { map: hasEpoch(patch) ? 'raised' : 'untouched', confirms, isOver: isOver(to) };
    [row] = await store.run(statement(parts), values);
    if (row === undefined && confirms) row = await confirmMany(store, parts, values, switchEpoch);
  }
  if (row === undefined) throw new ChangeLostError(id);
  return changeRow(row);
}
