import type { Change } from '../cutover/change.ts';
import type { Stranding, UserSwitch } from '../cutover/stores.ts';
import { PINNED_SCOPE } from '../cutover/write-marks-store.ts';
import type { User } from '../model.ts';
import { addMarks } from './add-marks.ts';
import { integer, utf8 } from './columns.ts';
import { keyList, keysOf } from './key-list.ts';
import { parseRecord, recordJson } from './record-json.ts';
import type { Sql } from './sql.ts';
import { userKey } from './user-row.ts';

/** The current map and the next version. Its row stays locked, so nobody else writes users meanwhile. */
export interface NextVersion {
  readonly map: string;
  readonly version: number;
}

/** In one statement: each is short enough for the bound on statements, whatever the change has. */
const CHUNK = 5_000;

/** What becomes of the columns of `was`, a user's row as it is; all `undefined` where it stays. */
function edits({ kind }: Change): { pin?: string; member?: [string, string, string]; where: string } {
  switch (kind) {
    case 'pin':
    case 'unpin':
      return { pin: '$6::text', where: 'was.pin IS DISTINCT FROM $6::text' };
    case 'members-add':
      return {
        member: ['$5::integer', '$7::bigint + row_number() OVER (ORDER BY was.place) - 1', "'explicit'"],
        where: "was.cohort IS DISTINCT FROM $5::integer OR was.membership_by <> 'explicit'",
      };
    case 'members-remove':
      return { member: ['NULL::integer', 'NULL::bigint', 'NULL'], where: 'was.cohort = $5::integer' };
    case 'reassign':
      return {
        member: ['NULL::integer', 'NULL::bigint', 'NULL'],
        where: "was.cohort = $5::integer AND was.membership_by = 'rule'",
      };
    case 'stage':
    case 'rollback':
    case 'cohort-create':
    case 'cohort-edit':
    case 'cohort-delete':
      return { where: 'false' };
    default: {
      const unknown: never = kind;
      throw new Error(`unknown kind ${String(unknown)}`);
    }
  }
}

/**
 * The statement that writes one chunk, users and audit. $1 change, $2 version, $3 keys, $4 whether they are pinned to
 * `new` and nothing else, $5 cohort, $6 pin, $7 first ordinal, $8 map, $9 actor, $10 reason.
 */
function statement(change: Change): string {
  const { pin, member, where } = edits(change);
  const [cohort, ordinal, by] = member ?? ['was.cohort', 'was.ordinal', 'was.membership_by'];
  return `WITH was AS (
      SELECT k.key, k.place, u.state, u.pin, u.cohort, u.ordinal, u.membership_by, u.new_id,
        u.key IS NOT NULL AS known
      FROM ${keysOf('$3')} k LEFT JOIN users u ON u.key = k.key
    ), wanted AS (
      SELECT was.key, was.state, was.new_id,
        CASE WHEN was.known THEN ${recordJson('was', 'b.name')} END AS before,
        CASE WHEN $4 THEN 'new' ELSE ${pin ?? 'was.pin'} END AS pin,
        CASE WHEN $4 THEN was.cohort ELSE ${cohort} END AS cohort,
        CASE WHEN $4 THEN was.ordinal ELSE ${ordinal} END AS ordinal,
        CASE WHEN $4 THEN was.membership_by ELSE ${by} END AS membership_by
      FROM was LEFT JOIN cohorts b ON b.number = was.cohort
      WHERE CASE WHEN $4 THEN was.pin IS DISTINCT FROM 'new' ELSE ${where} END
        AND ($5::integer IS NULL OR $6::text IS NULL OR $7::bigint IS NULL OR true)
    ), put AS (
      INSERT INTO users (key, state, pin, cohort, ordinal, membership_by, new_id, version, epoch)
      SELECT key, state, pin, cohort, ordinal, membership_by, new_id, $2::bigint, NULL FROM wanted ORDER BY key
      ON CONFLICT (key) DO UPDATE SET
        pin = excluded.pin, cohort = excluded.cohort, ordinal = excluded.ordinal,
        membership_by = excluded.membership_by, version = excluded.version, epoch = NULL, changed_at = now()
    ), noted AS (
      INSERT INTO changes (map, version, actor, reason, kind, subject, before, after, change)
      SELECT $8, $2::bigint, $9, $10, 'user', w.key, w.before, ${recordJson('w', 'a.name')}, $1
      FROM wanted w LEFT JOIN cohorts a ON a.number = w.cohort
      RETURNING 1
    )
    SELECT count(*) AS written FROM noted`;
}

/** Takes as many ordinals of a cohort as there are users, for good. @returns the first */
async function takeOrdinals(sql: Sql, cohort: number, count: number): Promise<number> {
  const [row] = await sql.run(
    'UPDATE cohorts SET next_ordinal = next_ordinal + $2 WHERE number = $1 AND deleted_at IS NULL RETURNING next_ordinal',
    [cohort, count],
  );
  if (row === undefined) throw new Error('the cohort was deleted');
  return integer(row, 'next_ordinal') - count;
}

async function noteDirty(sql: Sql, id: string, users: readonly User[], stranded: boolean): Promise<void> {
  for (let at = 0; at < users.length; at += CHUNK) {
    await sql.run(
      `INSERT INTO change_dirty (change, key, stranded) SELECT $1, key, $3 FROM ${keysOf('$2')} k
       ON CONFLICT DO NOTHING`,
      [id, keyList(users.slice(at, at + CHUNK)), stranded],
    );
  }
}

/**
 * Of those who would be kept, the ones that the change still holds. A change of users may have moved one to another cohort,
 * or pinned it, since its writes were looked for: then that change has said where it is.
 */
async function stillHeld(sql: Sql, change: string, users: readonly User[]): Promise<readonly User[]> {
  const held: User[] = [];
  for (let at = 0; at < users.length; at += CHUNK) {
    const rows = await sql.run(
      `SELECT k.key FROM ${keysOf('$2')} k LEFT JOIN users u ON u.key = k.key
       WHERE u.pin IS NULL AND (u.cohort IS NULL OR u.cohort IN (
         SELECT c.number FROM change_cohorts h JOIN cohorts c ON c.name = h.cohort
         WHERE h.change = $1 AND h.claim = 'held'))
       ORDER BY k.place`,
      [change, keyList(users.slice(at, at + CHUNK))],
    );
    held.push(...rows.map((row) => utf8(row, 'key')));
  }
  return held;
}

/** Whoever is kept stays dirty from the moment of the pin on: somebody may take it away before the change is over. */
async function markKept(sql: Sql, users: readonly User[]): Promise<void> {
  const { era } = PINNED_SCOPE;
  for (let at = 0; at < users.length; at += CHUNK) {
    const kept = users.slice(at, at + CHUNK);
    await addMarks(
      sql,
      kept.map((user) => ({ user, cohort: undefined, era, unplaced: false })),
    );
  }
}

export interface Switched {
  /** Records that were replaced. */
  readonly users: number;
  /** Users whose writes are in `new` only. */
  readonly dirty: number;
}

/**
 * Writes the records that a change replaces, worked out from the rows as they are now, with an audit row each.
 * @param cohort the number of its cohort
 */
export async function switchUsers(
  sql: Sql,
  { map, version }: NextVersion,
  change: Change,
  cohort: number | undefined,
  { pinned, leftOut, stranded }: Stranding,
): Promise<Switched> {
  const { id, kind, actor, reason, pin } = change;
  const own =
    change.users === 0
      ? []
      : await sql.run(
          `SELECT u.key FROM change_users u WHERE u.change = $1
       AND NOT EXISTS (SELECT FROM ${keysOf('$2')} l WHERE l.key = u.key) ORDER BY u.place`,
          [id, keyList(leftOut)],
        );
  const users = own.map((row) => utf8(row, 'key'));
  const first =
    kind === 'members-add' && cohort !== undefined ? await takeOrdinals(sql, cohort, users.length) : null;
  const why = reason === '' ? `change ${id}` : `${reason} (change ${id})`;
  let written = 0;
  const write = async (chosen: readonly User[], onlyPin: boolean): Promise<void> => {
    for (let at = 0; at < chosen.length; at += CHUNK) {
      const keys = keyList(chosen.slice(at, at + CHUNK));
      const ordinal = first === null || onlyPin ? null : first + at;
      const values = [id, version, keys, onlyPin, cohort ?? null, pin ?? null, ordinal, map, actor, why];
      const [row] = await sql.run(statement(change), values);
      written += row === undefined ? 0 : integer(row, 'written');
    }
  };
  await write(users, false);
  const kept = pinned.length === 0 ? [] : await stillHeld(sql, id, pinned);
  await write(kept, true);
  await markKept(sql, kept);
  await noteDirty(sql, id, [...kept, ...leftOut], false);
  await noteDirty(sql, id, stranded, true);
  return { users: written, dirty: kept.length + leftOut.length + stranded.length };
}

/** The records that a change has written, in key order. */
export async function usersOf(
  sql: Sql,
  id: string,
  after: User | undefined,
  limit: number,
): Promise<readonly UserSwitch[]> {
  const rows = await sql.run(
    `SELECT subject, before, after, version FROM changes
     WHERE change = $1 AND subject > $2 ORDER BY subject LIMIT $3`,
    [id, after === undefined ? new Uint8Array() : userKey(after), limit],
  );
  return rows.map((row) => ({
    user: utf8(row, 'subject'),
    before: parseRecord(row['before'] ?? {}),
    after: parseRecord(row['after']),
    version: integer(row, 'version'),
  }));
}

/** Users whose writes a change found in `new` only, in key order. */
export async function dirtyOf(
  sql: Sql,
  id: string,
  after: User | undefined,
  limit: number,
): Promise<readonly User[]> {
  const rows = await sql.run(
    'SELECT key FROM change_dirty WHERE change = $1 AND key > $2 ORDER BY key LIMIT $3',
    [id, after === undefined ? new Uint8Array() : userKey(after), limit],
  );
  return rows.map((row) => utf8(row, 'key'));
}

/** How many records the statement that moves a change may confirm. */
export const CONFIRMED_MAX = CHUNK;

/**
 * Part of that statement: the records are in force since `epoch`. The version is asked of `moved` by itself: an index
 * finds what has it, where a join might read the whole table.
 */
export function confirmed(epoch: string): string {
  return `confirmed AS (
    UPDATE users SET epoch = ${epoch} WHERE version = (SELECT version FROM moved) AND epoch IS NULL)`;
}

/** Every record that the change has written is in force since `epoch`, however many those are. */
export async function confirmUsers(sql: Sql, version: number, epoch: number): Promise<void> {
  for (;;) {
    const confirmed = await sql.run(
      `UPDATE users SET epoch = $2 WHERE key IN
         (SELECT key FROM users WHERE version = $1 AND epoch IS NULL LIMIT ${CHUNK}) RETURNING 1`,
      [version, epoch],
    );
    if (confirmed.length < CHUNK) return;
  }
}
