/**
 * Bounds how often somebody looks, or tells, between two ticks: forty times while trouble is new, and once a second
 * while it lasts or comes again. So an outage that nobody ends costs little more than a quiet day.
 */

/** Between the end of one look and the next, milliseconds. */
export const EARLY_MS = 50;

const LEFT_MAX = 40;
/** Four ticks are a second. */
const LEFT_A_TICK = 0.25;

export class EarlyLooks {
  #left = LEFT_MAX;

  /** To be called every `TICK_MS`. */
  ticked(): void {
    this.#left = Math.min(LEFT_MAX, this.#left + LEFT_A_TICK);
  }

  /** @returns whether there may be one more */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
