/**
 * Tells what a gateway counts, each tick; and soon again once it had to tell bad news. One telling at a time: while it is
 * under way, counting goes on, and the next one has it all. Counts that cannot be told are dropped: they would come into
 * a second in which they did not happen.
 *
 * When the next telling comes depends on what *was told*, never on what was counted since. A gateway that told a failure
 * at once, while others keep their good requests until their ticks, would show whoever judges more failures than there
 * are: docs/guard.md, section 'The fast path'.
 */
import type { Logger } from 'pino';
import type { AttemptCounter } from './attempt-counter.ts';
import { badNewsOf } from './bad-news.ts';
import { EARLY_MS, EarlyLooks } from './early-looks.ts';
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
  /** `setTimeout`, if absent. @returns what undoes it */
  readonly after?: (ms: number, run: () => void) => () => void;
}

function afterTimeout(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

export class ReportLoop {
  readonly #options: ReportLoopOptions;
  #timer: NodeJS.Timeout | undefined;
  readonly #early = new EarlyLooks();
  /** Takes back the telling between two ticks that is to come. */
  #cancelEarly: (() => void) | undefined;
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

  /** Tellings whose counts nobody was told. */
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
    this.#cancelEarly?.();
  }

  /** One tick. Resolves when its counts are told, or dropped. */
  async tick(): Promise<void> {
    this.#options.counter.ticked();
    this.#early.ticked();
    await this.#tell();
  }

  async #tell(): Promise<void> {
    const { gateway, counter, feed, now } = this.#options;
    if (this.#telling !== undefined || this.#isClosed) return;
    const nowMs = now();
    const cohorts = counter.drain();
    if (this.#failedMs !== undefined && nowMs - this.#failedMs < RETRY_MS) {
      if (cohorts.size > 0) this.#dropped += 1;
      return;
    }
    if (cohorts.size === 0 && nowMs - this.#toldMs < IDLE_MS) return;
    const report = { gateway, cohorts };
    this.#telling = feed
      .publish(report)
      .then(
        () => this.#told(nowMs, badNewsOf(report).length > 0),
        (error: unknown) => this.#failed(error, cohorts.size > 0),
      )
      .finally(() => {
        this.#telling = undefined;
      });
    await this.#telling;
  }

  #told(nowMs: number, isBad: boolean): void {
    this.#toldMs = nowMs;
    this.#published += 1;
    if (isBad) this.#tellSoon();
    if (this.#failedMs === undefined) return;
    this.#failedMs = undefined;
    this.#options.log.info({ event: 'counts_told' }, 'what is counted for the guard is told again');
  }

  /** Not a tick of the counter: by those it knows whether the process stood still. */
  #tellSoon(): void {
    if (this.#isClosed || this.#cancelEarly !== undefined || !this.#early.take()) return;
    this.#cancelEarly = (this.#options.after ?? afterTimeout)(EARLY_MS, () => {
      this.#cancelEarly = undefined;
      void this.#tell();
    });
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
