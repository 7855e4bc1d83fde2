/** Folds what the gateways tell into seconds: one slot for each cohort and second, all gateways together. */
import { type Counts, FAILURE_KINDS, type FailureKind, type SideSlot, type Slot } from './slot.ts';
import type { SideReport, StampedReport } from './slot-feed.ts';

/** What the engine needs of whoever does that. */
export interface SlotBook {
  /** Takes in what came since the last call, in order. Called each tick, also with nothing. */
  add(reports: readonly StampedReport[]): void;
  /** The second that it is now, by the clock that stamps the reports; `undefined` before the first one. */
  nowSecond(): number | undefined;
  /** Oldest first, at least of the last ten minutes; a second without counts is absent. */
  slots(cohort: string): readonly Slot[];
}

interface OpenSide extends SideSlot {
  readonly byGroup: Map<number, Counts>;
  readonly byGateway: Map<string, Counts>;
  readonly kinds: Partial<Record<FailureKind, number>>;
}

interface OpenSlot extends Slot {
  readonly legacy: OpenSide;
  readonly new: OpenSide;
}

const KEPT_S = 900;

function plus(one: Counts | undefined, other: Counts): Counts {
  if (one === undefined) return other;
  const latency = new Map(one.latency);
  for (const [bin, count] of other.latency) latency.set(bin, (latency.get(bin) ?? 0) + count);
  return {
    requests: one.requests + other.requests,
    failed: one.failed + other.failed,
    stalled: one.stalled + other.stalled,
    late: one.late + other.late,
    compared: one.compared + other.compared,
    mismatched: one.mismatched + other.mismatched,
    latency,
  };
}

function addSide(side: OpenSide, gateway: string, report: SideReport): void {
  for (const [group, counts] of report.byGroup) {
    side.byGroup.set(group, plus(side.byGroup.get(group), counts));
    side.byGateway.set(gateway, plus(side.byGateway.get(gateway), counts));
  }
  for (const kind of FAILURE_KINDS) {
    const count = report.kinds[kind] ?? 0;
    if (count > 0) side.kinds[kind] = (side.kinds[kind] ?? 0) + count;
  }
}

function openSide(): OpenSide {
  return { byGroup: new Map(), byGateway: new Map(), kinds: {} };
}

export class FoldedSlots implements SlotBook {
  readonly #cohorts = new Map<string, OpenSlot[]>();
  readonly #now: () => number;
  /** The clock of the stamps over this process's own, milliseconds. */
  #offsetMs = -Infinity;

  /** @param now monotonic, milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(reports: readonly StampedReport[]): void {
    for (const { atMs, gateway, cohorts } of reports) {
      // The one that came in the fastest tells best what time it is.
      this.#offsetMs = Math.max(this.#offsetMs, atMs - this.#now());
      for (const [cohort, sides] of cohorts) {
        const slot = this.#slot(cohort, Math.floor(atMs / 1_000));
        if (sides.legacy !== undefined) addSide(slot.legacy, gateway, sides.legacy);
        if (sides.new !== undefined) addSide(slot.new, gateway, sides.new);
      }
    }
    this.#forget();
  }

  #slot(cohort: string, second: number): OpenSlot {
    const slots = this.#cohorts.get(cohort) ?? [];
    if (slots.length === 0) this.#cohorts.set(cohort, slots);
    const last = slots.at(-1);
    if (last?.second === second) return last;
    const slot = { second, legacy: openSide(), new: openSide(), mirrorBacklog: undefined };
    slots.push(slot);
    return slot;
  }

  #forget(): void {
    const nowSecond = this.nowSecond();
    if (nowSecond === undefined) return;
    for (const [cohort, slots] of this.#cohorts) {
      const kept = slots.findIndex(({ second }) => second > nowSecond - KEPT_S);
      if (kept === -1) this.#cohorts.delete(cohort);
      else if (kept > 60) slots.splice(0, kept);
    }
  }

  nowSecond(): number | undefined {
    return this.#offsetMs === -Infinity ? undefined : Math.floor((this.#now() + this.#offsetMs) / 1_000);
  }

  slots(cohort: string): readonly Slot[] {
    return this.#cohorts.get(cohort) ?? [];
  }
}
