/** When what tripped a condition began, as far as the slots tell. Pure. */
import type { Condition } from './condition.ts';
import { meanMs, quantileMs, sumOf } from './side-rates.ts';
import type { Slot } from './slot.ts';

/** So many seconds without anything bad between two bad ones belong together. */
const GAP_S = 2;

function isBad({ metric, over }: Condition, slot: Slot, threshold: number): boolean {
  const sum = sumOf(slot.new);
  switch (metric) {
    case 'errorRate':
      return sum.failed > 0;
    case 'stalledShare':
      return sum.stalled > 0;
    case 'mismatchShare':
      return sum.mismatched > 0;
    case 'meanLatencyMs':
      return (meanMs(sum.latency) ?? 0) > threshold;
    case 'p50LatencyMs':
      return (quantileMs(sum.latency, 0.5) ?? 0) > threshold;
    case 'p90LatencyMs':
      return (quantileMs(sum.latency, 0.9) ?? 0) > threshold;
    case 'p99LatencyMs':
      return (quantileMs(sum.latency, 0.99) ?? 0) > threshold;
    case 'mirrorBacklog':
      return (slot.mirrorBacklog ?? 0) > (over ?? threshold);
    default: {
      const unknown: never = metric;
      return unknown;
    }
  }
}

/**
 * The first second of the latest stretch that was bad.
 *
 * @param slots those that were judged, oldest first @param threshold what had to be exceeded
 */
export function badSince(
  condition: Condition,
  slots: readonly Slot[],
  threshold: number | undefined,
): number | undefined {
  const limit = threshold ?? condition.over;
  if (limit === undefined) return undefined;
  let first: number | undefined;
  for (const slot of slots.toReversed()) {
    if (first !== undefined && first - slot.second > GAP_S + 1) return first;
    if (isBad(condition, slot, limit)) first = slot.second;
  }
  return first;
}
