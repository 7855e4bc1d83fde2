import { GUARD_ACTIONS, type GuardAction } from '../guard/condition.ts';
import type { TripRow } from '../guard/guard-store.ts';
import { STAGES, type Stage } from '../model.ts';
import { integer, moment, momentOrNone, text, textOrNone } from './columns.ts';
import { parseCondition, parseFigures } from './guard-json.ts';
import type { Row } from './sql.ts';

/** The columns that `tripRow` reads, of `guard_trips g`. */
export const TRIP_COLUMNS = `g.id, g.cohort, g.condition, g.action, g.path, g.figures, g.stage, g.first_bad_at,
  g.tripped_at, g.attempt, g.change, g.in_force_at, g.note, g.cleared_at, g.cleared_by, g.notified_at`;

export function stageOf(row: Row, column: string): Stage {
  const name = text(row, column);
  const stage = STAGES.find((each) => each === name);
  if (stage === undefined) throw new TypeError(`${column} is ${name}`);
  return stage;
}

function actionOf(row: Row): GuardAction {
  const name = text(row, 'action');
  const action = GUARD_ACTIONS.find((each) => each === name);
  if (action === undefined) throw new TypeError(`guard_trips.action is ${name}`);
  return action;
}

export function tripRow(row: Row): TripRow {
  return {
    id: text(row, 'id'),
    cohort: text(row, 'cohort'),
    condition: parseCondition(row['condition']),
    action: actionOf(row),
    path: text(row, 'path') === 'windows' ? 'windows' : 'overwhelming',
    figures: parseFigures(row['figures']),
    stage: stageOf(row, 'stage'),
    firstBadAt: momentOrNone(row, 'first_bad_at'),
    trippedAt: moment(row, 'tripped_at'),
    attempt: integer(row, 'attempt'),
    change: textOrNone(row, 'change'),
    inForceAt: momentOrNone(row, 'in_force_at'),
    note: textOrNone(row, 'note'),
    clearedAt: momentOrNone(row, 'cleared_at'),
    clearedBy: textOrNone(row, 'cleared_by'),
    notifiedAt: momentOrNone(row, 'notified_at'),
  };
}
