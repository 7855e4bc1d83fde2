import { TICK_MS } from '../guard/slot.ts';
import { type GatewayReport, type SlotFeed, type StampedReport, TOLD_MS } from '../guard/slot-feed.ts';
import { Stamps } from './stamps.ts';

/** What nobody has read. */
const REPORTS_MAX = TOLD_MS / TICK_MS;

/** The counts of a single process, on their way to the one who judges in it. */
export class MemorySlotFeed implements SlotFeed {
  readonly #stamps = new Stamps();
  readonly #clock: () => number;
  #waiting: StampedReport[] = [];

  /** @param clock milliseconds since 1970 */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  async publish(report: GatewayReport): Promise<void> {
    this.#waiting.push({ ...report, atMs: this.#stamps.next(this.#clock()) });
    if (this.#waiting.length > REPORTS_MAX) this.#waiting.shift();
  }

  async read(): Promise<readonly StampedReport[]> {
    const reports = this.#waiting;
    this.#waiting = [];
    return reports;
  }

  close(): void {
    this.#waiting = [];
  }
}
