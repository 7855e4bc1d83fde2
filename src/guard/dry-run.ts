/** When would conditions have tripped? The judgement itself, over recorded slots. Pure. */
import type { Condition } from './condition.ts';
import type { DryRun } from './guard-control.ts';
import { windowSeconds } from './history.ts';
import { judge, tripPathOf } from './judge.ts';
import { TripScreen } from './screen.ts';
import type { Slot } from './slot.ts';
import { EVIDENCE_SECONDS } from './span.ts';
import { tallyOf } from './tally.ts';

/** Its time is that of the slot, in seconds of the slots' clock. */
export interface DryTrip extends Omit<DryRun['trips'][number], 'at'> {
  readonly atSecond: number;
}

export interface DryRunOptions {
  /** Of how many seconds one slot is the sum, from its `second` on; 1 or more. */
  readonly slotSeconds: number;
  /** So long a condition is quiet after it tripped; 0 or more. */
  readonly cooldownMs: number;
}

export const DRY_TRIPS_MAX = 1000;

/** Slots go in one by one, so that two weeks of them need not be in memory, and whoever adds them may take breaks. */
export class DryRunner {
  readonly #options: DryRunOptions;
  readonly #conditions: { readonly condition: Condition; readonly screen: TripScreen; quietUntil: number }[];
  readonly #spanSeconds: number;
  readonly trips: DryTrip[] = [];
  #slots: Slot[] = [];

  constructor(conditions: readonly Condition[], options: DryRunOptions) {
    this.#options = options;
    this.#conditions = conditions.map((condition) => ({
      condition,
      screen: new TripScreen(condition),
      quietUntil: Number.NEGATIVE_INFINITY,
    }));
    this.#spanSeconds = Math.max(
      EVIDENCE_SECONDS,
      ...conditions.map(({ windows, windowMs }) => windows.of * windowSeconds(windowMs)),
    );
  }

  /** @param slot later than the one before */
  add(slot: Slot): void {
    if (this.trips.length >= DRY_TRIPS_MAX) return;
    const { slotSeconds, cooldownMs } = this.#options;
    // The window ends with the slot.
    const nowSecond = slot.second + slotSeconds - 1;
    this.#slots.push(slot);
    const oldest = this.#slots[0];
    // Those that are too old go in heaps, so that the list is not moved for each.
    if (oldest !== undefined && oldest.second < nowSecond - 2 * this.#spanSeconds) {
      this.#slots = this.#slots.filter(({ second }) => second > nowSecond - this.#spanSeconds);
    }
    const requests = tallyOf(slot.new);
    for (const one of this.#conditions) {
      if (!one.screen.push(slot.second, requests, nowSecond) || slot.second < one.quietUntil) continue;
      if (tripPathOf(one.condition, this.#slots, nowSecond) === undefined) continue;
      const judgement = judge([one.condition], this.#slots, nowSecond)[0];
      if (judgement?.path === undefined || this.trips.length >= DRY_TRIPS_MAX) continue;
      const { path, figures } = judgement;
      this.trips.push({ atSecond: slot.second, condition: one.condition.name, path, figures });
      one.quietUntil = slot.second + Math.max(1, cooldownMs / 1000);
    }
  }
}

/** @param slots oldest first @returns at most `DRY_TRIPS_MAX` */
export function dryRun(
  conditions: readonly Condition[],
  slots: Iterable<Slot>,
  options: DryRunOptions,
): readonly DryTrip[] {
  const runner = new DryRunner(conditions, options);
  for (const slot of slots) runner.add(slot);
  return runner.trips;
}
