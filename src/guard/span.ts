/** All that a condition looks at, slot by slot, read off against the threshold of the slot's window. */
import type { Condition } from './condition.ts';
import type { History } from './history.ts';
import type { RequestMetric } from './measure.ts';
import type { Slot } from './slot.ts';
import { type Threshold, thresholdOf, thresholdOfSlot } from './threshold.ts';
import { type Reading, type Yardstick, yardstickFor } from './yardstick.ts';

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

export function readSpan(condition: Condition, metric: RequestMetric, history: History): Span {
  const { windows, windowMs, over } = condition;
  const known = new Map<number, Yardstick>();
  const thresholds: Threshold[] = [];
  const yardsticks: (Yardstick | undefined)[] = [];
  for (let window = 0; window < windows.of; window += 1) {
    const threshold = thresholdOf(condition, metric, history, window);
    thresholds.push(threshold);
    yardsticks.push(threshold.trip === undefined ? undefined : yardstick(threshold.trip));
  }
  const readings: SlotReading[] = [];
  for (const slot of history.last(windows.of, windowMs)) {
    const window = history.windowOf(slot, windowMs);
    const base = thresholds[window]?.trip;
    if (base === undefined) continue;
    const measure = yardstick(thresholdOfSlot(condition, metric, history.tally(slot, 'legacy'), base));
    const reading = measure.read(history.tally(slot, 'new'));
    if (reading.n > 0) readings.push({ slot, window, yardstick: measure, reading });
  }
  return { thresholds, yardsticks, readings: readings.reverse() };

  function yardstick(threshold: number): Yardstick {
    const made = known.get(threshold) ?? yardstickFor(metric, threshold, over ?? threshold);
    known.set(threshold, made);
    return made;
  }
}
