/** The seconds that are judged, and the record of them. */
import type { Slot } from './slot.ts';
import type { SlotBook } from './slot-book.ts';
import type { StampedReport } from './slot-feed.ts';
import { SlotRecorder, type SlotRecorderOptions } from './slot-recorder.ts';
import { SlotWindows } from './slot-windows.ts';

export interface RecordedBookOptions extends SlotRecorderOptions {
  /** How far back conditions look, seconds; as of now. */
  readonly reachSeconds: () => number;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
}

export class RecordedBook implements SlotBook {
  readonly #windows: SlotWindows;
  readonly #recorder: SlotRecorder;

  constructor(options: RecordedBookOptions) {
    this.#windows = new SlotWindows(options.reachSeconds, options.now);
    this.#recorder = new SlotRecorder(options);
  }

  add(reports: readonly StampedReport[]): void {
    this.#windows.add(reports);
    this.#recorder.add(reports, this.#windows.nowSecond());
  }

  nowSecond(): number | undefined {
    return this.#windows.nowSecond();
  }

  slots(cohort: string): readonly Slot[] {
    return this.#windows.slots(cohort);
  }

  close(): Promise<void> {
    return this.#recorder.close();
  }
}
