/**
 * What all gateways counted, second by second, for whoever judges. Counts that come in late belong to the second in
 * which they come in: a second that is over seldom changes.
 *
 * Bounded: the last ten minutes are kept by the second. Where windows reach back further, what lies before is kept as
 * sums of ten seconds for an hour, and of a minute before that. One cohort at 200 requests a second from four gateways
 * takes 8 MB for ten minutes, and as much again for the rest of the hour; adding a tick up takes 0.1 ms.
 */
import type { Condition } from './condition.ts';
import type { Slot } from './slot.ts';
import type { StampedReport } from './slot-feed.ts';
import { SlotFold } from './slot-fold.ts';

/** What is kept by slots of how many seconds, and for how long. */
const TIERS = [
  { slotSeconds: 1, keptSeconds: 600 },
  { slotSeconds: 10, keptSeconds: 3_600 },
  { slotSeconds: 60, keptSeconds: Number.POSITIVE_INFINITY },
] as const;
/** Of gateways that reported no more. */
const GATEWAYS_SECONDS = 600;

/** How far back conditions look, seconds. The configuration allows 20 windows of an hour. */
export function reachOf(conditions: readonly Pick<Condition, 'windowMs' | 'windows'>[]): number {
  return Math.max(0, ...conditions.map(({ windowMs, windows }) => Math.ceil(windowMs / 1_000) * windows.of));
}

export class SlotWindows {
  /** The finest first. */
  readonly #folds = TIERS.map(({ slotSeconds, keptSeconds }) => ({
    fold: new SlotFold(slotSeconds),
    keptSeconds,
  }));
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
    const reach = this.#reachSeconds();
    const used = this.#folds.filter(
      (_fold, tier) => tier === 0 || reach > (TIERS[tier - 1]?.keptSeconds ?? 0),
    );
    for (const report of reports) {
      for (const { fold } of used) fold.add(report);
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
    for (const [tier, { fold }] of this.#folds.entries()) fold.drop(this.#fromOf(tier, nowSecond));
    for (const [gateway, second] of this.#gateways) {
      if (second < nowSecond - GATEWAYS_SECONDS) this.#gateways.delete(gateway);
    }
  }

  /** Where a tier begins: with a slot of the coarser one, which ends there. */
  #fromOf(tier: number, nowSecond: number): number {
    const { fold, keptSeconds } = this.#folds[tier] ?? { fold: undefined, keptSeconds: 0 };
    const from = nowSecond - Math.min(keptSeconds, Math.max(this.#reachSeconds(), TIERS[0].keptSeconds));
    return (this.#folds[tier + 1]?.fold ?? fold)?.begin(from) ?? from;
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
    const nowSecond = this.#nowSecond;
    if (nowSecond === undefined) return [];
    return this.#folds
      .map(({ fold }, tier) => fold.slots(cohort, tier === 0 ? undefined : this.#fromOf(tier - 1, nowSecond)))
      .toReversed()
      .flat();
  }

  /** Gateways that reported in the last seconds, in the order of their ids. Each does once a second. */
  gateways(seconds: number): readonly string[] {
    const from = (this.#nowSecond ?? 0) - seconds;
    return [...this.#gateways].flatMap(([gateway, second]) => (second >= from ? [gateway] : [])).sort();
  }
}
