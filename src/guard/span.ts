/**
 * All that a condition looks at, slot by slot, read off against the threshold of the slot's window. Evidence may begin
 * in any slot, so it is gathered for longer than the windows that are counted: where requests are few it takes longer.
 */
import type { Condition } from './condition.ts';
import { type History, windowSeconds } from './history.ts';
import type { RequestMetric } from './measure.ts';
import type { Slot } from './slot.ts';
import { type Threshold, thresholdOf, thresholdOfSlot } from './threshold.ts';
import { type Reading, type Yardstick, yardstickFor } from './yardstick.ts';

/** So far back evidence is gathered, in whole windows; or as far as the windows that are counted. */
export const EVIDENCE_SECONDS = 600;

export interface SlotReading {
  readonly slot: Slot;
  /** 0: it is in the latest window. */
  readonly window: number;
  readonly yardstick: Yardstick;
  /** Of all its requests to `new`; there is at least one. */
  readonly reading: Reading;
}

export interface Span {
  /** Of each window, the latest first. */
  readonly thresholds: readonly Threshold[];
  readonly yardsticks: readonly (Yardstick | undefined)[];
  /** Oldest first. Without slots that have no requests, or whose window has no threshold. */
  readonly readings: readonly SlotReading[];
}

/** In windows. Where all depends on legacy, each window costs two bounds of it. */
function reachOf({ over, windows, windowMs }: Condition): number {
  return over === undefined
    ? windows.of
    : Math.max(windows.of, Math.floor(EVIDENCE_SECONDS / windowSeconds(windowMs)));
}

export function readSpan(condition: Condition, metric: RequestMetric, history: History): Span {
  const { windowMs, over } = condition;
  const reach = reachOf(condition);
  const thresholds: Threshold[] = [];
  const yardsticks: (Yardstick | undefined)[] = [];
  for (let window = 0; window < reach; window += 1) {
    const threshold = thresholdOf(condition, metric, history, window);
    thresholds.push(threshold);
    const { trip } = threshold;
    yardsticks.push(trip === undefined ? undefined : yardstickFor(metric, trip, over ?? trip));
  }
  const readings: SlotReading[] = [];
  for (let at = history.last(reach, windowMs) - 1; at >= 0; at -= 1) {
    const slot = history.newestFirst[at];
    if (slot === undefined) continue;
    const window = history.windowOf(slot, windowMs);
    const threshold = thresholds[window]?.trip;
    if (threshold === undefined) continue;
    const held = thresholdOfSlot(condition, metric, history.tally(at, 'legacy'), threshold);
    const yardstick = held === threshold ? yardsticks[window] : yardstickFor(metric, held, over ?? held);
    if (yardstick === undefined) continue;
    const reading = history.tally(at, 'new').readBy(yardstick);
    if (reading.n > 0) readings.push({ slot, window, yardstick, reading });
  }
  return { thresholds, yardsticks, readings };
}
