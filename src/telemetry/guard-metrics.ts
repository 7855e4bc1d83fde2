/** What is counted for the guard, read when somebody asks. */
import type { CohortTotals } from '../guard/attempt-counter.ts';
import { FAILURE_KINDS } from '../guard/slot.ts';
import { counter, type Family, type Sample } from './families.ts';
import { COHORTS_MAX } from './state-metrics.ts';

export interface CountsView {
  /** As of the last tick, the cohorts in the order in which they were first counted. */
  totals(): readonly CohortTotals[];
  /** Reports that were told. */
  readonly published: number;
  /** Ticks whose counts nobody was told. */
  readonly dropped: number;
}

/** @param counts `undefined` until they are there: the families are listed then too, without samples */
export function guardFamilies(counts: CountsView | undefined): Family[] {
  const totals = counts?.totals().slice(0, 2 * COHORTS_MAX) ?? [];
  const each = (value: (of: CohortTotals) => number): Sample[] =>
    totals.map((of) => ({ labels: { cohort: of.cohort, backend: of.backend }, value: value(of) }));
  const kinds = totals.flatMap(({ cohort, backend, kinds }) =>
    FAILURE_KINDS.map((kind) => ({ labels: { cohort, backend, kind }, value: kinds[kind] })),
  );
  const reports =
    counts === undefined
      ? []
      : [
          { labels: { outcome: 'published' }, value: counts.published },
          { labels: { outcome: 'dropped' }, value: counts.dropped },
        ];
  return [
    counter(
      'turnout_guard_attempts_total',
      'Requests sent to a backend, each sending one, whose answer began or that were given up.',
      each(({ requests }) => requests),
    ),
    counter('turnout_guard_failures_total', 'Of these: failed, by kind.', kinds),
    counter(
      'turnout_guard_stalled_total',
      'Requests sent to a backend that had no answer after guard.meanLatencyMs.',
      each(({ stalled }) => stalled),
    ),
    counter('turnout_guard_reports_total', 'Reports of these counts, by what became of them.', reports),
  ];
}
