/** Latencies with a heavy tail, as the guard counts them. */
import { BINS_MAX, BINS_PER_OCTAVE, binFloorMs } from '../../src/guard/slot.ts';

/** Of the logarithm: the standard deviation is 1.9 times the mean. */
const SIGMA = 1.23;
/** Two different latencies in an octave are as good as eight here, and a quarter of the work. */
const EVERY = BINS_PER_OCTAVE / 2;

export interface Latencies {
  readonly bins: readonly number[];
  /** Probability of each; their sum is 1. */
  readonly shares: readonly number[];
}

/**
 * Log-normal, cut at about 17 minutes, and moved to the lower edges of the bins: so the mean that the judge sees is the
 * real one, and not a few percent less.
 * @param meanMs of that
 */
export function heavyTailed(meanMs: number): Latencies {
  const bins: number[] = [];
  for (let bin = 1; bin < BINS_MAX; bin += EVERY) bins.push(bin);
  let scale = meanMs;
  let shares: number[] = [];
  // What cutting and moving does to the mean is put right by a scale; a few rounds are enough.
  for (let round = 0; round < 30; round += 1) {
    const middle = Math.log(scale) - SIGMA ** 2 / 2;
    const masses = bins.map((bin) =>
      Math.exp(-((Math.log(binFloorMs(bin)) - middle) ** 2) / (2 * SIGMA ** 2)),
    );
    const sum = masses.reduce((a, b) => a + b, 0);
    shares = masses.map((mass) => mass / sum);
    const mean = bins.reduce((total, bin, at) => total + binFloorMs(bin) * (shares[at] ?? 0), 0);
    scale *= meanMs / mean;
  }
  return { bins, shares };
}
