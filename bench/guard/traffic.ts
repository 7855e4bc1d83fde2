/** How many requests a second: a day with its night, its peak and bursts. */
import type { Random } from './random.ts';

const STEPS = 32;
/** Of the mean rate, at night and at the peak. */
const [NIGHT, PEAK] = [0.2, 1.8];
const BURST_FACTOR = 5;
/** In the mean so many a day, each 10 to 120 seconds long. */
const BURSTS_A_DAY = 20;
export const DAY_SECONDS = 86_400;
/** Different levels of the rate: steps of the day, without and with a burst. */
export const LEVELS = 2 * STEPS;

/** Of the mean rate. */
export function factorOf(level: number): number {
  const step = level % STEPS;
  const wave = (1 - Math.cos((2 * Math.PI * step) / STEPS)) / 2;
  return (NIGHT + (PEAK - NIGHT) * wave) * (level >= STEPS ? BURST_FACTOR : 1);
}

export class Traffic {
  readonly #random: Random;
  #burstUntil = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** @param second 0 or more, one after the other */
  level(second: number): number {
    if (this.#random.next() < BURSTS_A_DAY / DAY_SECONDS) {
      this.#burstUntil = second + 10 + this.#random.below(111);
    }
    const step = Math.floor(((second % DAY_SECONDS) * STEPS) / DAY_SECONDS);
    return step + (second < this.#burstUntil ? STEPS : 0);
  }
}
