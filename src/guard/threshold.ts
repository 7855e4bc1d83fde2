/** What a condition's metric has to exceed in each window, as `legacy` stands there. */
import type { Condition } from './condition.ts';
import type { History } from './history.ts';
import { capFor, lowerOf, QUANTILES, type RequestMetric, requestsOf, upperOf, valueOf } from './measure.ts';
import type { Tally } from './tally.ts';

export interface Threshold {
  /** Over this is bad for certain. `undefined`: nothing is known of `legacy`, so nothing can be over it. */
  readonly trip: number | undefined;
  /** At or below this is good for certain. Of the latest window, the only one that is asked. */
  readonly healthy: number | undefined;
}

/** A slot with fewer requests to `legacy` excuses nothing. */
const SLOT_REQUESTS_MIN = 5;

/**
 * What the requests of one slot are held against: where `legacy` is shown to be as bad in that very second, more than
 * what its window says. A pause of the network, or of a gateway, hits both.
 *
 * @param threshold of the slot's window
 * @returns at least that; in steps of a tenth of it
 */
export function thresholdOfSlot(
  { overLegacy: factor, confidence }: Condition,
  metric: RequestMetric,
  legacy: Tally,
  threshold: number,
): number {
  if (factor === undefined || requestsOf(metric, legacy) < SLOT_REQUESTS_MIN) return threshold;
  const value = valueOf(metric, legacy);
  if (value === undefined || factor * value <= threshold) return threshold;
  const excused = factor * lowerOf(metric, legacy, confidence, capFor(threshold));
  // In steps, so that few yardsticks have to be made.
  return excused <= threshold
    ? threshold
    : threshold * STEP ** Math.ceil(Math.log(excused / threshold) / LOG_STEP);
}

const STEP = 1.1;
const LOG_STEP = Math.log(STEP);

/**
 * - `over` alone: that.
 * - With `overLegacy`: the larger of `over` and the factor times what `legacy` is *shown* to have at least, so that only
 *   that excuses `new`.
 * - `overLegacy` alone: the factor times what `legacy` is shown to have at most.
 * @param window 0: the latest
 */
export function thresholdOf(
  condition: Condition,
  metric: RequestMetric,
  history: History,
  window: number,
): Threshold {
  const { over, overLegacy: factor, windowMs, minRequests, confidence } = condition;
  if (factor === undefined) return { trip: over, healthy: over };
  // The bins are needed only where legacy is bad itself, or for a quantile.
  const value = valueOf(metric, history.window('legacy', window, windowMs, metric in QUANTILES));
  const legacy = (): Tally => history.window('legacy', window, windowMs);
  if (over !== undefined) {
    // The lower bound is never more than the value, so most of the time it need not be known.
    if (value === undefined || factor * value <= over) return { trip: over, healthy: over };
    const excused = factor * lowerOf(metric, legacy(), confidence, capFor(over));
    const threshold = Math.max(over, excused);
    return { trip: threshold, healthy: threshold };
  }
  if (value === undefined || requestsOf(metric, legacy()) < minRequests) {
    return { trip: undefined, healthy: undefined };
  }
  return relative(metric, legacy(), factor, value, confidence, window === 0);
}

function relative(
  metric: RequestMetric,
  legacy: Tally,
  factor: number,
  value: number,
  confidence: number,
  isLatest: boolean,
): Threshold {
  const capMs = capFor(factor * value);
  const most = upperOf(metric, legacy, confidence, capMs);
  return {
    trip: most === undefined || most <= 0 ? undefined : factor * most,
    healthy: isLatest ? factor * lowerOf(metric, legacy, confidence, capMs) : undefined,
  };
}
