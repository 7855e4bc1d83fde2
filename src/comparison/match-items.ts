/**
 * Which item of one array is compared with which item of the other.
 */
import { fieldKey, type KeyContext, keyUnder, type Work } from './item-key.ts';
import type { Json } from './json-tree.ts';
import type { RuleState } from './rule-state.ts';

/** Items that belong together, or one that has no counterpart. At least one of the two is there. */
export interface ItemPair {
  readonly leftIndex: number | undefined;
  readonly rightIndex: number | undefined;
}

export interface Matching {
  /** The pairs that are left to compare; pairs known to be equal are not among them. */
  readonly pairs: readonly ItemPair[];
  /** The arrays have the same items in another order, and no rule says that this is the same. */
  readonly isReordered: boolean;
  /** The rule that brought items together which stand at different places. */
  readonly label: string | undefined;
}

export interface ItemComparison {
  readonly left: KeyContext;
  readonly right: KeyContext;
  readonly work: Work;
  /** Cheap, and may say no where the rules say yes. */
  isSameInOrder(left: Json, right: Json, state: RuleState): boolean;
  /** Exact, and dear. */
  isEqual(left: Json, right: Json, state: RuleState): boolean;
}

type Items = readonly Json[];

export function arrayPairs(left: Items, right: Items, state: RuleState, items: ItemComparison): Matching {
  const { effects } = state;
  if (effects?.keyed !== undefined) {
    return keyedPairs(left, right, state, effects.keyed, items);
  }
  if (effects?.unordered !== undefined) {
    return unorderedPairs(left, right, state, effects.unordered, items);
  }
  return orderedPairs(left, right, state, items);
}

/** More items than this, and it is not looked whether they are only in another order. */
const REORDERED_ITEMS_MAX = 10_000;

function orderedPairs(left: Items, right: Items, state: RuleState, items: ItemComparison): Matching {
  const isSameAt = (leftIndex: number, rightIndex: number): boolean => {
    const [one, other] = [left[leftIndex], right[rightIndex]];
    if (one === undefined || other === undefined) return false;
    if (one === other && typeof one !== 'object') return true;
    return items.isSameInOrder(one, other, state.item(leftIndex));
  };
  if (left.length === right.length) {
    const pairs: ItemPair[] = [];
    for (let index = 0; index < left.length; index += 1) {
      if (!isSameAt(index, index)) pairs.push({ leftIndex: index, rightIndex: index });
    }
    const inPlace =
      pairs.length > 1 && left.length <= REORDERED_ITEMS_MAX
        ? withoutReordered(left, right, pairs, state, items)
        : undefined;
    return { pairs: inPlace ?? pairs, isReordered: inPlace !== undefined, label: undefined };
  }
  // Something was put in or taken out: what is the same at both ends stays out of it.
  const shorter = Math.min(left.length, right.length);
  let head = 0;
  while (head < shorter && isSameAt(head, head)) head += 1;
  let tail = 0;
  while (tail < shorter - head && isSameAt(left.length - 1 - tail, right.length - 1 - tail)) tail += 1;
  const pairs: ItemPair[] = [];
  const end = Math.max(left.length, right.length) - tail;
  for (let index = head; index < end; index += 1) {
    pairs.push({
      leftIndex: index < left.length - tail ? index : undefined,
      rightIndex: index < right.length - tail ? index : undefined,
    });
  }
  return { pairs, isReordered: false, label: undefined };
}

/**
 * The pairs that are left once those are taken out whose items only changed places with each other.
 * @returns `undefined` if there are none of these
 */
function withoutReordered(
  left: Items,
  right: Items,
  pairs: readonly ItemPair[],
  state: RuleState,
  items: ItemComparison,
): readonly ItemPair[] | undefined {
  // One text for both means that they are equal where they are, or that a tolerance decides it.
  const inPlace: ItemPair[] = [];
  const balance = new Map<string, number>();
  for (const pair of pairs) {
    const { leftIndex = 0, rightIndex = 0 } = pair;
    const one = keyUnder(left[leftIndex] ?? null, state.item(leftIndex), items.left);
    const other = keyUnder(right[rightIndex] ?? null, state.item(rightIndex), items.right);
    if (one === other) {
      inPlace.push(pair);
      continue;
    }
    balance.set(one, (balance.get(one) ?? 0) + 1);
    balance.set(other, (balance.get(other) ?? 0) - 1);
  }
  const isBalanced = [...balance.values()].every((count) => count === 0);
  return balance.size > 0 && isBalanced ? inPlace : undefined;
}

/** Items that are equal stand for each other; what is left over is missing or extra. */
function unorderedPairs(
  left: Items,
  right: Items,
  state: RuleState,
  label: string,
  items: ItemComparison,
): Matching {
  const waiting = new Map<string, number[]>();
  // From the end, so that the first of them is the last of its list, where taking it out costs nothing.
  for (let index = right.length - 1; index >= 0; index -= 1) {
    push(waiting, keyUnder(right[index] ?? null, state.item(index), items.right), index);
  }
  const pairs: ItemPair[] = [];
  let isMoved = false;
  left.forEach((item, leftIndex) => {
    const itemState = state.item(leftIndex);
    const candidates = waiting.get(keyUnder(item, itemState, items.left)) ?? [];
    const rightIndex = takeEqual(
      candidates,
      right,
      (other) => items.isEqual(item, other, itemState),
      items.work,
    );
    if (rightIndex === undefined) pairs.push({ leftIndex, rightIndex: undefined });
    else isMoved ||= rightIndex !== leftIndex;
  });
  for (const rightIndex of [...waiting.values()].flat().sort((a, b) => a - b)) {
    pairs.push({ leftIndex: undefined, rightIndex });
  }
  return { pairs, isReordered: false, label: isMoved ? label : undefined };
}

/** Takes the first candidate, from the end of the list, that is equal. */
function takeEqual(
  candidates: number[],
  right: Items,
  isEqual: (other: Json) => boolean,
  work: Work,
): number | undefined {
  for (let place = candidates.length - 1; place >= 0 && work.left >= 0; place -= 1) {
    const other = right[candidates[place] ?? -1];
    if (other === undefined || !isEqual(other)) continue;
    return candidates.splice(place, 1)[0];
  }
  return undefined;
}

/** Items with the same key are compared; items without one, and those that share one, by their order. */
function keyedPairs(
  left: Items,
  right: Items,
  state: RuleState,
  keyed: { readonly names: readonly string[]; readonly label: string },
  items: ItemComparison,
): Matching {
  const keyAt = (item: Json, index: number, context: KeyContext): string =>
    fieldKey(item, keyed.names, state.item(index), context) ?? '';
  const waiting = new Map<string, number[]>();
  // From the end, so that the first of them is taken with pop.
  for (let index = right.length - 1; index >= 0; index -= 1) {
    push(waiting, keyAt(right[index] ?? null, index, items.right), index);
  }
  let isMoved = false;
  const pairs = left.map((item, leftIndex): ItemPair => {
    const rightIndex = waiting.get(keyAt(item, leftIndex, items.left))?.pop();
    isMoved ||= rightIndex !== undefined && rightIndex !== leftIndex;
    return { leftIndex, rightIndex };
  });
  for (const rightIndex of [...waiting.values()].flat().sort((a, b) => a - b)) {
    pairs.push({ leftIndex: undefined, rightIndex });
  }
  return { pairs, isReordered: false, label: isMoved ? keyed.label : undefined };
}

function push(map: Map<string, number[]>, key: string, index: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [index]);
  else list.push(index);
}
