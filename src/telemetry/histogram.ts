/**
 * A histogram with fixed bounds that costs a few nanoseconds an observation.
 *
 * The bucket is found by a table over the exponent and the two highest bits of the value in microseconds
 * (a log-linear grid), which leaves at most two comparisons; the number of buckets does not matter.
 */

const SLOTS_EACH_POWER = 4;
const POWERS = 32;
const MICROS_MAX = 2 ** 31;

export interface HistogramShape {
  /** Upper bounds in seconds, ascending, as Prometheus' `le`; the bucket above the last is implied. */
  readonly boundsS: readonly number[];
  readonly boundsMs: Float64Array;
  /** For each slot of the grid: the lowest bucket that a value of this slot can belong to. */
  readonly firstBucket: Uint8Array;
}

/** @param boundsS ascending upper bounds in seconds, at most 200. */
export function histogramShape(boundsS: readonly number[]): HistogramShape {
  const boundsMs = Float64Array.from(boundsS, (bound) => bound * 1_000);
  const firstBucket = new Uint8Array(POWERS * SLOTS_EACH_POWER);
  for (let power = 0; power < POWERS; power += 1) {
    for (let part = 0; part < SLOTS_EACH_POWER; part += 1) {
      const lowestMs = (2 ** power * (1 + part / SLOTS_EACH_POWER)) / 1_000;
      // A value under 1 microsecond falls in slot 0 and belongs to the first bucket.
      const bucket = power === 0 ? 0 : boundsMs.findIndex((bound) => lowestMs <= bound);
      firstBucket[power * SLOTS_EACH_POWER + part] = bucket === -1 ? boundsMs.length : bucket;
    }
  }
  return { boundsS, boundsMs, firstBucket };
}

/** The index of the bucket that `ms` belongs to; `boundsS.length` for a value above all bounds. */
export function bucketOf(shape: HistogramShape, ms: number): number {
  const micros = ms * 1_000;
  // The comparison is false for NaN and for negative values too.
  const whole = micros >= 1 ? (micros < MICROS_MAX ? micros | 0 : MICROS_MAX - 1) : 1;
  const power = 31 - Math.clz32(whole);
  const part = power >= 2 ? (whole >> (power - 2)) & 3 : power === 1 ? (whole & 1) << 1 : 0;
  let bucket = shape.firstBucket[power * SLOTS_EACH_POWER + part] ?? 0;
  const { boundsMs } = shape;
  for (let bound = boundsMs[bucket]; bound !== undefined && ms > bound; bound = boundsMs[bucket]) bucket += 1;
  return bucket;
}

export class Histogram {
  readonly shape: HistogramShape;
  /** Observations by bucket, not cumulative; the last one is above all bounds. */
  readonly counts: Float64Array;
  sumMs = 0;

  constructor(shape: HistogramShape) {
    this.shape = shape;
    this.counts = new Float64Array(shape.boundsS.length + 1);
  }

  /** @param ms milliseconds; anything that is not a positive number counts as 0. */
  observe(ms: number): void {
    const value = ms > 0 ? ms : 0;
    const bucket = bucketOf(this.shape, value);
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sumMs += value;
  }
}

/** Whole requests: from a cached answer to a slow report. */
export const DURATION_SHAPE = histogramShape([
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]);

/** The gateway's own share, which is far below a millisecond unless something is wrong. */
export const OVERHEAD_SHAPE = histogramShape([
  0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1,
]);

/** Held writes: bounded by `cutover.holdMaxMs`, by default five seconds. */
export const HOLD_SHAPE = histogramShape([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]);
