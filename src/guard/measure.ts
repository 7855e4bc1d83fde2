/** What each metric is, in what was counted: its requests, its value, and bounds of it. Pure. */
import { isShareOver, shareLower, shareUpper } from './bounds.ts';
import type { Metric } from './condition.ts';
import { MEAN_SHARE, meanLower, meanUpper } from './evidence.ts';
import { BINS_MAX } from './slot.ts';
import { FLOORS, MIDDLES, type Tally } from './tally.ts';

/** Metrics that are measured on requests. A backlog is a level, and nothing is uncertain about it. */
export type RequestMetric = Exclude<Metric, 'mirrorBacklog'>;

/** The part of the requests that is at or below the quantile. */
export const QUANTILES = { p50LatencyMs: 0.5, p90LatencyMs: 0.9, p99LatencyMs: 0.99 } as const;

interface Share {
  readonly bad: number;
  readonly n: number;
}

/** Errors, stalls and mismatches: how many, of how many. */
export function shareOf(metric: 'errorRate' | 'stalledShare' | 'mismatchShare', tally: Tally): Share {
  switch (metric) {
    case 'errorRate':
      return { bad: tally.failed, n: tally.requests };
    case 'stalledShare':
      // Each request once: when it stalled, or when it ended if it did not.
      return { bad: tally.stalled, n: Math.max(0, tally.requests - tally.late) + tally.stalled };
    case 'mismatchShare':
      // Confirmed some time after they were compared, perhaps in another slot.
      return { bad: tally.mismatched, n: Math.max(tally.compared, tally.mismatched) };
    default:
      return metric satisfies never;
  }
}

/** How many took at least so long for certain: those in bins that begin there or later. */
export function slowerThan(tally: Tally, ms: number): number {
  let slower = 0;
  for (let bin = tally.high - 1; bin >= tally.low && (FLOORS[bin] ?? 0) >= ms; bin -= 1) {
    slower += tally.bins[bin] ?? 0;
  }
  return slower;
}

/** Of how many requests the metric is a measure. */
export function requestsOf(metric: RequestMetric, tally: Tally): number {
  switch (metric) {
    case 'errorRate':
    case 'stalledShare':
    case 'mismatchShare':
      return shareOf(metric, tally).n;
    case 'meanLatencyMs':
    case 'p50LatencyMs':
    case 'p90LatencyMs':
    case 'p99LatencyMs':
      return tally.requests;
    default:
      return metric satisfies never;
  }
}

/** As measured; a latency as the middle of its bin. `undefined` without requests. */
export function valueOf(metric: RequestMetric, tally: Tally): number | undefined {
  const n = requestsOf(metric, tally);
  if (n <= 0) return undefined;
  switch (metric) {
    case 'errorRate':
    case 'stalledShare':
    case 'mismatchShare':
      return shareOf(metric, tally).bad / n;
    case 'meanLatencyMs':
      return tally.latencyMs / n;
    case 'p50LatencyMs':
    case 'p90LatencyMs':
    case 'p99LatencyMs': {
      let below = 0;
      let bin = tally.low;
      for (; bin < tally.high - 1; bin += 1) {
        below += tally.bins[bin] ?? 0;
        if (below >= QUANTILES[metric] * n) break;
      }
      return MIDDLES[bin];
    }
    default:
      return metric satisfies never;
  }
}

/**
 * What the metric is at least, at this confidence. Latencies by the lower edges of their bins.
 * @param capMs of a mean: what is longer counts as this
 */
export function lowerOf(metric: RequestMetric, tally: Tally, confidence: number, capMs: number): number {
  switch (metric) {
    case 'errorRate':
    case 'stalledShare':
    case 'mismatchShare': {
      const { bad, n } = shareOf(metric, tally);
      return shareLower(bad, n, confidence);
    }
    case 'meanLatencyMs':
      return capMs * meanLower(sampleOf(tally, capMs, 0), confidence);
    case 'p50LatencyMs':
    case 'p90LatencyMs':
    case 'p99LatencyMs': {
      // The slowest bin of which it is shown that more requests are beyond its lower edge than may be.
      const allowed = 1 - QUANTILES[metric];
      const bin = lastBin((at) => isShareOver(slowerFrom(tally, at), tally.requests, allowed, confidence));
      return bin === undefined ? 0 : (FLOORS[bin] ?? 0);
    }
    default:
      return metric satisfies never;
  }
}

/**
 * What the metric is at most, at this confidence; of a mean, that of the capped latencies. By the upper edges.
 * `undefined` where nothing can be said.
 */
export function upperOf(
  metric: RequestMetric,
  tally: Tally,
  confidence: number,
  capMs: number,
): number | undefined {
  if (requestsOf(metric, tally) <= 0) return undefined;
  switch (metric) {
    case 'errorRate':
    case 'stalledShare':
    case 'mismatchShare': {
      const { bad, n } = shareOf(metric, tally);
      return shareUpper(bad, n, confidence);
    }
    case 'meanLatencyMs':
      return capMs * meanUpper(sampleOf(tally, capMs, 1), confidence);
    case 'p50LatencyMs':
    case 'p90LatencyMs':
    case 'p99LatencyMs': {
      // The fastest bin beyond whose upper edge there are shown to be no more requests than may be.
      const allowed = 1 - QUANTILES[metric];
      const bin = lastBin((at) => {
        const faster = tally.requests - slowerFrom(tally, at);
        return !isShareOver(faster, tally.requests, 1 - allowed, confidence);
      });
      if (bin === undefined) return FLOORS[0];
      return bin + 1 >= BINS_MAX ? undefined : FLOORS[bin + 1];
    }
    default:
      return metric satisfies never;
  }
}

/**
 * A mean is capped at so many times what it is held against, which bounds it without knowing its distribution.
 * @param thresholdMs less than 1 counts as 1, the edge of the first bin
 */
export function capFor(thresholdMs: number): number {
  return Math.max(1, thresholdMs) / MEAN_SHARE;
}

/** @param edge 0: lower, 1: upper */
function sampleOf(tally: Tally, capMs: number, edge: 0 | 1): { values: Float64Array; counts: Float64Array } {
  const { low, high } = tally;
  const values = new Float64Array(Math.max(0, high - low));
  for (let bin = low; bin < high; bin += 1) {
    const ms = bin + edge >= BINS_MAX ? capMs : (FLOORS[bin + edge] ?? 0);
    values[bin - low] = Math.min(1, ms / capMs);
  }
  return { values, counts: tally.bins.subarray(low, Math.max(low, high)) };
}

function slowerFrom(tally: Tally, bin: number): number {
  let slower = 0;
  for (let at = Math.max(bin, tally.low); at < tally.high; at += 1) slower += tally.bins[at] ?? 0;
  return slower;
}

/** The last bin for which it is true, of a property that is true up to a bin and false from there. */
function lastBin(isTrue: (bin: number) => boolean): number | undefined {
  let [low, high] = [-1, BINS_MAX];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (isTrue(middle)) low = middle;
    else high = middle;
  }
  return low < 0 ? undefined : low;
}
