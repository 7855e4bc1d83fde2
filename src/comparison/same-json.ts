/**
 * Whether two documents are the same, and nothing about where they are not: one pass that stops at the first
 * difference. Most pairs of bodies that differ in bytes end here, so this is the hot loop of the room. It may say
 * no where the full comparison says yes, never the other way round.
 */
import { ExactNumber } from './exact-number.ts';
import { isArray, isObject, type Json, type JsonObject } from './json-tree.ts';
import { coverOf } from './leaf-rules.ts';
import { isExtreme, measure } from './parse-json.ts';
import type { Effects, RuleState } from './rule-state.ts';

/** What the pass has seen on its way. */
export interface Tally {
  leftKeys: number;
  rightKeys: number;
  /** A number that an exponent out of range may have become. */
  hasExtremes: boolean;
  /** Labels of the rules that covered a difference. */
  readonly coveredBy: Set<string>;
  /** Visits that are left; at less than zero the answer is no. */
  work: number;
}

export function newTally(work: number): Tally {
  return { leftKeys: 0, rightKeys: 0, hasExtremes: false, coveredBy: new Set(), work };
}

/** The same, value by value, without any rule. */
export function isSame(left: Json, right: Json, depthLeft: number, tally: Tally): boolean {
  if (left === right) {
    if (typeof left === 'number' && isExtreme(left)) tally.hasExtremes = true;
    return typeof left !== 'object' || left === null || countBoth(left, depthLeft, tally);
  }
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (depthLeft === 0) return false;
  if (isArray(left)) return isArray(right) && isSameArray(left, right, depthLeft, tally);
  if (left instanceof ExactNumber) return right instanceof ExactNumber && left.key === right.key;
  // Read through a prototype, `__proto__` is an object without members, which is not what anybody sent.
  if (isArray(right) || right instanceof ExactNumber || right === Object.prototype) return false;
  return isSameObject(left, right, depthLeft, tally);
}

/** One object on both sides: only its keys are of interest. */
function countBoth(value: Json, depthLeft: number, tally: Tally): boolean {
  const { keys, hasExtremes, isTooDeep } = measure(value, depthLeft);
  tally.leftKeys += keys;
  tally.rightKeys += keys;
  tally.hasExtremes ||= hasExtremes;
  return !isTooDeep;
}

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
    const item = left[index];
    const other = right[index];
    if (item === undefined || other === undefined) return false;
    if (item === other && typeof item === 'string') continue;
    if (!isSame(item, other, depthLeft - 1, tally)) return false;
  }
  return true;
}

function isSameObject(left: JsonObject, right: JsonObject, depthLeft: number, tally: Tally): boolean {
  let keys = 0;
  for (const key in left) {
    keys += 1;
    const value = left[key];
    const other = right[key];
    if (value === other && typeof value === 'string') continue;
    if (value === undefined || other === undefined || !isSame(value, other, depthLeft - 1, tally)) return false;
  }
  let others = 0;
  for (const _ in right) others += 1;
  tally.leftKeys += keys;
  tally.rightKeys += keys;
  tally.work -= keys;
  return keys === others && tally.work >= 0;
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
  if (isArray(left)) {
    tally.work -= left.length;
    if (!isArray(right) || left.length !== right.length || tally.work < 0) return false;
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
  if ((typeof left === 'number' && isExtreme(left)) || (typeof right === 'number' && isExtreme(right))) {
    tally.hasExtremes = true;
  }
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
  const inside = newTally(tally.work);
  if (isSame(left, right, depthLeft, inside)) {
    tally.leftKeys += inside.leftKeys;
    tally.rightKeys += inside.rightKeys;
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
  for (const key in left) {
    keys += 1;
    const value = left[key];
    if (value === undefined || !Object.hasOwn(right, key)) return false;
    const other = right[key];
    if (other === undefined || !isSameUnder(value, other, state.member(key), depthLeft - 1, tally)) return false;
  }
  let others = 0;
  for (const _ in right) others += 1;
  tally.leftKeys += keys;
  tally.rightKeys += keys;
  tally.work -= keys;
  return keys === others && tally.work >= 0;
}
