/** The slots of one cohort up to a second, added up for all conditions alike. */
import type { Figures } from './condition.ts';
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

type Reported = Pick<Figures, 'kinds' | 'gateways'>;

export class History {
  /** Newest first. */
  readonly newestFirst: readonly Slot[];
  readonly nowSecond: number;
  /** As `newestFirst`. */
  readonly #tallies: Record<Side, (Tally | undefined)[]> = { legacy: [], new: [] };
  /** By the length of a window, its number and the side. */
  readonly #windows = new Map<string, Tally>();
  readonly #reported = new Map<number, Reported>();

  /** @param slots oldest first; those after `nowSecond` are left out */
  constructor(slots: readonly Slot[], nowSecond: number) {
    this.nowSecond = nowSecond;
    this.newestFirst = slots.filter(({ second }) => second <= nowSecond).reverse();
  }

  /** Of one slot, by its place in `newestFirst`; not to be added to. */
  tally(at: number, side: Side): Tally {
    const known = this.#tallies[side][at];
    if (known !== undefined) return known;
    const slot = this.newestFirst[at];
    if (slot === undefined) return new Tally();
    const isFinal = slot.second <= this.nowSecond - FINAL_AFTER_SECONDS;
    const tally = (isFinal ? KNOWN.get(slot[side]) : undefined) ?? tallyOf(slot[side]);
    if (isFinal) KNOWN.set(slot[side], tally);
    this.#tallies[side][at] = tally;
    return tally;
  }

  /** How many windows ago a slot was; 0: it is in the latest one, which ends with `nowSecond`. */
  windowOf(slot: Slot, windowMs: number): number {
    return Math.floor((this.nowSecond - slot.second) / windowSeconds(windowMs));
  }

  /** How many slots the last windows have: the first ones of `newestFirst`. */
  last(windows: number, windowMs: number): number {
    const end = this.newestFirst.findIndex((slot) => this.windowOf(slot, windowMs) >= windows);
    return end === -1 ? this.newestFirst.length : end;
  }

  /**
   * One backend's sum over one window; not to be added to.
   * @param withLatency `false`: without the bins, which are most of the work
   */
  window(side: Side, index: number, windowMs: number, withLatency = true): Tally {
    const key = `${windowMs} ${index} ${side} ${withLatency}`;
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    const sum = new Tally();
    this.#windows.set(key, sum);
    const last = this.nowSecond - index * windowSeconds(windowMs);
    for (let at = this.#firstUpTo(last); at < this.newestFirst.length; at += 1) {
      const slot = this.newestFirst[at];
      if (slot === undefined || this.windowOf(slot, windowMs) > index) break;
      sum.addTally(this.tally(at, side), withLatency);
    }
    return sum;
  }

  /** In the latest window: how requests failed, and who reported. */
  reported(windowMs: number): Reported {
    const known = this.#reported.get(windowMs);
    if (known !== undefined) return known;
    const kinds: Record<string, number> = {};
    const gateways = new Set<string>();
    for (const slot of this.newestFirst.slice(0, this.last(1, windowMs))) {
      for (const [kind, failed] of Object.entries(slot.new.kinds)) kinds[kind] = (kinds[kind] ?? 0) + failed;
      for (const id of slot.new.byGateway.keys()) gateways.add(id);
      for (const id of slot.legacy.byGateway.keys()) gateways.add(id);
    }
    const reported = { kinds, gateways: [...gateways].sort() };
    this.#reported.set(windowMs, reported);
    return reported;
  }

  /** The newest slot of this second or before, by halves. */
  #firstUpTo(second: number): number {
    let [low, high] = [0, this.newestFirst.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.newestFirst[middle]?.second ?? 0) > second) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function windowSeconds(windowMs: number): number {
  return Math.max(1, Math.ceil(windowMs / 1000));
}
