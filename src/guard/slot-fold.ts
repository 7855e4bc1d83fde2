/** Adds the reports of all gateways up to slots of some seconds. */
import type { Backend } from '../model.ts';
import { LatencyBins } from './latency-bins.ts';
import { type Counts, FAILURE_KINDS, type FailureKind, type SideSlot, type Slot } from './slot.ts';
import type { SideReport, StampedReport } from './slot-feed.ts';

/** Counts that are added to. */
export class CountsSum implements Counts {
  requests = 0;
  failed = 0;
  stalled = 0;
  late = 0;
  compared = 0;
  mismatched = 0;
  readonly latency = new LatencyBins();

  add(counts: Counts): this {
    this.requests += counts.requests;
    this.failed += counts.failed;
    this.stalled += counts.stalled;
    this.late += counts.late;
    this.compared += counts.compared;
    this.mismatched += counts.mismatched;
    this.latency.add(counts.latency);
    return this;
  }
}

class SideSum implements SideSlot {
  readonly byGroup = new Map<number, CountsSum>();
  readonly byGateway = new Map<string, CountsSum>();
  readonly kinds: Partial<Record<FailureKind, number>> = {};

  add(gateway: string, { byGroup, kinds }: SideReport): void {
    const ofGateway = sumOf(this.byGateway, gateway);
    for (const [group, counts] of byGroup) {
      sumOf(this.byGroup, group).add(counts);
      ofGateway.add(counts);
    }
    for (const kind of FAILURE_KINDS) {
      const count = kinds[kind];
      if (count !== undefined) this.kinds[kind] = (this.kinds[kind] ?? 0) + count;
    }
  }
}

function sumOf<K>(sums: Map<K, CountsSum>, key: K): CountsSum {
  let sum = sums.get(key);
  if (sum === undefined) {
    sum = new CountsSum();
    sums.set(key, sum);
  }
  return sum;
}

class SlotSum {
  readonly second: number;
  readonly #legacy = new SideSum();
  readonly #new = new SideSum();
  #view: Slot | undefined;

  constructor(second: number) {
    this.second = second;
  }

  add(gateway: string, backend: Backend, report: SideReport): void {
    (backend === 'legacy' ? this.#legacy : this.#new).add(gateway, report);
    this.#view = undefined;
  }

  /** The same object, with the same sides, until something is added. */
  view(): Slot {
    this.#view ??= {
      second: this.second,
      legacy: viewOf(this.#legacy),
      new: viewOf(this.#new),
      mirrorBacklog: undefined,
    };
    return this.#view;
  }
}

function viewOf({ byGroup, byGateway, kinds }: SideSum): SideSlot {
  return { byGroup, byGateway, kinds };
}

export class SlotFold {
  readonly slotSeconds: number;
  /** By cohort and second, in the order of the seconds: moments never go back. */
  readonly #cohorts = new Map<string, Map<number, SlotSum>>();

  /** @param slotSeconds of how many seconds a slot is the sum; they begin at its multiples */
  constructor(slotSeconds: number) {
    this.slotSeconds = slotSeconds;
  }

  /** The first second of the slot that a second falls into. */
  begin(second: number): number {
    return Math.floor(second / this.slotSeconds) * this.slotSeconds;
  }

  /** @param report not earlier than the one before */
  add({ gateway, cohorts, atMs }: StampedReport): void {
    const second = this.begin(Math.floor(atMs / 1_000));
    for (const [cohort, sides] of cohorts) {
      const slot = this.#slot(cohort, second);
      if (sides.legacy !== undefined) slot.add(gateway, 'legacy', sides.legacy);
      if (sides.new !== undefined) slot.add(gateway, 'new', sides.new);
    }
  }

  #slot(cohort: string, second: number): SlotSum {
    let slots = this.#cohorts.get(cohort);
    if (slots === undefined) {
      slots = new Map();
      this.#cohorts.set(cohort, slots);
    }
    let slot = slots.get(second);
    if (slot === undefined) {
      slot = new SlotSum(second);
      slots.set(second, slot);
    }
    return slot;
  }

  get cohorts(): Iterable<string> {
    return this.#cohorts.keys();
  }

  /** Oldest first, those that begin before `end`. A slot is another object as soon as something was added to it. */
  slots(cohort: string, end = Number.POSITIVE_INFINITY): Slot[] {
    const slots: Slot[] = [];
    for (const slot of this.#cohorts.get(cohort)?.values() ?? []) {
      if (slot.second >= end) break;
      slots.push(slot.view());
    }
    return slots;
  }

  /** Forgets the slots that begin before `second`. */
  drop(second: number): void {
    for (const [cohort, slots] of this.#cohorts) {
      for (const at of slots.keys()) {
        if (at >= second) break;
        slots.delete(at);
      }
      if (slots.size === 0) this.#cohorts.delete(cohort);
    }
  }
}
