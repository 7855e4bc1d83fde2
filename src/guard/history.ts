/** The slots of one cohort up to a second, added up for all conditions alike. */
import type { SideSlot, Slot } from './slot.ts';
import { Tally, tallyOf } from './tally.ts';

type Side = 'legacy' | 'new';

/**
 * Sums of slots that nothing is added to any more, so that the same slots, judged again and again, are added up once.
 * A memory of results only: the same slots give the same sums without it.
 */
const KNOWN = new WeakMap<SideSlot, Tally>();

/** A slot is added to until the next second's first counts have come in; one more for counts that were under way. */
const FINAL_AFTER_SECONDS = 2;

export class History {
  /** Newest first. */
  readonly newestFirst: readonly Slot[];
  readonly nowSecond: number;
  /** Of slots that may still change. */
  readonly #fresh = new Map<SideSlot, Tally>();
  /** By the length of a window, its number and the side. */
  readonly #windows = new Map<string, Tally>();

  /** @param slots oldest first; those after `nowSecond` are left out */
  constructor(slots: readonly Slot[], nowSecond: number) {
    this.nowSecond = nowSecond;
    this.newestFirst = slots.filter(({ second }) => second <= nowSecond).reverse();
  }

  tally(slot: Slot, side: Side): Tally {
    const counts = slot[side];
    const isFinal = slot.second <= this.nowSecond - FINAL_AFTER_SECONDS;
    const known = isFinal ? KNOWN.get(counts) : this.#fresh.get(counts);
    if (known !== undefined) return known;
    const tally = tallyOf(counts);
    if (isFinal) KNOWN.set(counts, tally);
    else this.#fresh.set(counts, tally);
    return tally;
  }

  /** How many windows ago a slot was; 0: it is in the latest one, which ends with `nowSecond`. */
  windowOf(slot: Slot, windowMs: number): number {
    return Math.floor((this.nowSecond - slot.second) / windowSeconds(windowMs));
  }

  /** The slots of the last windows, newest first. */
  last(windows: number, windowMs: number): readonly Slot[] {
    const end = this.newestFirst.findIndex((slot) => this.windowOf(slot, windowMs) >= windows);
    return end === -1 ? this.newestFirst : this.newestFirst.slice(0, end);
  }

  /** One backend's sum over one window; not to be added to. */
  window(side: Side, index: number, windowMs: number): Tally {
    const key = `${windowMs} ${index} ${side}`;
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    const sum = new Tally();
    this.#windows.set(key, sum);
    for (const slot of this.newestFirst) {
      const at = this.windowOf(slot, windowMs);
      if (at > index) break;
      if (at === index) sum.addTally(this.tally(slot, side));
    }
    return sum;
  }
}

export function windowSeconds(windowMs: number): number {
  return Math.max(1, Math.ceil(windowMs / 1000));
}
