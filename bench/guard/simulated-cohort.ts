/** One cohort's requests, drawn second by second as sums, and as slots where somebody wants to judge them. */
import type { Condition } from '../../src/guard/condition.ts';
import { MEAN_SHARE } from '../../src/guard/evidence.ts';
import { windowSeconds } from '../../src/guard/history.ts';
import { TripScreen } from '../../src/guard/screen.ts';
import { type Counts, NO_COUNTS, type SideSlot, type Slot, USER_GROUPS } from '../../src/guard/slot.ts';
import { EVIDENCE_SECONDS } from '../../src/guard/span.ts';
import { Tally } from '../../src/guard/tally.ts';
import { OTHERS_MIN, OTHERS_OF_MIN } from '../../src/guard/trip.ts';
import { Reading, type Yardstick, yardstickFor } from '../../src/guard/yardstick.ts';
import { badOutcomes, type Cell, conditionFor, type Outcomes, outcomesOf, THRESHOLDS } from './cell.ts';
import { Poisson, type Random } from './random.ts';
import { factorOf, LEVELS } from './traffic.ts';

const GATEWAYS = ['g1', 'g2', 'g3'] as const;
/** The part in trouble: this gateway, or the users of this group. */
const BAD_GATEWAY = 'g3';
const BAD_GROUP = 0;

/** Independent Poisson draws, one for each outcome: the same as drawing a number of requests and each one's outcome. */
class Stream {
  readonly #outcomes: Outcomes;
  readonly #draws: readonly (readonly Poisson[])[];

  /** @param rate requests a second at a factor of 1; 0 for none */
  constructor(rate: number, outcomes: Outcomes) {
    this.#outcomes = outcomes;
    this.#draws =
      rate === 0
        ? []
        : Array.from({ length: LEVELS }, (_, level) =>
            outcomes.shares.map((share) => new Poisson(rate * share * factorOf(level))),
          );
  }

  draw(level: number, random: Random, into: Tally): void {
    into.clear();
    const draws = this.#draws[level] ?? [];
    for (let outcome = 0; outcome < draws.length; outcome += 1) {
      const requests = draws[outcome]?.draw(random) ?? 0;
      if (requests > 0) this.#outcomes.add(into, outcome, requests);
    }
  }
}

interface Second {
  second: number;
  /** Requests for which the condition has to hold by themselves, if it is to trip. */
  readonly others: Tally;
  /** Of the bad gateway, or of the bad user. */
  readonly bad: Tally;
  /** Of the other users in the bad user's group. */
  readonly beside: Tally;
  /** The most excess that one group of the others can have: that of all of them, without what is good. */
  worst: number;
  slot: Slot | undefined;
}

export class SimulatedCohort {
  readonly condition: Condition;
  readonly #cell: Cell;
  readonly #random: Random;
  #others: Stream;
  readonly #bad: Stream;
  readonly #beside: Stream;
  /** What the mean of the variable may be at most, and what the yardstick is. */
  readonly #m: number;
  readonly #yardstick: Yardstick;
  readonly #reading = new Reading();
  readonly #ring: readonly Second[];
  #oldest = 0;
  #next = 0;
  #screen: TripScreen;
  /** Over all seconds in the ring. */
  #sums = { others: 0, worst: 0, bad: 0, beside: 0 };

  constructor(cell: Cell, random: Random) {
    this.#cell = cell;
    this.#random = random;
    this.condition = conditionFor(cell.metric);
    const { windows, windowMs } = this.condition;
    const good = outcomesOf(cell.metric, cell.value);
    const bad = badOutcomes(cell.metric);
    const { trouble, rate } = cell;
    this.#others = new Stream(rate * othersShare(cell), good);
    const badShare = trouble.kind === 'user' ? trouble.share : trouble.kind === 'gateway' ? 1 / 3 : 0;
    this.#bad = new Stream(rate * badShare, bad);
    this.#beside = new Stream(rate * (1 - badShare - othersShare(cell)), good);
    this.#yardstick = yardstickFor(cell.metric, THRESHOLDS[cell.metric], THRESHOLDS[cell.metric]);
    const empty = (): Tally => new Tally();
    this.#m = cell.metric === 'errorRate' ? THRESHOLDS.errorRate : MEAN_SHARE;
    const seconds = Math.max(EVIDENCE_SECONDS, windows.of * windowSeconds(windowMs));
    this.#ring = Array.from({ length: seconds }, () => ({
      second: 0,
      others: empty(),
      bad: empty(),
      beside: empty(),
      worst: 0,
      slot: undefined,
    }));
    this.#screen = new TripScreen(this.condition);
  }

  /** From now on the requests without trouble have this value. */
  change(value: number): void {
    this.#others = new Stream(
      this.#cell.rate * othersShare(this.#cell),
      outcomesOf(this.#cell.metric, value),
    );
  }

  /** As if no request had been seen before. */
  forget(): void {
    this.#oldest = this.#next;
    this.#sums = { others: 0, worst: 0, bad: 0, beside: 0 };
    this.#screen = new TripScreen(this.condition);
  }

  /** @returns whether the condition may trip at this second; if not, it does not */
  draw(second: number, level: number): boolean {
    const one = this.#ring[this.#next % this.#ring.length];
    if (one === undefined) return true;
    if (this.#next - this.#oldest === this.#ring.length) {
      this.#addSums(one, -1);
      this.#oldest += 1;
    }
    this.#next += 1;
    one.second = second;
    one.slot = undefined;
    this.#others.draw(level, this.#random, one.others);
    const { kind } = this.#cell.trouble;
    if (kind !== 'none') this.#bad.draw(level, this.#random, one.bad);
    if (kind === 'user') {
      this.#beside.draw(level, this.#random, one.beside);
      const { excess, n } = this.#yardstick.read(one.others, this.#reading);
      one.worst = excess + this.#m * n;
    }
    this.#addSums(one, 1);
    const mayTrip = this.#screen.push(second, one.others);
    return mayTrip || !this.#isBadPartLeftOut();
  }

  /**
   * The judge leaves out the part in trouble, so that the condition has to hold for the others: then screening those is
   * exact. A gateway is left out always, unless hardly anything is left; a user group if it is the worst, for which it is
   * enough that all bad requests of the others together are less; with 40 requests at least four groups are active
   * (but for a chance of 10^-25).
   */
  #isBadPartLeftOut(): boolean {
    const { others, worst, bad, beside } = this.#sums;
    switch (this.#cell.trouble.kind) {
      case 'none':
        return true;
      case 'gateway':
        return this.#haveOthersEnough();
      case 'user':
        return (
          others >= 40 && this.#haveOthersEnough() && (1 - this.#m) * bad - this.#m * beside > worst + 1e-6
        );
      default:
        return this.#cell.trouble satisfies never;
    }
  }

  /** Whether the judge finds that the others have enough to say: a tenth, of the newest requests. */
  #haveOthersEnough(): boolean {
    let [all, others] = [0, 0];
    const windowBegins = this.#next - windowSeconds(this.condition.windowMs);
    for (let at = this.#next - 1; at >= this.#oldest; at -= 1) {
      if (at < windowBegins && all >= OTHERS_OF_MIN) break;
      const one = this.#ring[at % this.#ring.length];
      if (one === undefined) break;
      others += one.others.requests;
      all += one.others.requests + one.bad.requests + one.beside.requests;
    }
    return others >= OTHERS_MIN * all;
  }

  #addSums({ others, bad, beside, worst }: Second, factor: 1 | -1): void {
    this.#sums.others += factor * others.requests;
    this.#sums.worst += factor * worst;
    this.#sums.bad += factor * bad.requests;
    this.#sums.beside += factor * beside.requests;
  }

  /** The slots that the condition looks at, divided among gateways and groups. The division is drawn when it is asked for. */
  slots(): readonly Slot[] {
    const slots: Slot[] = [];
    for (let at = this.#oldest; at < this.#next; at += 1) {
      const one = this.#ring[at % this.#ring.length];
      if (one === undefined) continue;
      one.slot ??= this.#divide(one);
      slots.push(one.slot);
    }
    return slots;
  }

  #divide({ second, others, bad, beside }: Second): Slot {
    const { kind } = this.#cell.trouble;
    const divided = new Divided(this.#random);
    const groups = Array.from({ length: USER_GROUPS }, (_, group) => group);
    const withoutBad = kind === 'user' ? groups.filter((group) => group !== BAD_GROUP) : groups;
    const sound = kind === 'gateway' ? GATEWAYS.filter((gateway) => gateway !== BAD_GATEWAY) : GATEWAYS;
    divided.add(others, withoutBad, sound);
    divided.add(bad, kind === 'user' ? [BAD_GROUP] : groups, kind === 'gateway' ? [BAD_GATEWAY] : GATEWAYS);
    divided.add(beside, [BAD_GROUP], GATEWAYS);
    return { second, new: divided.side(), legacy: NOBODY, mirrorBacklog: undefined };
  }
}

const NOBODY: SideSlot = { byGroup: new Map(), byGateway: new Map(), kinds: {} };

/** Of all requests, those for which the condition has to hold by themselves. */
function othersShare({ trouble }: Cell): number {
  switch (trouble.kind) {
    case 'none':
      return 1;
    case 'gateway':
      return 2 / 3;
    case 'user':
      return ((1 - trouble.share) * (USER_GROUPS - 1)) / USER_GROUPS;
    default:
      return trouble satisfies never;
  }
}

interface Part {
  requests: number;
  failed: number;
  readonly latency: Map<number, number>;
}

/** Requests, each in one of the groups and at one of the gateways by chance. */
class Divided {
  readonly #random: Random;
  readonly #byGroup = new Map<number, Part>();
  readonly #byGateway = new Map<string, Part>();

  constructor(random: Random) {
    this.#random = random;
  }

  add(tally: Tally, groups: readonly number[], gateways: readonly string[]): void {
    // Which of them failed does not depend on their latency: these are all in one bin, or none failed.
    let failed = tally.failed;
    for (let bin = tally.low; bin < tally.high; bin += 1) {
      for (let left = tally.bins[bin] ?? 0; left > 0; left -= 1) {
        const isFailed = failed > 0;
        if (isFailed) failed -= 1;
        addTo(this.#byGroup, groups[this.#random.below(groups.length)] ?? 0, bin, isFailed);
        addTo(this.#byGateway, gateways[this.#random.below(gateways.length)] ?? '', bin, isFailed);
      }
    }
  }

  side(): SideSlot {
    return { byGroup: countsOf(this.#byGroup), byGateway: countsOf(this.#byGateway), kinds: {} };
  }
}

function addTo<K>(parts: Map<K, Part>, key: K, bin: number, isFailed: boolean): void {
  let part = parts.get(key);
  if (part === undefined) {
    part = { requests: 0, failed: 0, latency: new Map() };
    parts.set(key, part);
  }
  part.requests += 1;
  if (isFailed) part.failed += 1;
  part.latency.set(bin, (part.latency.get(bin) ?? 0) + 1);
}

function countsOf<K>(parts: ReadonlyMap<K, Part>): Map<K, Counts> {
  return new Map([...parts].map(([key, part]): [K, Counts] => [key, { ...NO_COUNTS, ...part }]));
}
