import type { Change, ChangeKind, Phase } from '../cutover/change.ts';
import { parseCohort } from './cohort-json.ts';
import { flag, integer, integerOrNone, moment, momentOrNone, text, textOrNone } from './columns.ts';
import type { Row } from './sql.ts';

/** The columns that `changeRow` reads, from `CHANGE_TABLES`. */
export const CHANGE_COLUMNS = `h.id, h.kind, c.name AS cohort, h.before, h.after, h.moves_truth, h.needs_every_gateway,
  h.phase, h.actor, h.reason, h.idempotency_key, h.token, h.heartbeat, h.hold_epoch, h.switch_epoch,
  h.release_epoch, h.note, h.created_at, h.ended_at`;
export const CHANGE_TABLES = 'cohort_changes h JOIN cohorts c ON c.number = h.cohort';

/** Adds what is given of a patch to a row of `cohort_changes h`; four parameters from `$first`. */
export function patchColumns(first: number): string {
  return `hold_epoch = coalesce($${first}::bigint, h.hold_epoch),
    switch_epoch = coalesce($${first + 1}::bigint, h.switch_epoch),
    release_epoch = coalesce($${first + 2}::bigint, h.release_epoch),
    note = coalesce($${first + 3}::text, h.note)`;
}

function kindOf(row: Row): ChangeKind {
  const kind = text(row, 'kind');
  if (kind !== 'stage') throw new TypeError(`cohort_changes.kind is ${kind}`);
  return kind;
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

export function changeRow(row: Row): Change {
  const cohort = text(row, 'cohort');
  return {
    id: text(row, 'id'),
    kind: kindOf(row),
    cohort,
    before: parseCohort(cohort, row['before']),
    after: parseCohort(cohort, row['after']),
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
