/** Reads that failed at `new`, by whether `legacy` answered them. Off the way of those that do not fail. */
import type { FallbackOutcome } from '../guard/guard-control.ts';
import { counter, type Family } from './families.ts';

/** Cohorts that are counted apart; beyond, they are `other`. */
const COHORTS_MAX = 500;
const NONE = 'none';
const OTHER = 'other';

export class FallbackCounts {
  readonly #cohorts = new Map<string, Map<FallbackOutcome, number>>();

  add(cohort: string | undefined, outcome: FallbackOutcome): void {
    const outcomes = this.#outcomesOf(cohort ?? NONE);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  #outcomesOf(cohort: string): Map<FallbackOutcome, number> {
    const known = this.#cohorts.get(cohort);
    if (known !== undefined) return known;
    if (this.#cohorts.size >= COHORTS_MAX && cohort !== OTHER) return this.#outcomesOf(OTHER);
    const outcomes = new Map<FallbackOutcome, number>();
    this.#cohorts.set(cohort, outcomes);
    return outcomes;
  }

  families(): Family[] {
    return [
      counter(
        'turnout_fallback_reads_total',
        'Reads that failed at new, by whether legacy answered them.',
        [...this.#cohorts].flatMap(([cohort, outcomes]) =>
          [...outcomes].map(([outcome, value]) => ({ labels: { cohort, outcome }, value })),
        ),
      ),
    ];
  }
}
