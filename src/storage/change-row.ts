import { CHANGE_KINDS, type Change, type ChangeKind, type Phase } from '../cutover/change.ts';
import type { DirtyPolicy } from '../cutover/control.ts';
import type { ChangePatch } from '../cutover/stores.ts';
import type { Backend, Cohort } from '../model.ts';
import { parseCohort } from './cohort-json.ts';
import { flag, integer, integerOrNone, moment, momentOrNone, text, textOrNone, utf8 } from './columns.ts';
import type { Row, SqlValue } from './sql.ts';

/** The columns that `changeRow` reads, of `cohort_changes h`. */
export const CHANGE_COLUMNS = `h.id, h.kind, h.cohort_name, h.before, h.after, h.user_key, h.pin, h.users, h.job,
  h.dirty_policy, h.dirty, h.restarts, h.moves_truth, h.needs_every_gateway, h.phase, h.actor, h.reason,
  h.idempotency_key, h.token, h.heartbeat, h.hold_epoch, h.switch_epoch, h.release_epoch, h.note, h.created_at,
  h.ended_at`;

/** Adds what is given of a patch to a row of `cohort_changes h`; four parameters from `$first`. */
export function patchColumns(first: number): string {
  return `hold_epoch = coalesce($${first}::bigint, h.hold_epoch),
    switch_epoch = coalesce($${first + 1}::bigint, h.switch_epoch),
    release_epoch = coalesce($${first + 2}::bigint, h.release_epoch),
    note = coalesce($${first + 3}::text, h.note)`;
}

/** The four parameters. */
export function patchValues({
  holdEpoch,
  switchEpoch,
  releaseEpoch,
  note,
}: ChangePatch): readonly SqlValue[] {
  return [holdEpoch ?? null, switchEpoch ?? null, releaseEpoch ?? null, note ?? null];
}

function kindOf(row: Row): ChangeKind {
  const kind = text(row, 'kind');
  const known = CHANGE_KINDS.find((each) => each === kind);
  if (known === undefined) throw new TypeError(`cohort_changes.kind is ${kind}`);
  return known;
}

function policyOf(row: Row): DirtyPolicy {
  const policy = text(row, 'dirty_policy');
  if (policy === 'drain' || policy === 'keep' || policy === 'force') return policy;
  throw new TypeError(`cohort_changes.dirty_policy is ${policy}`);
}

function pinOf(row: Row): Backend | undefined {
  const pin = textOrNone(row, 'pin');
  if (pin === undefined || pin === 'legacy' || pin === 'new') return pin;
  throw new TypeError(`cohort_changes.pin is ${pin}`);
}

function phaseOf(row: Row): Phase {
  const phase = text(row, 'phase');
  switch (phase) {
    case 'pending':
    case 'holding':
    case 'switching':
    case 'releasing':
    case 'done':
    case 'undoing':
    case 'undone':
      return phase;
    default:
      throw new TypeError(`cohort_changes.phase is ${phase}`);
  }
}

function definitionOf(row: Row, column: string, cohort: string | undefined): Cohort | undefined {
  return cohort === undefined || row[column] === null ? undefined : parseCohort(cohort, row[column]);
}

export function changeRow(row: Row): Change {
  const cohort = textOrNone(row, 'cohort_name');
  return {
    id: text(row, 'id'),
    kind: kindOf(row),
    cohort,
    before: definitionOf(row, 'before', cohort),
    after: definitionOf(row, 'after', cohort),
    user: row['user_key'] === null ? undefined : utf8(row, 'user_key'),
    pin: pinOf(row),
    users: integer(row, 'users'),
    job: textOrNone(row, 'job'),
    dirtyUsers: policyOf(row),
    dirty: integer(row, 'dirty'),
    restarts: integer(row, 'restarts'),
    movesTruth: flag(row, 'moves_truth'),
    needsEveryGateway: flag(row, 'needs_every_gateway'),
    phase: phaseOf(row),
    actor: text(row, 'actor'),
    reason: text(row, 'reason'),
    idempotencyKey: textOrNone(row, 'idempotency_key'),
    token: integer(row, 'token'),
    heartbeat: integer(row, 'heartbeat'),
    holdEpoch: integerOrNone(row, 'hold_epoch'),
    switchEpoch: integerOrNone(row, 'switch_epoch'),
    releaseEpoch: integerOrNone(row, 'release_epoch'),
    note: textOrNone(row, 'note'),
    createdAt: moment(row, 'created_at'),
    endedAt: momentOrNone(row, 'ended_at'),
  };
}
