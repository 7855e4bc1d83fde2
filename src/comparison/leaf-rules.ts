/**
 * The rules that make two values equal which are not: tolerances and comparators.
 */
import { canonical } from './canonical.ts';
import { ExactNumber, isWithin } from './exact-number.ts';
import type { Json } from './json-tree.ts';
import { readTime } from './read-time.ts';
import type { Effects, Tolerance } from './rule-state.ts';

/** @returns the label of the rule under which they are equal */
export function coverOf(left: Json, right: Json, effects: Effects): string | undefined {
  const { normalise, tolerance } = effects;
  if (normalise !== undefined) {
    const { normaliser, label } = normalise;
    if (canonical(normaliser(left)) === canonical(normaliser(right))) return label;
  }
  return tolerance !== undefined && isTolerated(left, right, tolerance.tolerance)
    ? tolerance.label
    : undefined;
}

/** Whether the values are numbers, or times, that are near enough to each other. */
export function isTolerated(left: Json, right: Json, tolerance: Tolerance): boolean {
  const { absolute, relative, timeMs } = tolerance;
  if ((absolute > 0 || relative > 0) && isNumber(left) && isNumber(right)) {
    if (isNear(left, right, absolute, relative)) return true;
  }
  if (timeMs === undefined) return false;
  const [one, other] = [readTime(left), readTime(right)];
  return one !== undefined && other !== undefined && Math.abs(one - other) <= timeMs;
}

function isNumber(value: Json): value is number | ExactNumber {
  return typeof value === 'number' || value instanceof ExactNumber;
}

/** Far from the bound the doubles are trusted; near it the decimals are asked, at some microseconds. */
function isNear(
  left: number | ExactNumber,
  right: number | ExactNumber,
  absolute: number,
  relative: number,
): boolean {
  if (typeof left === 'number' && typeof right === 'number') {
    const gap = Math.abs(left - right);
    const bound = Math.max(absolute, relative * Math.max(Math.abs(left), Math.abs(right)));
    if (gap < bound * 0.999_999) return true;
    if (gap > bound * 1.000_001) return false;
  }
  return isWithin(left, right, absolute, relative);
}
