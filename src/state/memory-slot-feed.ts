import { badNewsOf } from '../guard/bad-news.ts';
import { TICK_MS } from '../guard/slot.ts';
import { type GatewayReport, type SlotFeed, type StampedReport, TOLD_MS } from '../guard/slot-feed.ts';
import { Stamps } from './stamps.ts';

/** What nobody has read: of ten minutes of ticks. */
const REPORTS_MAX = TOLD_MS / TICK_MS;

/** The counts of a single process, on their way to the one who judges in it. */
export class MemorySlotFeed implements SlotFeed {
  readonly #stamps = new Stamps();
  readonly #listeners = new Set<() => void>();
  readonly #clock: () => number;
  #waiting: StampedReport[] = [];

  /** @param clock milliseconds since 1970 */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  async publish(report: GatewayReport): Promise<void> {
    this.#waiting.push({ ...report, atMs: this.#stamps.next(this.#clock()) });
    if (this.#waiting.length > REPORTS_MAX) this.#waiting.shift();
    if (badNewsOf(report).length > 0) for (const listener of this.#listeners) listener();
  }

  async read(): Promise<readonly StampedReport[]> {
    const reports = this.#waiting;
    this.#waiting = [];
    return reports;
  }

  onBadNews(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#waiting = [];
  }
}
