import type { Change } from '../cutover/change.ts';
import { ChangeConflictError, type NewChange } from '../cutover/stores.ts';
import { CHANGE_COLUMNS, CHANGE_TABLES, changeRow } from './change-row.ts';
import { cohortDefinition } from './cohort-json.ts';
import { text } from './columns.ts';
import { readChange } from './read-change.ts';
import type { Sql, SqlStore } from './sql.ts';

type Opened =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'conflict'; readonly openChange: string }
  | { readonly kind: 'no-cohort' };

async function changeOfKey(sql: Sql, key: string | undefined): Promise<Change | undefined> {
  if (key === undefined) return undefined;
  const [row] = await sql.run(`SELECT ${CHANGE_COLUMNS} FROM ${CHANGE_TABLES} WHERE h.idempotency_key = $1`, [
    key,
  ]);
  return row === undefined ? undefined : changeRow(row);
}

async function insert(sql: Sql, change: NewChange): Promise<boolean> {
  const rows = await sql.run(
    `INSERT INTO cohort_changes
       (id, kind, cohort, before, after, moves_truth, needs_every_gateway, phase, actor, reason, idempotency_key)
     SELECT $1, $2, number, definition, $4::jsonb, $5, $6, 'pending', $7, $8, $9
     FROM cohorts WHERE name = $3 AND deleted_at IS NULL
     ON CONFLICT DO NOTHING
     RETURNING id`,
    [
      change.id,
      change.kind,
      change.cohort,
      cohortDefinition(change.after),
      change.movesTruth,
      change.needsEveryGateway,
      change.actor,
      change.reason,
      change.idempotencyKey ?? null,
    ],
  );
  return rows.length > 0;
}

/** One attempt, and one more to read whoever was faster with the same idempotency key. */
const TRIES_MAX = 2;

async function open(sql: Sql, change: NewChange): Promise<Opened> {
  const { cohort, idempotencyKey } = change;
  // The cohort's row stays locked, so what is written as `before` is what the next switch finds. No stronger
  // than that: users who are being placed in the cohort refer to the row.
  const [locked] = await sql.run(
    'SELECT number FROM cohorts WHERE name = $1 AND deleted_at IS NULL FOR NO KEY UPDATE',
    [cohort],
  );
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    // Before anything else: the first one's cohort may have been deleted since.
    const known = await changeOfKey(sql, idempotencyKey);
    if (known !== undefined) return { kind: 'change', change: known };
    if (locked === undefined) return { kind: 'no-cohort' };
    // Asked, not found out by inserting: that would wait for whoever moves the other change on, who may be
    // waiting for the cohort's row.
    const [other] = await sql.run(
      `SELECT h.id FROM ${CHANGE_TABLES} WHERE c.name = $1 AND c.deleted_at IS NULL AND h.ended_at IS NULL`,
      [cohort],
    );
    if (other !== undefined) return { kind: 'conflict', openChange: text(other, 'id') };
    // Nobody else can open one of this cohort now; another cohort's may have taken the idempotency key.
    if (!(await insert(sql, change))) continue;
    const opened = await readChange(sql, change.id);
    if (opened !== undefined) return { kind: 'change', change: opened };
  }
  throw new Error(`a change of cohort ${cohort} could not be opened: try again`);
}

/**
 * Begins a change in phase `pending` with token 1, or returns the one that was begun with its idempotency key.
 * @throws ChangeConflictError when another change of the cohort is open; `Error` when there is no such cohort
 */
export async function openChange(store: SqlStore, change: NewChange): Promise<Change> {
  if (change.after.name !== change.cohort)
    throw new RangeError(`a change of cohort ${change.cohort} cannot make it ${change.after.name}`);
  // What is decided inside is thrown outside: an error inside costs the connection.
  const opened = await store.transaction((sql) => open(sql, change));
  switch (opened.kind) {
    case 'change':
      return opened.change;
    case 'conflict':
      throw new ChangeConflictError(opened.openChange);
    case 'no-cohort':
      throw new Error(`there is no cohort ${change.cohort}`);
    default: {
      const unknown: never = opened;
      throw new Error(`unknown outcome ${JSON.stringify(unknown)}`);
    }
  }
}
