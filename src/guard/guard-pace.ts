/** When a guard looks: at each tick, and in between while there is bad news. */
import { EARLY_MS, EarlyLooks } from './early-looks.ts';

/** After bad news, and without more of it: for about a tick. What gateways tell comes when it comes. */
const LOOKS_AFTER = 4;

export interface GuardPaceOptions {
  /** Between the end of a tick and the next one, milliseconds. */
  readonly tickMs: number;
  /** The least between the end of one look and the next, milliseconds. */
  readonly earlyMs?: number;
  /** Resolves earlier when it has to stop. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly isStopped: () => boolean;
}

export class GuardPace {
  readonly #options: GuardPaceOptions;
  readonly #early = new EarlyLooks();
  /** Looks that are still to come without being called for. */
  #left = 0;
  #isWoken = false;
  #woken: () => void = () => undefined;

  constructor(options: GuardPaceOptions) {
    this.#options = options;
  }

  /** There is bad news to be read: it looks before the next tick. Costs nothing when nobody calls it. */
  wake(): void {
    this.#isWoken = true;
    this.#woken();
  }

  /**
   * Until it is stopped. What is done never overlaps. Both must not reject.
   * @param tick comes whatever happens, a tick after the one before ended @param look comes in between, soon after bad
   * news. Both say whether there was some in what was read
   */
  async run(tick: () => Promise<boolean>, look: () => Promise<boolean>): Promise<void> {
    while (!this.#options.isStopped()) {
      this.#early.ticked();
      this.#isWoken = false;
      this.#note(await tick());
      await this.#untilDue(look);
    }
  }

  async #untilDue(look: () => Promise<boolean>): Promise<void> {
    const { tickMs, earlyMs = EARLY_MS, sleep, isStopped } = this.#options;
    let isDue = false;
    const due = sleep(tickMs).then(() => {
      isDue = true;
    });
    for (;;) {
      // One look takes in what many gateways tell.
      await Promise.race([due, sleep(Math.min(earlyMs, tickMs))]);
      if (this.#left === 0) await Promise.race([due, this.#wakened()]);
      if (isDue || isStopped() || !this.#early.take()) break;
      this.#isWoken = false;
      this.#note(await look());
    }
    await due;
  }

  #note(isBad: boolean): void {
    this.#left = isBad ? LOOKS_AFTER : Math.max(0, this.#left - 1);
  }

  #wakened(): Promise<void> {
    if (this.#isWoken) return Promise.resolve();
    return new Promise((resolve) => {
      this.#woken = resolve;
    });
  }
}
