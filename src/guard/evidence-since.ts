/** From which second on the counts of a cohort say something of it as it is now. */
import type { WatchedCohort } from './guard-store.ts';
import type { Slot } from './slot.ts';

/** A job takes members out batch after batch. Would each one forget the counts, the guard would be blind meanwhile. */
const LEAVING_S = 600;

interface Since {
  readonly since: string;
  readonly second: number;
  readonly leftSecond: number;
}

export class EvidenceSince {
  readonly #cohorts = new Map<string, Since>();

  /**
   * @param cohorts as the record has them now. How long ago a change came into force is elapsed time of the record's clock,
   *   so that every host, and one that was started just now, comes to the same second
   */
  update(cohorts: readonly WatchedCohort[], nowSecond: number): void {
    const names = new Set(cohorts.map(({ cohort }) => cohort.name));
    for (const name of this.#cohorts.keys()) if (!names.has(name)) this.#cohorts.delete(name);
    for (const watched of cohorts) this.#cohorts.set(watched.cohort.name, this.#next(watched, nowSecond));
  }

  #next({ cohort, since, sinceMs, leftMs }: WatchedCohort, nowSecond: number): Since {
    const known = this.#cohorts.get(cohort.name);
    // The second in which it happened has counts from before it.
    const second = sinceMs === undefined ? 0 : nowSecond - Math.floor(sinceMs / 1_000) + 1;
    const left = leftMs === undefined ? 0 : nowSecond - Math.floor(leftMs / 1_000) + 1;
    const leftSecond = left - (known?.leftSecond ?? 0) >= LEAVING_S ? left : (known?.leftSecond ?? 0);
    return { since, second: known?.since === since ? known.second : second, leftSecond };
  }

  /** Those that count. */
  of(cohort: string, slots: readonly Slot[]): readonly Slot[] {
    const since = this.#cohorts.get(cohort);
    if (since === undefined) return [];
    const first = Math.max(since.second, since.leftSecond);
    const at = slots.findIndex(({ second }) => second >= first);
    return at === -1 ? [] : slots.slice(at);
  }
}
