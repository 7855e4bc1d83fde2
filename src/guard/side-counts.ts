/**
 * What one gateway counts of one cohort at one backend between two ticks: an array of numbers, so that counting is a
 * few additions.
 */

import { BINS_MAX, type Counts, FAILURE_KINDS, type FailureKind, latencyBin, USER_GROUPS } from './slot.ts';
import type { SideReport } from './slot-feed.ts';

/** Of a group's stretch of the array: these, and the bins of latency behind them. */
const FAILED = 0;
const STALLED = 1;
const LATE = 2;
const COMPARED = 3;
const MISMATCHED = 4;
const BINS = 5;
const STRIDE = BINS + BINS_MAX;

const KIND_INDEX: Readonly<Record<FailureKind, number>> = {
  connect: 0,
  timeout: 1,
  reset: 2,
  status: 3,
  overload: 4,
};

/** Since the start of the process. */
export interface SideTotals {
  requests: number;
  failed: number;
  stalled: number;
  readonly kinds: Record<FailureKind, number>;
}

export class SideCounts {
  readonly totals: SideTotals = {
    requests: 0,
    failed: 0,
    stalled: 0,
    kinds: { connect: 0, timeout: 0, reset: 0, status: 0, overload: 0 },
  };
  readonly #cells = new Uint32Array(USER_GROUPS * STRIDE);
  readonly #kinds = new Uint32Array(FAILURE_KINDS.length);
  /** A bit for each group in which something was counted since the last tick. */
  #touched = 0;
  #kindsTouched = false;

  /** A request is over, or its answer has begun. @param isLate it was counted as stalled before */
  request(group: number, ms: number, isLate: boolean): void {
    this.#add(group, BINS + latencyBin(ms));
    if (isLate) this.#add(group, LATE);
  }

  /** A request that was counted, or is in the same turn, has failed. @param counts whether as failed, or by kind only */
  failure(group: number, kind: FailureKind, counts: boolean): void {
    const index = KIND_INDEX[kind];
    this.#kinds[index] = (this.#kinds[index] ?? 0) + 1;
    this.#kindsTouched = true;
    if (counts) this.#add(group, FAILED);
  }

  stalled(group: number): void {
    this.#add(group, STALLED);
  }

  compared(group: number, isMismatch: boolean): void {
    this.#add(group, COMPARED);
    if (isMismatch) this.#add(group, MISMATCHED);
  }

  #add(group: number, field: number): void {
    const at = group * STRIDE + field;
    this.#cells[at] = (this.#cells[at] ?? 0) + 1;
    this.#touched |= 1 << group;
  }

  /** What was counted since the last call; `undefined` for nothing. */
  drain(): SideReport | undefined {
    const touched = this.#touched;
    if (touched === 0 && !this.#kindsTouched) return undefined;
    this.#touched = 0;
    const byGroup = new Map<number, Counts>();
    for (let group = 0; group < USER_GROUPS; group += 1) {
      if ((touched & (1 << group)) === 0) continue;
      const counts = this.#drainGroup(group);
      if (counts !== undefined) byGroup.set(group, counts);
    }
    const kinds = this.#drainKinds();
    return byGroup.size === 0 && Object.keys(kinds).length === 0 ? undefined : { byGroup, kinds };
  }

  #drainGroup(group: number): Counts | undefined {
    const cells = this.#cells.subarray(group * STRIDE, (group + 1) * STRIDE);
    const latency = new Map<number, number>();
    let requests = 0;
    for (let bin = 0; bin < BINS_MAX; bin += 1) {
      const count = cells[BINS + bin] ?? 0;
      if (count === 0) continue;
      latency.set(bin, count);
      requests += count;
    }
    // An answer may break off in a later tick than the one in which its head was counted. What is over then waits
    // for the group's next requests, so that no report has more failures than requests.
    const broken = cells[FAILED] ?? 0;
    const failed = Math.min(broken, requests);
    const counts = {
      requests,
      failed,
      stalled: cells[STALLED] ?? 0,
      late: cells[LATE] ?? 0,
      compared: cells[COMPARED] ?? 0,
      mismatched: cells[MISMATCHED] ?? 0,
      latency,
    };
    cells.fill(0);
    if (broken > failed) {
      cells[FAILED] = broken - failed;
      this.#touched |= 1 << group;
    }
    this.totals.requests += requests;
    this.totals.failed += failed;
    this.totals.stalled += counts.stalled;
    const isNothing = requests === 0 && counts.stalled === 0 && counts.compared === 0;
    return isNothing ? undefined : counts;
  }

  #drainKinds(): Partial<Record<FailureKind, number>> {
    const kinds: Partial<Record<FailureKind, number>> = {};
    if (!this.#kindsTouched) return kinds;
    this.#kindsTouched = false;
    for (const kind of FAILURE_KINDS) {
      const count = this.#kinds[KIND_INDEX[kind]] ?? 0;
      if (count === 0) continue;
      kinds[kind] = count;
      this.totals.kinds[kind] += count;
    }
    this.#kinds.fill(0);
    return kinds;
  }
}
