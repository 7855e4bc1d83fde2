/**
 * Says quickly of a condition that it cannot trip. The judgement of a second costs the sum of many; this costs what one
 * slot does, so that days of slots can be judged second by second.
 */
import type { Condition } from './condition.ts';
import { Evidence } from './evidence.ts';
import { windowSeconds } from './history.ts';
import type { Tally } from './tally.ts';
import { EVIDENCE_BAR } from './trip.ts';
import { Reading, type Yardstick, yardstickFor } from './yardstick.ts';

/** For the errors of adding and taking off again. */
const ROUNDING = 1e-6;

/**
 * Exact in one direction: what it rules out, `judge` does not trip on. A condition trips by evidence, and here there is
 * never less of it (it is held against `over`, the lowest threshold there can be, and counts from all slots, not
 * only those of the last windows); or by its latest window, which is looked at as it is.
 */
export class TripScreen {
  readonly #yardstick: Yardstick | undefined;
  readonly #confidence: number;
  readonly #seconds: number;
  readonly #evidence = new Evidence();
  /** Of the slots in the latest window, in a ring: slot number s is at s modulo the length. */
  readonly #ring: { second: number; readonly reading: Reading }[];
  #oldest = 0;
  #next = 0;
  #sum = new Reading();

  constructor({ metric, over, windowMs, confidence }: Condition) {
    // Without a threshold of its own it depends on what legacy does; a level needs no screen.
    const screened = metric !== 'mirrorBacklog' && over !== undefined;
    this.#yardstick = screened ? yardstickFor(metric, over, over) : undefined;
    this.#confidence = confidence - ROUNDING;
    this.#seconds = windowSeconds(windowMs);
    this.#ring = Array.from({ length: this.#seconds }, () => ({ second: 0, reading: new Reading() }));
  }

  /**
   * To be called with every slot, in order.
   * @param nowSecond ends the latest window: that of the slot, or a later one if slots are longer than a second
   * @param requests all that were sent to `new`; or some, if the condition has to hold for those as well
   * @returns whether the condition may trip at this second
   */
  push(second: number, requests: Tally, nowSecond = second): boolean {
    if (this.#yardstick === undefined) return true;
    this.#dropBefore(nowSecond - this.#seconds + 1);
    const place = this.#ring[this.#next % this.#seconds];
    if (place === undefined) return true;
    const reading = this.#yardstick.read(requests, place.reading);
    if (reading.n > 0) {
      place.second = second;
      this.#next += 1;
      this.#sum.add(reading);
      this.#evidence.add(reading.factors);
    }
    return (
      this.#evidence.isAtLeast(EVIDENCE_BAR - ROUNDING) || this.#yardstick.isOver(this.#sum, this.#confidence)
    );
  }

  #dropBefore(second: number): void {
    for (; this.#oldest < this.#next; this.#oldest += 1) {
      const place = this.#ring[this.#oldest % this.#seconds];
      if (place === undefined || place.second >= second) return;
      this.#sum.add(place.reading, -1);
    }
    // Nothing left: what adding and taking off has left is an error of rounding.
    this.#sum = new Reading();
  }
}
