/** Counts that are added up quickly: bins of latency as an array, and where they begin and end. */
import { BINS_MAX, binFloorMs, type Counts, type SideSlot } from './slot.ts';
import type { Reading, Yardstick } from './yardstick.ts';

const READ_MAX = 16;

/** The lower edge of each bin, milliseconds, and its middle. */
export const FLOORS: readonly number[] = Array.from({ length: BINS_MAX + 1 }, (_, bin) => binFloorMs(bin));
export const MIDDLES: readonly number[] = Array.from({ length: BINS_MAX }, (_, bin) =>
  bin === 0 ? 0.5 : Math.sqrt((FLOORS[bin] ?? 0) * (FLOORS[bin + 1] ?? 0)),
);

export class Tally {
  requests = 0;
  failed = 0;
  stalled = 0;
  late = 0;
  compared = 0;
  mismatched = 0;
  /** Sum of all latencies, each as the middle of its bin. */
  latencyMs = 0;
  /** Requests by bin of latency. */
  readonly bins = new Float64Array(BINS_MAX);
  /** The bins outside of [low, high) are empty. */
  low = BINS_MAX;
  high = 0;
  #read: Map<Yardstick, Reading> | undefined;

  /** Empties it, to be used again. */
  clear(): this {
    this.bins.fill(0, this.low, Math.max(this.low, this.high));
    this.low = BINS_MAX;
    this.high = 0;
    this.requests = this.failed = this.stalled = this.late = this.compared = this.mismatched = 0;
    this.latencyMs = 0;
    return this;
  }

  /** What a yardstick reads off it; known from then on, so that nothing may be added any more. */
  readBy(yardstick: Yardstick): Reading {
    const known = this.#read?.get(yardstick);
    if (known !== undefined) return known;
    const reading = yardstick.read(this);
    // Thresholds that follow legacy change with each second.
    if (this.#read === undefined || this.#read.size >= READ_MAX) this.#read = new Map();
    this.#read.set(yardstick, reading);
    return reading;
  }

  /** @param withLatency `false` where nobody looks at the bins, which are most of the work */
  add(counts: Counts, withLatency = true): this {
    this.#addNumbers(counts);
    if (!withLatency) return this;
    for (const [bin, requests] of counts.latency) {
      if (bin < 0 || bin >= BINS_MAX) continue;
      this.bins[bin] = (this.bins[bin] ?? 0) + requests;
      this.latencyMs += requests * (MIDDLES[bin] ?? 0);
      if (bin < this.low) this.low = bin;
      if (bin >= this.high) this.high = bin + 1;
    }
    return this;
  }

  addTally(other: Tally, withLatency = true): this {
    this.#addNumbers(other);
    this.latencyMs += other.latencyMs;
    if (!withLatency) return this;
    for (let bin = other.low; bin < other.high; bin += 1) {
      this.bins[bin] = (this.bins[bin] ?? 0) + (other.bins[bin] ?? 0);
    }
    this.low = Math.min(this.low, other.low);
    this.high = Math.max(this.high, other.high);
    return this;
  }

  #addNumbers(other: Omit<Counts, 'latency'>): void {
    this.requests += other.requests;
    this.failed += other.failed;
    this.stalled += other.stalled;
    this.late += other.late;
    this.compared += other.compared;
    this.mismatched += other.mismatched;
  }
}

/** All of one backend's slot. Both of its divisions hold the same requests; there are fewer gateways. */
export function tallyOf(side: SideSlot): Tally {
  const tally = new Tally();
  const parts = side.byGateway.size > 0 ? side.byGateway : side.byGroup;
  for (const counts of parts.values()) tally.add(counts);
  return tally;
}
