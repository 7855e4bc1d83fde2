import { type Change, isUserChange } from '../cutover/change.ts';
import { ChangeConflictError, type NewChange, OutdatedError } from '../cutover/stores.ts';
import { claimUsers, noteClaims, rivalOf } from './claim.ts';
import { cohortDefinition, parseCohort } from './cohort-json.ts';
import { integer } from './columns.ts';
import { changeOfKey, readChange } from './read-change.ts';
import type { Row, Sql, SqlStore } from './sql.ts';
import { userKey } from './user-row.ts';

type Opened =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'refused'; readonly why: Error };

async function insert(sql: Sql, change: NewChange, before: string | null, number: number | null) {
  const { after, others, order, user, claims } = change;
  const rows = await sql.run(
    `INSERT INTO cohort_changes
       (id, kind, cohort, cohort_name, before, after, others, cohort_order, user_key, pin, users, job, dirty_policy,
        moves_truth, needs_every_gateway, phase, actor, reason, idempotency_key)
     VALUES ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7::jsonb, $8::jsonb, $9, $10, $11, $12, $13, $14, $15,
       'pending', $16, $17, $18)
     ON CONFLICT DO NOTHING
     RETURNING id`,
    [
      change.id,
      change.kind,
      number,
      change.cohort ?? null,
      before,
      after === undefined ? null : cohortDefinition(after),
      others === undefined || others.length === 0
        ? null
        : JSON.stringify(others.map((each) => ({ name: each.name, definition: cohortDefinition(each) }))),
      order === undefined ? null : JSON.stringify(order),
      user === undefined ? null : userKey(user),
      change.pin ?? null,
      claims.users.length,
      change.job ?? null,
      change.dirtyUsers,
      change.movesTruth,
      change.needsEveryGateway,
      change.actor,
      change.reason,
      change.idempotencyKey ?? null,
    ],
  );
  return rows.length > 0;
}

/**
 * Locks the rows of the cohorts that it claims, in the order of their names: whoever claims one of them too waits here.
 * No stronger than that: users who are being placed in a cohort refer to its row.
 */
async function lockCohorts(sql: Sql, { claims }: NewChange): Promise<ReadonlyMap<string, Row>> {
  const mine = new Set([...claims.held, ...claims.own]);
  const names = [...new Set([...mine, ...claims.shared])].sort();
  const rows = new Map<string, Row>();
  for (const name of names) {
    const [row] = await sql.run(
      `SELECT number, definition FROM cohorts WHERE name = $1 AND deleted_at IS NULL
       FOR ${mine.has(name) ? 'NO KEY UPDATE' : 'SHARE'}`,
      [name],
    );
    if (row !== undefined) rows.set(name, row);
  }
  return rows;
}

/** Why what it was judged by is not so, or not any more. */
async function objection(
  sql: Sql,
  change: NewChange,
  locked: ReadonlyMap<string, Row>,
): Promise<Error | undefined> {
  const { cohort, kind, claims, judged } = change;
  const isNew = kind === 'cohort-create';
  const row = cohort === undefined ? undefined : locked.get(cohort);
  if (cohort !== undefined && (row === undefined) !== isNew)
    return new Error(isNew ? `there is a cohort ${cohort} already` : `there is no cohort ${cohort}`);
  for (const name of [...claims.held, ...claims.own, ...claims.shared]) {
    if (isNew && name === cohort) continue;
    const found = locked.get(name);
    const expected = judged.find((each) => each.name === name);
    if (found === undefined || expected === undefined) return new OutdatedError(name);
    if (cohortDefinition(parseCohort(name, found['definition'])) !== cohortDefinition(expected))
      return new OutdatedError(name);
  }
  if (kind !== 'cohort-delete' || row === undefined) return undefined;
  const members = await sql.run('SELECT 1 FROM users WHERE cohort = $1 LIMIT 1', [integer(row, 'number')]);
  return members.length > 0 ? new Error(`cohort ${cohort} has members`) : undefined;
}

/** One attempt, and one more to read whoever was faster with the same idempotency key. */
const TRIES_MAX = 2;

async function open(sql: Sql, change: NewChange): Promise<Opened> {
  const locked = await lockCohorts(sql, change);
  const row = change.cohort === undefined ? undefined : locked.get(change.cohort);
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    // Before anything else: the first one's cohort may have been deleted since.
    const { idempotencyKey } = change;
    const known = idempotencyKey === undefined ? undefined : await changeOfKey(sql, idempotencyKey);
    if (known !== undefined) return { kind: 'change', change: known };
    // Asked, not found out by inserting: that would wait for whoever moves the other change on, who may be
    // waiting for the cohort's row.
    const rival = await rivalOf(sql, change.claims);
    if (rival !== undefined)
      return { kind: 'refused', why: new ChangeConflictError(rival.change, rival.job) };
    const why = await objection(sql, change, locked);
    if (why !== undefined) return { kind: 'refused', why };
    const before =
      row === undefined || isUserChange(change)
        ? null
        : cohortDefinition(parseCohort(change.cohort ?? '', row['definition']));
    // Nobody else can open one of these cohorts now; another's may have taken the idempotency key.
    if (!(await insert(sql, change, before, row === undefined ? null : integer(row, 'number')))) continue;
    await noteClaims(sql, change);
    const taken = await claimUsers(sql, change);
    if (taken !== undefined)
      return { kind: 'refused', why: new ChangeConflictError(taken.change, taken.job) };
    const opened = await readChange(sql, change.id);
    if (opened !== undefined) return { kind: 'change', change: opened };
  }
  throw new Error('the change could not be opened: try again');
}

/**
 * Begins a change in phase `pending` with token 1, or returns the one that was begun with its idempotency key.
 * @throws ChangeConflictError, OutdatedError; `Error` when there is no such cohort, or one too many
 */
export async function openChange(store: SqlStore, change: NewChange): Promise<Change> {
  const { after, cohort } = change;
  if (after !== undefined && after.name !== cohort)
    throw new RangeError(`a change of cohort ${cohort} cannot make it ${after.name}`);
  // What is decided inside is thrown outside: an error inside costs the connection.
  const opened = await store.transaction((sql) => open(sql, change));
  switch (opened.kind) {
    case 'change':
      return opened.change;
    case 'refused':
      throw opened.why;
    default: {
      const unknown: never = opened;
      throw new Error(`unknown outcome ${JSON.stringify(unknown)}`);
    }
  }
}
