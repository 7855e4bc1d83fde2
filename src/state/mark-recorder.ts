/**
 * Writes marks to the record while requests wait for them: all that come while one statement runs share the next.
 */
import type { Mark, MarkStore } from '../cutover/write-marks-store.ts';
import { within } from './within.ts';

/** Marks in one statement. */
const BATCH_MAX = 1_000;

interface Waiting {
  readonly mark: Mark;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class MarkRecorder {
  readonly #store: Pick<MarkStore, 'addMarks'>;
  readonly #recordMs: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  /** @param recordMs bound on one statement, milliseconds */
  constructor(store: Pick<MarkStore, 'addMarks'>, recordMs: number) {
    this.#store = store;
    this.#recordMs = recordMs;
  }

  /** Resolves when the record has the mark; takes two statements at the most. @throws the record's error */
  add(mark: Mark): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ mark, resolve, reject });
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return promise;
  }

  async #write(): Promise<void> {
    // A turn for those that come together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX);
      try {
        const marks = batch.map(({ mark }) => mark);
        await within(this.#store.addMarks(marks), this.#recordMs, 'the record');
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  /** Settles when nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }
}
