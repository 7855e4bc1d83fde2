/** Shadow reads by what came of them. Off the data path: they are counted when the user has the answer. */
import { counter, type Family } from './families.ts';

/** Combinations of route and cohort; beyond, both are `other`. */
const CELLS_MAX = 1_000;
const NONE = 'none';
const OTHER = 'other';

interface Cell {
  readonly route: string;
  readonly cohort: string;
  /** From a fixed list, and the reads that were repeated for noise. */
  readonly verdicts: Map<string, number>;
}

export class ShadowCounts {
  readonly #cells = new Map<string, Map<string, Cell>>();
  readonly #all: Cell[] = [];
  /** Reasons come from a fixed list. */
  readonly #skipped = new Map<string, number>();

  read(route: string, cohort: string | undefined, verdict: string): void {
    const { verdicts } = this.#cell(route, cohort ?? NONE);
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }

  skipped(reason: string): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
  }

  #cell(route: string, cohort: string): Cell {
    const known = this.#cells.get(route)?.get(cohort);
    if (known !== undefined) return known;
    const isFull = this.#all.length >= CELLS_MAX && route !== OTHER;
    if (isFull) return this.#cell(OTHER, OTHER);
    const cell = { route, cohort, verdicts: new Map<string, number>() };
    const ofRoute = this.#cells.get(route) ?? new Map<string, Cell>();
    this.#cells.set(route, ofRoute.set(cohort, cell));
    this.#all.push(cell);
    return cell;
  }

  families(): Family[] {
    return [
      counter(
        'turnout_shadow_reads_total',
        'Reads that were repeated and compared, by verdict.',
        this.#all.flatMap(({ route, cohort, verdicts }) =>
          [...verdicts].map(([verdict, value]) => ({ labels: { route, cohort, verdict }, value })),
        ),
      ),
      counter(
        'turnout_shadow_skipped_total',
        'Shadow reads that were due and did not take place.',
        [...this.#skipped].map(([reason, value]) => ({ labels: { reason }, value })),
      ),
    ];
  }
}
