/** What the engine needs of whoever folds the gateways' counts into seconds. */
import type { Slot } from './slot.ts';
import type { StampedReport } from './slot-feed.ts';

export interface SlotBook {
  /** Takes in what came since the last call, in order. Called each tick, also with nothing. */
  add(reports: readonly StampedReport[]): void;
  /** The second that it is now, by the clock that stamps the reports; `undefined` before the first one. */
  nowSecond(): number | undefined;
  /** Oldest first, at least of the last ten minutes; a second without counts is absent. */
  slots(cohort: string): readonly Slot[];
  /** Resolves when what is kept for later is kept; bounded by some seconds. */
  close?(): Promise<void>;
}
