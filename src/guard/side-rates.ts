/** One backend in the last seconds, as people see it: the values that are judged. Pure. */
import type { Backend } from '../model.ts';
import type { SideRates } from './guard-control.ts';
import { valueOf } from './measure.ts';
import { FAILURE_KINDS, type FailureKind, type Slot } from './slot.ts';
import { Tally, tallyOf } from './tally.ts';

/** Seconds that are shown. */
const SECONDS_MAX = 120;

/** @param slots oldest first @param windowMs of the sums */
export function sideRates(
  slots: readonly Slot[],
  backend: Backend,
  windowMs: number,
  nowSecond: number,
): SideRates {
  const sum = new Tally();
  const kinds: Partial<Record<FailureKind, number>> = {};
  const seconds: SideRates['seconds'][number][] = [];
  for (const slot of slots) {
    const ageS = nowSecond - slot.second;
    const side = slot[backend];
    if (ageS >= Math.max(SECONDS_MAX, windowMs / 1_000)) continue;
    const tally = tallyOf(side);
    const { requests, failed, stalled } = tally;
    if (ageS < SECONDS_MAX && requests + stalled > 0) {
      seconds.push({
        second: slot.second,
        requests,
        failed,
        meanLatencyMs: valueOf('meanLatencyMs', tally),
        p50LatencyMs: valueOf('p50LatencyMs', tally),
        p99LatencyMs: valueOf('p99LatencyMs', tally),
      });
    }
    if (ageS >= windowMs / 1_000) continue;
    sum.addTally(tally);
    for (const kind of FAILURE_KINDS) {
      const count = side.kinds[kind] ?? 0;
      if (count > 0) kinds[kind] = (kinds[kind] ?? 0) + count;
    }
  }
  const { requests, failed, stalled, late, compared, mismatched } = sum;
  return { seconds, window: { requests, failed, stalled, late, compared, mismatched }, kinds };
}
