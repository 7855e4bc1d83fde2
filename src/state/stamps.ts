/** Beyond this a clock was set back, or is another one; below, it is waited for, milliseconds. */
const WAIT_MS = 1_000;

/** Makes moments of a clock that may jump such that none is earlier than the one before, and none stands still for long. */
export class Stamps {
  #lastMs = 0;
  #aheadMs = 0;

  /** @param clockMs what the clock said @returns the moment; as the clock said until it was first set back */
  next(clockMs: number): number {
    const atMs = clockMs + this.#aheadMs;
    if (atMs < this.#lastMs - WAIT_MS) this.#aheadMs = this.#lastMs - clockMs;
    this.#lastMs = Math.max(this.#lastMs, clockMs + this.#aheadMs);
    return this.#lastMs;
  }
}
