/** Whether a condition trips on what was read, and whether it still does when one part of the requests is left out. */
import type { Condition } from './condition.ts';
import { Evidence } from './evidence.ts';
import type { Counts, SideSlot } from './slot.ts';
import type { Span } from './span.ts';
import { Tally } from './tally.ts';
import { Reading } from './yardstick.ts';

/**
 * The evidence at which the fast path trips: at a value exactly at the threshold, once in 10^8 seconds (three years) in
 * the mean, at most. With 10^9 an error rate of 1.5 times the threshold took a minute too often.
 */
export const EVIDENCE_BAR = Math.log(1e8);
/** The fast path wants at least so many bad ones, whatever the evidence. */
export const BAD_MIN = 8;
/** The newest requests, at least so many, have to be over the threshold as well: what is over moves nobody. */
export const NEWEST_MIN = 20;
/** A part is left out only if the others have at least this share of the requests: fewer have too little to say. */
export const OTHERS_MIN = 0.1;
/** Of the requests of the latest window, and of so many at least: who left before has nothing to say of now. */
export const OTHERS_OF_MIN = 100;
/** Gateways that are left out in turn: those with the largest excess. The rest of any other looks worse. */
const GATEWAYS_TRIED = 4;
/** With fewer user groups none is left out; with fewer than the second, one; else the worst two. */
const GROUPS_FOR_ONE = 4;
const GROUPS_FOR_TWO = 8;

export type TripPath = 'overwhelming' | 'windows';

export interface Assessment {
  readonly path: TripPath | undefined;
  /** Logarithm of the evidence, 0 or more. */
  readonly evidence: number;
  readonly windowsOver: number;
}

export interface Trip extends Assessment {
  /** Set where all requests together would trip it, and the others do not. */
  readonly apart: { readonly gateway?: string; readonly userGroups?: readonly number[] } | undefined;
}

export function tripOf(condition: Condition, span: Span): Trip {
  const whole = span.readings.map(({ reading }) => reading);
  const all = assess(condition, span, whole, condition.minRequests);
  if (all.path === undefined) return { ...all, apart: undefined };
  const apart = gatewayApart(condition, span) ?? userGroupsApart(condition, span);
  return apart === undefined ? { ...all, apart } : { ...all, path: undefined, apart };
}

/** @param readings as those of the span, of all requests or of some */
function assess(
  { windows, confidence }: Condition,
  span: Span,
  readings: readonly Reading[],
  minRequests: number,
): Assessment {
  const evidence = new Evidence();
  const total = new Reading();
  const sums = Array.from({ length: windows.of }, () => new Reading());
  readings.forEach((reading, at) => {
    if (reading.n <= 0) return;
    evidence.add(reading.factors);
    total.add(reading);
    sums[span.readings[at]?.window ?? windows.of]?.add(reading);
  });
  const isOver = sums.map(
    (sum, window) => sum.n >= minRequests && span.yardsticks[window]?.isOver(sum, confidence) === true,
  );
  const windowsOver = isOver.filter(Boolean).length;
  // Where nobody asks any more, nothing is known of now.
  const lasts = (sums[0]?.n ?? 0) > 0 && newestExcess(readings) > 0;
  let path: TripPath | undefined;
  if (lasts && evidence.isAtLeast(EVIDENCE_BAR) && total.bad >= BAD_MIN) path = 'overwhelming';
  else if (lasts && isOver[0] === true && windowsOver >= windows.over) path = 'windows';
  return { path, evidence: Math.max(0, evidence.log), windowsOver };
}

function newestExcess(readings: readonly Reading[]): number {
  let [n, excess] = [0, 0];
  for (let at = readings.length - 1; at >= 0 && n < NEWEST_MIN; at -= 1) {
    n += readings[at]?.n ?? 0;
    excess += readings[at]?.excess ?? 0;
  }
  return excess;
}

function gatewayApart(condition: Condition, span: Span): Trip['apart'] {
  const divide: Divide<string> = ({ byGateway }) => byGateway;
  for (const gateway of worstFirst(span, divide).slice(0, GATEWAYS_TRIED)) {
    if (!holdsWithout(condition, span, readPart(span, divide, [gateway]))) return { gateway };
  }
  return undefined;
}

function userGroupsApart(condition: Condition, span: Span): Trip['apart'] {
  const divide: Divide<number> = ({ byGroup }) => byGroup;
  const groups = worstFirst(span, divide);
  if (groups.length < GROUPS_FOR_ONE) return undefined;
  const most = groups.length < GROUPS_FOR_TWO ? 1 : 2;
  for (let left = 1; left <= most; left += 1) {
    const userGroups = groups.slice(0, left);
    if (!holdsWithout(condition, span, readPart(span, divide, userGroups))) return { userGroups };
  }
  return undefined;
}

type Divide<K> = (side: SideSlot) => ReadonlyMap<K, Counts>;

/** The parts that have requests, the one with the largest excess over the threshold first. */
function worstFirst<K>({ readings }: Span, divide: Divide<K>): K[] {
  const excesses = new Map<K, number>();
  const [tally, reading] = [new Tally(), new Reading()];
  for (const { slot, yardstick } of readings) {
    for (const [key, counts] of divide(slot.new)) {
      yardstick.read(tally.clear().add(counts, yardstick.usesLatency), reading);
      if (reading.n > 0) excesses.set(key, (excesses.get(key) ?? 0) + reading.excess);
    }
  }
  return [...excesses].sort(([, a], [, b]) => b - a).map(([key]) => key);
}

/** What some of the parts are together in each reading of the span. */
function readPart<K>({ readings }: Span, divide: Divide<K>, keys: readonly K[]): Reading[] {
  const tally = new Tally();
  return readings.map(({ slot, yardstick }) => {
    tally.clear();
    for (const key of keys) {
      const counts = divide(slot.new).get(key);
      if (counts !== undefined) tally.add(counts, yardstick.usesLatency);
    }
    return yardstick.read(tally);
  });
}

function holdsWithout(condition: Condition, span: Span, part: readonly Reading[]): boolean {
  const rest = span.readings.map(({ reading }, at) => {
    const left = new Reading().add(reading);
    const taken = part[at];
    return taken === undefined ? left : left.add(taken, -1);
  });
  let [all, others] = [0, 0];
  for (let at = rest.length - 1; at >= 0; at -= 1) {
    const whole = span.readings[at];
    if (whole === undefined || (whole.window > 0 && all >= OTHERS_OF_MIN)) break;
    all += whole.reading.n;
    others += rest[at]?.n ?? 0;
  }
  if (others < OTHERS_MIN * all) return true;
  return assess(condition, span, rest, 0).path !== undefined;
}
