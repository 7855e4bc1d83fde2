/** What the guard judged and did, read when somebody asks. */
import type { Verdict } from '../guard/condition.ts';
import type { GuardView } from '../guard/guard-figures.ts';
import { counter, type Family, gauge, type Sample } from './families.ts';
import { COHORTS_MAX } from './state-metrics.ts';

const VERDICTS: readonly Verdict[] = ['healthy', 'uncertain', 'no-data', 'tripped'];

/** The families that only the process with the guard fills in. */
export const ENGINE_FAMILIES: ReadonlySet<string> = new Set([
  'turnout_rollbacks_total',
  'turnout_guard_trips_total',
  'turnout_guard_verdict',
  'turnout_guard_held',
  'turnout_guard_blind_ticks_total',
  'turnout_guard_hooks_total',
  'turnout_ramp_step',
]);

/** @param guard `undefined` in a process without one: the families are listed then too, without samples */
export function guardEngineFamilies(guard: GuardView | undefined): Family[] {
  const figures = guard?.figures();
  const trips = figures?.trips ?? [];
  const verdicts = [...(figures?.judged ?? [])].slice(0, COHORTS_MAX).flatMap(([cohort, judgements]) =>
    judgements.flatMap(({ condition: { name }, verdict }): Sample[] =>
      VERDICTS.map((each) => ({
        labels: { cohort, condition: name, verdict: each },
        value: each === verdict ? 1 : 0,
      })),
    ),
  );
  const hooks =
    figures === undefined
      ? []
      : [
          { labels: { outcome: 'told' }, value: figures.notices.told },
          { labels: { outcome: 'failed' }, value: figures.notices.failed },
          { labels: { outcome: 'gave_up' }, value: figures.notices.gaveUp },
        ];
  return [
    counter(
      'turnout_rollbacks_total',
      'Cohorts that the guard took back.',
      trips
        .filter(({ action }) => action === 'rollback')
        .map(({ cohort, condition, count }) => ({ labels: { cohort, condition }, value: count })),
    ),
    counter(
      'turnout_guard_trips_total',
      'Conditions that tripped, by what was done about it.',
      trips.map(({ cohort, condition, action, count }) => ({
        labels: { cohort, condition, action },
        value: count,
      })),
    ),
    gauge('turnout_guard_verdict', '1 for the verdict on a condition as of the last tick.', 'max', verdicts),
    gauge(
      'turnout_guard_held',
      '1 for a cohort that goes nowhere until a person clears its trip.',
      'max',
      (figures?.held ?? []).map((cohort) => ({ labels: { cohort }, value: 1 })),
    ),
    counter(
      'turnout_guard_blind_ticks_total',
      'Ticks in which the guard could not read what the gateways count.',
      figures === undefined ? [] : [{ labels: {}, value: figures.blindTicks }],
    ),
    counter('turnout_guard_hooks_total', 'Hooks that were told something, by what came of it.', hooks),
    gauge(
      'turnout_ramp_step',
      'Steps of the ramp under way that are in force.',
      'max',
      (figures?.ramps ?? []).map(({ cohort, step }) => ({ labels: { cohort }, value: step + 1 })),
    ),
  ];
}
