/**
 * What all gateways counted, second by second, for whoever judges. Counts that come in late belong to the second in
 * which they come in: a second that is over seldom changes.
 *
 * Bounded: the last ten minutes are kept by the second. Where windows reach back further, an hour at most, what lies
 * before is kept as sums of ten seconds. One cohort at 200 requests a second from four gateways takes 15 MB for ten
 * minutes, and as much again for the rest of the hour; adding a tick up takes 60 µs.
 */
import type { Condition } from './condition.ts';
import type { Slot } from './slot.ts';
import type { StampedReport } from './slot-feed.ts';
import { SlotFold } from './slot-fold.ts';

/** By the second. */
const FINE_SECONDS = 600;
const COARSE_SLOT_SECONDS = 10;
/** Windows that reach back further have no requests there. */
export const REACH_SECONDS_MAX = 3_600;

/** How far back conditions look, seconds; `REACH_SECONDS_MAX` at most. */
export function reachOf(conditions: readonly Pick<Condition, 'windowMs' | 'windows'>[]): number {
  const reaches = conditions.map(({ windowMs, windows }) => Math.ceil(windowMs / 1_000) * windows.of);
  return Math.min(REACH_SECONDS_MAX, Math.max(0, ...reaches));
}

export class SlotWindows {
  readonly #fine = new SlotFold(1);
  readonly #coarse = new SlotFold(COARSE_SLOT_SECONDS);
  readonly #reachSeconds: () => number;
  readonly #now: () => number;
  /** When each gateway last reported, in seconds of the reports' clock. */
  readonly #gateways = new Map<string, number>();
  /** The latest moment of the reports' clock, and when that was by this process's. */
  #latest: { readonly atMs: number; readonly nowMs: number } | undefined;
  #nowSecond: number | undefined;

  /** @param reachSeconds how far back is looked, as of now @param now a monotonic clock, milliseconds */
  constructor(reachSeconds: () => number, now: () => number) {
    this.#reachSeconds = reachSeconds;
    this.#now = now;
  }

  /** Takes in what came since the last call, in order. To be called each tick, also with nothing: time goes on. */
  add(reports: readonly StampedReport[]): void {
    const isLong = this.#reachSeconds() > FINE_SECONDS;
    for (const report of reports) {
      this.#fine.add(report);
      if (isLong) this.#coarse.add(report);
      this.#gateways.set(report.gateway, Math.floor(report.atMs / 1_000));
    }
    const last = reports.at(-1);
    if (last !== undefined) this.#latest = { atMs: last.atMs, nowMs: this.#now() };
    if (this.#latest === undefined) return;
    const { atMs, nowMs } = this.#latest;
    // While nobody reports, the clock that stamps the reports goes as fast as this one.
    const second = Math.floor((atMs + this.#now() - nowMs) / 1_000);
    this.#nowSecond = Math.max(second, this.#nowSecond ?? 0);
    this.#forget(this.#nowSecond);
  }

  #forget(nowSecond: number): void {
    this.#fine.drop(this.#fineFrom(nowSecond));
    this.#coarse.drop(nowSecond - this.#reachSeconds() - COARSE_SLOT_SECONDS);
    for (const [gateway, second] of this.#gateways) {
      if (second < nowSecond - FINE_SECONDS) this.#gateways.delete(gateway);
    }
  }

  /** Where the last ten minutes begin, and the sums of ten seconds end. */
  #fineFrom(nowSecond: number): number {
    return this.#coarse.begin(nowSecond - FINE_SECONDS);
  }

  /** The second that it is now, by the clock that stamps the reports; `undefined` before the first one. */
  nowSecond(): number | undefined {
    return this.#nowSecond;
  }

  /**
   * Oldest first; a second without counts is absent. A slot, and each side of it, is another object as soon as
   * something was added to it.
   */
  slots(cohort: string): readonly Slot[] {
    if (this.#nowSecond === undefined) return [];
    return [...this.#coarse.slots(cohort, this.#fineFrom(this.#nowSecond)), ...this.#fine.slots(cohort)];
  }

  /** Gateways that reported in the last seconds, in the order of their ids. Each does once a second. */
  gateways(seconds: number): readonly string[] {
    const from = (this.#nowSecond ?? 0) - seconds;
    return [...this.#gateways].flatMap(([gateway, second]) => (second >= from ? [gateway] : [])).sort();
  }
}
