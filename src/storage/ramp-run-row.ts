import type { RampRow } from '../guard/guard-store.ts';
import type { RampStatus } from '../guard/ramp-plan.ts';
import { flag, integer, integerOrNone, moment, momentOrNone, text, textOrNone } from './columns.ts';
import { parsePlan, parseRamp } from './guard-json.ts';
import { stageOf } from './guard-trip-row.ts';
import type { Row } from './sql.ts';

/** The columns that `rampRow` reads, of `ramp_runs r`. */
export const RAMP_COLUMNS = `r.id, r.cohort, r.plan, r.stage, r.from_ramp, r.status, r.step, r.step_at, r.baked_ms,
  r.compared, r.mismatched, r.counted_to, r.attempt, r.approved, r.note, r.actor, r.reason, r.started_at, r.goes_since,
  r.ended_at, r.version`;

const STATUSES: readonly RampStatus[] = [
  'baking',
  'gated',
  'waiting',
  'stepping',
  'paused',
  'done',
  'aborted',
];

export function rampStatusOf(row: Row, column: string): RampStatus {
  const name = text(row, column);
  const status = STATUSES.find((each) => each === name);
  if (status === undefined) throw new TypeError(`${column} is ${name}`);
  return status;
}

export function rampRow(row: Row): RampRow {
  return {
    id: text(row, 'id'),
    cohort: text(row, 'cohort'),
    plan: parsePlan(row['plan']),
    stage: stageOf(row, 'stage'),
    from: parseRamp(row['from_ramp']),
    status: rampStatusOf(row, 'status'),
    step: integer(row, 'step'),
    stepAt: momentOrNone(row, 'step_at'),
    bakedMs: integer(row, 'baked_ms'),
    compared: integer(row, 'compared'),
    mismatched: integer(row, 'mismatched'),
    countedTo: integerOrNone(row, 'counted_to'),
    attempt: integer(row, 'attempt'),
    approved: flag(row, 'approved'),
    note: textOrNone(row, 'note'),
    actor: text(row, 'actor'),
    reason: text(row, 'reason'),
    startedAt: moment(row, 'started_at'),
    goesSince: moment(row, 'goes_since'),
    endedAt: momentOrNone(row, 'ended_at'),
    version: integer(row, 'version'),
  };
}
