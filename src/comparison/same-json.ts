/**
 * Whether two documents are the same, and nothing about where they are not: one pass that stops at the first
 * difference. Most pairs of bodies that differ in bytes end here, so this is the hot loop of the room. It may say
 * no where the full comparison says yes, never the other way round.
 */
import { ExactNumber } from './exact-number.ts';
import { isArray, isObject, type Json, type JsonObject, member } from './json-tree.ts';
import { coverOf } from './leaf-rules.ts';
import { measure, noteNumber } from './parse-json.ts';
import type { Effects, RuleState } from './rule-state.ts';

/** What the pass has seen on its way. */
export interface Tally {
  leftKeys: number;
  /** Where `countsRight` is false: how many there have to be, if the answer is to be right. */
  rightKeys: number;
  /**
   * False: an object on the right may have more members than the one on the left. Whoever asks has to hold
   * `rightKeys` against the keys of the document, which the count in its text does at no further cost.
   */
  readonly countsRight: boolean;
  /** As in `Measure`. */
  hasZeros: boolean;
  hasExtremes: boolean;
  /** Labels of the rules that covered a difference. */
  readonly coveredBy: Set<string>;
  /** Visits that are left; at less than zero the answer is no. */
  work: number;
}

export function newTally(work: number, countsRight = true): Tally {
  return {
    leftKeys: 0,
    rightKeys: 0,
    countsRight,
    hasZeros: false,
    hasExtremes: false,
    coveredBy: new Set(),
    work,
  };
}

/** The same, value by value, without any rule. */
export function isSame(left: Json, right: Json, depthLeft: number, tally: Tally): boolean {
  if (left === right && (typeof left !== 'object' || left === null)) {
    if (typeof left === 'number') noteNumber(left, tally);
    return true;
  }
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  return isSameContainer(left, right, depthLeft, tally);
}

type Container = Exclude<Json, null | boolean | number | string>;

/**
 * The loops below repeat what `isSame` does with scalars: a call for each of them costs as much as the rest. They ask
 * for the types first, because two texts, or two numbers, that are known to be such are compared without a call.
 */
function isSameContainer(left: Container, right: Container, depthLeft: number, tally: Tally): boolean {
  if (depthLeft === 0) return false;
  if (isArray(left)) return isArray(right) && isSameArray(left, right, depthLeft, tally);
  return hasMembers(left) && hasMembers(right) && isSameObject(left, right, depthLeft, tally);
}

/** An `ExactNumber` passes for an object without members here: to ask each object costs more than to look at it later. */
function hasMembers(value: Container): value is JsonObject {
  return !isArray(value);
}

function isSameObject(left: JsonObject, right: JsonObject, depthLeft: number, tally: Tally): boolean {
  let keys = 0;
  for (const key in left) {
    keys += 1;
    const value = left[key];
    const other = right[key];
    if (typeof value === 'string') {
      if (typeof other !== 'string' || value !== other) return false;
    } else if (typeof value === 'number') {
      if (typeof other !== 'number' || value !== other) return false;
      if (!(value > SMALL && value < LARGE)) noteNumber(value, tally);
    } else if (typeof value !== 'object') {
      if (value !== other) return false;
    } else if (value !== null || other !== null) {
      if (typeof other !== 'object' || value === null || other === null) return false;
      if (!isSameContainer(value, other, depthLeft - 1, tally)) return false;
    }
  }
  if (tally.countsRight && !hasKeys(right, keys)) return false;
  if (keys === 0) return isSameWithoutMembers(left, right);
  tally.leftKeys += keys;
  tally.rightKeys += keys;
  tally.work -= keys;
  return tally.work >= 0;
}

function hasKeys(object: JsonObject, count: number): boolean {
  let left = count;
  for (const _ in object) left -= 1;
  return left === 0;
}

/** `{}`, or what looks like it: a number, or what `__proto__` is where nobody sent it. */
function isSameWithoutMembers(left: Json, right: Json): boolean {
  if (left instanceof ExactNumber) return right instanceof ExactNumber && left.key === right.key;
  return !(right instanceof ExactNumber) && left !== Object.prototype && right !== Object.prototype;
}

/** Most numbers are between these, and need no second look. */
const SMALL = 1e-290;
const LARGE = 1e290;

function isSameArray(
  left: readonly Json[],
  right: readonly Json[],
  depthLeft: number,
  tally: Tally,
): boolean {
  const { length } = left;
  tally.work -= length;
  if (right.length !== length || tally.work < 0) return false;
  for (let index = 0; index < length; index += 1) {
    const value = left[index];
    const other = right[index];
    if (typeof value === 'string') {
      if (typeof other !== 'string' || value !== other) return false;
    } else if (typeof value === 'number') {
      if (typeof other !== 'number' || value !== other) return false;
      if (!(value > SMALL && value < LARGE)) noteNumber(value, tally);
    } else if (typeof value !== 'object') {
      if (value !== other) return false;
    } else if (value !== null || other !== null) {
      if (typeof other !== 'object' || value === null || other === null) return false;
      if (!isSameContainer(value, other, depthLeft - 1, tally)) return false;
    }
  }
  return true;
}

/** The same as the rules see it, as far as that can be told in one pass: in order, members present on both sides. */
export function isSameUnder(
  left: Json,
  right: Json,
  state: RuleState,
  depthLeft: number,
  tally: Tally,
): boolean {
  if (state.isEmpty) return isSame(left, right, depthLeft, tally);
  const { effects } = state;
  if (effects?.ignore !== undefined) return isIgnored(left, right, effects.ignore, depthLeft, tally);
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return isSame(left, right, depthLeft, tally) || isCovered(left, right, effects, tally);
  }
  if (depthLeft === 0 || (effects !== undefined && effects.moves.length > 0)) return false;
  // A comparator is given all that is below it: rules for parts of that do not apply.
  if (effects?.normalise !== undefined) return isSame(left, right, depthLeft, tally);
  if (isArray(left)) {
    tally.work -= left.length;
    if (!isArray(right) || left.length !== right.length || tally.work < 0) return false;
    const isMatched = effects?.keyed !== undefined || effects?.unordered !== undefined;
    // The walk pairs them otherwise, and names another rule for it.
    if (isMatched && state.item(0).effects?.ignore !== undefined) return false;
    return left.every((item, index) => {
      const other = right[index];
      return other !== undefined && isSameUnder(item, other, state.item(index), depthLeft - 1, tally);
    });
  }
  if (left instanceof ExactNumber || right instanceof ExactNumber || isArray(right)) {
    return isSame(left, right, depthLeft, tally);
  }
  return isSameObjectUnder(left, right, state, depthLeft, tally);
}

function isCovered(left: Json, right: Json, effects: Effects | undefined, tally: Tally): boolean {
  if (effects === undefined || isContainer(left) || isContainer(right)) return false;
  // Comparators read whole texts, some of them long.
  tally.work -= (lengthOf(left) + lengthOf(right)) >> 4;
  const label = tally.work < 0 ? undefined : coverOf(left, right, effects);
  if (label === undefined) return false;
  if (typeof left === 'number') noteNumber(left, tally);
  if (typeof right === 'number') noteNumber(right, tally);
  tally.coveredBy.add(label);
  return true;
}

function isContainer(value: Json): boolean {
  return isArray(value) || isObject(value);
}

function lengthOf(value: Json): number {
  return typeof value === 'string' ? value.length : 0;
}

/** Covered by a rule; what is inside is counted all the same. */
function isIgnored(left: Json, right: Json, label: string, depthLeft: number, tally: Tally): boolean {
  if (!isContainer(left) && !isContainer(right)) {
    if (!isSame(left, right, depthLeft, tally)) tally.coveredBy.add(label);
    return true;
  }
  const inside = newTally(tally.work, tally.countsRight);
  if (isSame(left, right, depthLeft, inside)) {
    tally.leftKeys += inside.leftKeys;
    tally.rightKeys += inside.rightKeys;
    tally.hasZeros ||= inside.hasZeros;
    tally.hasExtremes ||= inside.hasExtremes;
    return true;
  }
  tally.coveredBy.add(label);
  const [one, other] = [measure(left, depthLeft), measure(right, depthLeft)];
  tally.leftKeys += one.keys;
  tally.rightKeys += other.keys;
  return !one.isTooDeep && !other.isTooDeep;
}

function isSameObjectUnder(
  left: JsonObject,
  right: JsonObject,
  state: RuleState,
  depthLeft: number,
  tally: Tally,
): boolean {
  let keys = 0;
  let shared = 0;
  let named = 0;
  const { unnamed } = state;
  for (const key in left) {
    keys += 1;
    const isNamed = state.names(key);
    const value = left[key];
    if (value === undefined) return false;
    if (!isNamed && unnamed.isEmpty) {
      // As in `isSameObject`.
      const other = right[key];
      if (typeof value === 'string') {
        if (typeof other !== 'string' || value !== other) return false;
      } else if (typeof value === 'number') {
        if (typeof other !== 'number' || value !== other) return false;
        if (!(value > SMALL && value < LARGE)) noteNumber(value, tally);
      } else if (typeof value !== 'object') {
        if (value !== other) return false;
      } else if (value !== null || other !== null) {
        if (typeof other !== 'object' || value === null || other === null) return false;
        if (!isSameContainer(value, other, depthLeft - 1, tally)) return false;
      }
      shared += 1;
      continue;
    }
    const next = isNamed ? state.member(key) : unnamed;
    if (isNamed) named += 1;
    const other = member(right, key);
    if (other !== undefined) {
      shared += 1;
      if (!isSameUnder(value, other, next, depthLeft - 1, tally)) return false;
    } else if (next.effects?.ignore === undefined) return false;
    else tally.leftKeys += coverOne(value, next.effects.ignore, depthLeft, tally);
  }
  tally.leftKeys += keys;
  tally.rightKeys += shared;
  tally.work -= keys;
  // No rule is left that could cover a member of the right side alone: whether there is one tells the count of all keys.
  const isCounted = !tally.countsRight && named === state.namesCount && unnamed.isEmpty && shared === keys;
  if (isCounted || hasKeys(right, shared)) return tally.work >= 0;
  return areOthersIgnored(left, right, state, depthLeft, tally);
}

/** Members that the right side has alone. */
function areOthersIgnored(
  left: JsonObject,
  right: JsonObject,
  state: RuleState,
  depthLeft: number,
  tally: Tally,
): boolean {
  for (const key in right) {
    tally.work -= 1;
    if (Object.hasOwn(left, key)) continue;
    const ignore = state.member(key).effects?.ignore;
    const value = right[key];
    if (ignore === undefined || value === undefined) return false;
    tally.rightKeys += 1 + coverOne(value, ignore, depthLeft, tally);
  }
  return tally.work >= 0;
}

/** A member that one side has alone and that is ignored. @returns the number of keys inside */
function coverOne(value: Json, label: string, depthLeft: number, tally: Tally): number {
  tally.coveredBy.add(label);
  return measure(value, depthLeft).keys;
}
