/** What the state map knows, read when somebody asks. */
import { STAGES } from '../model.ts';
import type { MarkStatus, StateMap } from '../state/state-map.ts';
import { counter, type Family, gauge, type Sample } from './families.ts';

export type StateView = Pick<StateMap, 'snapshot' | 'status'>;

/** Cohorts beyond this number, in the order of their rules, have no stage in the metrics. */
export const COHORTS_MAX = 500;

function stageSamples(state: StateView | undefined): Sample[] {
  const cohorts = state?.snapshot.cohorts ?? [];
  return cohorts
    .slice(0, COHORTS_MAX)
    .flatMap(({ name, stage }) =>
      STAGES.map((each) => ({ labels: { cohort: name, stage: each }, value: each === stage ? 1 : 0 })),
    );
}

/** Of the map that keeps marks: what they cost. */
function markFamilies(marks: MarkStatus | undefined): Family[] {
  const one = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ labels: {}, value }]);
  return [
    counter(
      'turnout_write_marks_total',
      'Users marked because they wrote to new for the first time in an era.',
      marks === undefined
        ? []
        : [
            { labels: { store: 'map' }, value: marks.inMap },
            { labels: { store: 'record' }, value: marks.inRecord },
          ],
    ),
    counter(
      'turnout_write_marks_failed_total',
      'Writes to new that were refused because no store could mark them.',
      one(marks?.failed),
    ),
    gauge(
      'turnout_write_marks_waiting',
      'Marks that the record does not have yet.',
      'sum',
      one(marks?.waiting),
    ),
    gauge(
      'turnout_write_marks_remembered',
      'Users that a worker knows to be marked.',
      'sum',
      one(marks?.remembered),
    ),
  ];
}

/** @param state `undefined` until the map is there: the families are listed then too, without samples. */
export function stateFamilies(state: StateView | undefined): Family[] {
  const status = state?.status();
  const one = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ labels: {}, value }]);
  const detached = status === undefined ? undefined : Number(status.attachment !== 'attached');
  return [
    gauge('turnout_epoch', 'The latest change of the state map that was applied.', 'min', one(status?.epoch)),
    gauge('turnout_detached', '1 while the state map does not answer.', 'max', one(detached)),
    gauge('turnout_cohort_stage', '1 for the stage that a cohort has.', 'max', stageSamples(state)),
    counter(
      'turnout_user_cache_hits_total',
      'User records found in the cache of the worker.',
      one(status?.cacheHits),
    ),
    counter(
      'turnout_user_cache_misses_total',
      'User records read from the state map.',
      one(status?.cacheMisses),
    ),
    ...markFamilies(status?.marks),
  ];
}
