/** What is remembered of the slots: rows of five minutes, packed. The storage room keeps these promises. */

/** Of how many seconds a recorded slot is the sum. */
export const RECORDED_SLOT_SECONDS = 5;

/** A row's slots begin in these seconds from `from` on, at a multiple of them. */
export const PERIOD_SECONDS = 300;

/** How long rows are kept, milliseconds. */
export const RECORDED_MS = 14 * 86_400_000;

export interface RecordedPeriod {
  readonly cohort: string;
  /** The first second, of the clock that stamps the gateways' counts. */
  readonly from: number;
  /** All requests and comparisons in it: of two rows of one period, the one with more is the more complete. */
  readonly weight: number;
  /** See `slot-pack.ts`. */
  readonly packed: Uint8Array;
}

export interface RecordedSlots {
  /**
   * Keeps each period unless there is a row of it that has as much. Whoever else records the same may be faster, or
   * have seen less: nothing is counted twice. At most some hundred at a time, of different cohorts or periods.
   */
  saveSlots(periods: readonly RecordedPeriod[]): Promise<void>;
  /** Those that begin from `from` on and before `to`, seconds; the oldest first. @param limit 1 to 500 */
  readSlots(cohort: string, from: number, to: number, limit: number): Promise<readonly RecordedPeriod[]>;
  /** Forgets periods that begin before that second. */
  pruneSlots(before: number): Promise<void>;
}
