/** How late timers are. A loop that lags has more to do than it can: then users come first. */

const INTERVAL_MS = 20;
const LATE_MS = 50;
/** Nobody has asked for so many ticks: the timer stops. */
const IDLE_TICKS = 250;

export class LoopLag {
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;
  #lateMs = 0;
  #idleTicks = 0;

  /** @param now a monotonic clock, milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether the loop is over 50 ms late, or was at the last look. The first question starts the looking. */
  get lagging(): boolean {
    this.#idleTicks = 0;
    if (this.#timer === undefined) {
      this.#lateMs = 0;
      this.#dueMs = this.#now() + INTERVAL_MS;
      this.#timer = setInterval(() => this.#tick(), INTERVAL_MS).unref();
      return false;
    }
    return this.#lateMs > LATE_MS || this.#now() - this.#dueMs > LATE_MS;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const nowMs = this.#now();
    this.#lateMs = nowMs - this.#dueMs;
    this.#dueMs = nowMs + INTERVAL_MS;
    this.#idleTicks += 1;
    if (this.#idleTicks > IDLE_TICKS) this.stop();
  }
}
