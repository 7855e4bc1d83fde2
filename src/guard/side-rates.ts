/** One backend in the last seconds, as people see it. Pure. */
import type { Backend } from '../model.ts';
import type { SideRates } from './guard-control.ts';
import {
  binFloorMs,
  type Counts,
  FAILURE_KINDS,
  type FailureKind,
  type SideSlot,
  type Slot,
} from './slot.ts';

/** Seconds that are shown. */
const SECONDS_MAX = 120;

interface Sum {
  requests: number;
  failed: number;
  stalled: number;
  late: number;
  compared: number;
  mismatched: number;
  readonly latency: Map<number, number>;
}

function emptySum(): Sum {
  const latency = new Map<number, number>();
  return { requests: 0, failed: 0, stalled: 0, late: 0, compared: 0, mismatched: 0, latency };
}

function add(sum: Sum, counts: Counts): void {
  sum.requests += counts.requests;
  sum.failed += counts.failed;
  sum.stalled += counts.stalled;
  sum.late += counts.late;
  sum.compared += counts.compared;
  sum.mismatched += counts.mismatched;
  for (const [bin, count] of counts.latency) sum.latency.set(bin, (sum.latency.get(bin) ?? 0) + count);
}

/** All gateways together. */
export function sumOf(
  side: SideSlot,
): Omit<Counts, 'latency'> & { readonly latency: ReadonlyMap<number, number> } {
  const sum = emptySum();
  for (const counts of side.byGateway.values()) add(sum, counts);
  return sum;
}

/** By the lower edges of the bins, as it is judged; `undefined` without requests. */
export function meanMs(latency: ReadonlyMap<number, number>): number | undefined {
  let requests = 0;
  let sumMs = 0;
  for (const [bin, count] of latency) {
    requests += count;
    sumMs += count * binFloorMs(bin);
  }
  return requests === 0 ? undefined : sumMs / requests;
}

/** The lower edge of the bin in which the quantile is; `undefined` without requests. @param share 0 to 1 */
export function quantileMs(latency: ReadonlyMap<number, number>, share: number): number | undefined {
  const bins = [...latency].toSorted(([a], [b]) => a - b);
  const requests = bins.reduce((sum, [, count]) => sum + count, 0);
  let below = 0;
  for (const [bin, count] of bins) {
    below += count;
    if (below >= requests * share && count > 0) return binFloorMs(bin);
  }
  return undefined;
}

/** @param slots oldest first @param windowMs of the sums */
export function sideRates(
  slots: readonly Slot[],
  backend: Backend,
  windowMs: number,
  nowSecond: number,
): SideRates {
  const seconds = slots
    .filter(({ second }) => second > nowSecond - SECONDS_MAX)
    .flatMap((slot) => {
      const { requests, failed, stalled, latency } = sumOf(slot[backend]);
      if (requests + stalled === 0) return [];
      const [p50LatencyMs, p99LatencyMs] = [quantileMs(latency, 0.5), quantileMs(latency, 0.99)];
      return [
        { second: slot.second, requests, failed, meanLatencyMs: meanMs(latency), p50LatencyMs, p99LatencyMs },
      ];
    });
  const sum = emptySum();
  const kinds: Partial<Record<FailureKind, number>> = {};
  for (const slot of slots) {
    if (slot.second <= nowSecond - windowMs / 1_000) continue;
    const side = slot[backend];
    for (const counts of side.byGateway.values()) add(sum, counts);
    for (const kind of FAILURE_KINDS) {
      const count = side.kinds[kind] ?? 0;
      if (count > 0) kinds[kind] = (kinds[kind] ?? 0) + count;
    }
  }
  const { latency: _latency, ...window } = sum;
  return { seconds, window, kinds };
}
