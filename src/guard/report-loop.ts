/**
 * Tells what a gateway counts, each tick. One telling at a time: while it is under way, counting goes on, and the next
 * one has it all. Counts that cannot be told are dropped: they would come into a second in which they did not happen.
 */
import type { Logger } from 'pino';
import type { AttemptCounter } from './attempt-counter.ts';
import { TICK_MS } from './slot.ts';
import type { SlotFeed } from './slot-feed.ts';

/** A gateway that has counted nothing says so this often, so that one that is gone is missed, milliseconds. */
const IDLE_MS = 1_000;

/** Between two tries while the feed does not answer, milliseconds. */
const RETRY_MS = 1_000;

export interface ReportLoopOptions {
  /** The id under which it is registered. */
  readonly gateway: string;
  readonly counter: Pick<AttemptCounter, 'drain' | 'ticked'>;
  readonly feed: Pick<SlotFeed, 'publish'>;
  readonly log: Logger;
  /** A monotonic clock, milliseconds. */
  readonly now: () => number;
}

export class ReportLoop {
  readonly #options: ReportLoopOptions;
  #timer: NodeJS.Timeout | undefined;
  #telling: Promise<void> | undefined;
  #toldMs = Number.NEGATIVE_INFINITY;
  #failedMs: number | undefined;
  #isClosed = false;
  #published = 0;
  #dropped = 0;

  constructor(options: ReportLoopOptions) {
    this.#options = options;
  }

  /** Reports that were told. */
  get published(): number {
    return this.#published;
  }

  /** Ticks whose counts nobody was told. */
  get dropped(): number {
    return this.#dropped;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.tick(), TICK_MS);
  }

  /** Tells nothing any more. Waits for nothing: whoever closes the feed ends what is under way. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  /** One tick. Resolves when its counts are told, or dropped. */
  async tick(): Promise<void> {
    const { gateway, counter, feed, now } = this.#options;
    counter.ticked();
    if (this.#telling !== undefined || this.#isClosed) return;
    const nowMs = now();
    const cohorts = counter.drain();
    if (this.#failedMs !== undefined && nowMs - this.#failedMs < RETRY_MS) {
      if (cohorts.size > 0) this.#dropped += 1;
      return;
    }
    if (cohorts.size === 0 && nowMs - this.#toldMs < IDLE_MS) return;
    this.#telling = feed
      .publish({ gateway, cohorts })
      .then(
        () => this.#told(nowMs),
        (error: unknown) => this.#failed(error, cohorts.size > 0),
      )
      .finally(() => {
        this.#telling = undefined;
      });
    await this.#telling;
  }

  #told(nowMs: number): void {
    this.#toldMs = nowMs;
    this.#published += 1;
    if (this.#failedMs === undefined) return;
    this.#failedMs = undefined;
    this.#options.log.info({ event: 'counts_told' }, 'what is counted for the guard is told again');
  }

  #failed(err: unknown, hadCounts: boolean): void {
    const { counter, log, now } = this.#options;
    // What was counted while the feed was waited for belongs to the seconds of then.
    if (counter.drain().size > 0 || hadCounts) this.#dropped += 1;
    if (this.#failedMs === undefined && !this.#isClosed)
      log.warn(
        { event: 'counts_dropped', err },
        'what is counted for the guard cannot be told and is dropped',
      );
    this.#failedMs = now();
  }
}
