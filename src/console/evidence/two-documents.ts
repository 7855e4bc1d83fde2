/**
 * Two answers in JSON beside each other, as rows. The documents are walked as the comparison walks them, by the same
 * rules: fields that new has elsewhere stand beside legacy's, items stand beside the item they were compared with.
 *
 * 1. Both are read without loss: numbers stay as they were written.
 * 2. New's objects are given legacy's shape by the rules for renamed fields.
 * 3. Each place becomes a row; what differs is marked as what it is: of this group, of another, or covered by a rule.
 */
import { canonical } from '../../comparison/canonical.ts';
import { compileRules, NO_RULES } from '../../comparison/compile-rules.ts';
import { ExactNumber } from '../../comparison/exact-number.ts';
import {
  isArray,
  isObject,
  isSameScalar,
  type Json,
  type JsonObject,
  member,
} from '../../comparison/json-tree.ts';
import { arrayPairs, type ItemPair } from '../../comparison/match-items.ts';
import { moveToLegacy } from '../../comparison/moved-fields.ts';
import { parseExactly } from '../../comparison/parse-exactly.ts';
import { printStep } from '../../comparison/path-trail.ts';
import type { RuleState } from '../../comparison/rule-state.ts';
import type { RulesWritten } from '../../comparison/rules-written.ts';

/**
 * `group`: the difference that is looked at. `other`: one of another group. `covered`: the sides differ there and no
 * difference is listed, because a rule covers it, or because there were too many.
 */
export type RowMark = 'same' | 'group' | 'other' | 'covered';

export interface DocumentRow {
  /** In legacy's names; `$` is the document. */
  readonly path: string;
  readonly depth: number;
  /** The member, in quotes; empty for items and closing brackets. */
  readonly name: string;
  readonly mark: RowMark;
  /** A scalar as JSON writes it, or a bracket; `undefined` where that side has nothing. */
  readonly left: string | undefined;
  readonly right: string | undefined;
  /** The rule that covers what differs, or that brought the two together, where it is known. */
  readonly rule: string | undefined;
}

export interface DocumentRows {
  readonly rows: readonly DocumentRow[];
  /** There are more rows than are made. */
  readonly isCut: boolean;
}

/** A place of a sample that differs. */
export interface MarkedPlace {
  readonly path: string;
  readonly isOfGroup: boolean;
  /** One side has nothing there: an index is that of the other side then, where the items behind it have moved. */
  readonly isOneSided: boolean;
}

export interface DocumentPair {
  /** Texts of the answers, the one that the user got first. */
  readonly left: string;
  readonly right: string;
  readonly newSide: 'left' | 'right';
  readonly rules: RulesWritten;
  readonly differences: readonly MarkedPlace[];
}

/** Larger documents are shown as text. */
const CHARACTERS_MAX = 400_000;
const DEPTH_MAX = 100;
const ROWS_MAX = 20_000;
const WORK_MAX = 400_000;

/** @returns `undefined` if one of them is no JSON, or too large or deep to be shown as such */
export function readDocument(text: string): Json | undefined {
  if (text.length > CHARACTERS_MAX) return undefined;
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return parseExactly(text, DEPTH_MAX)?.root;
}

/** @returns `undefined` if one of the answers is no JSON that can be shown as such */
export function documentRows(pair: DocumentPair): DocumentRows | undefined {
  const [left, right] = [readDocument(pair.left), readDocument(pair.right)];
  if (left === undefined || right === undefined) return undefined;
  const walk = new Walk(pair);
  walk.both({ path: '$', depth: 0, name: '', mark: undefined }, left, right, startOf(pair.rules));
  return { rows: walk.rows, isCut: walk.isFull };
}

/** Rules that do not compile any more are as none. A text with JSON in it is left as the text that it is. */
function startOf({ comparators = {}, ...rules }: RulesWritten): RuleState {
  const named = Object.entries(comparators).filter(([, names]) => ![names].flat().includes('json-text'));
  const compiled = compileRules({ ...rules, comparators: Object.fromEntries(named) });
  return (compiled.rules ?? NO_RULES).start;
}

interface Place {
  readonly path: string;
  readonly depth: number;
  readonly name: string;
  /** Of everything below a place that differs as a whole. */
  readonly mark: RowMark | undefined;
}

type Side = 'left' | 'right';

class Walk {
  readonly rows: DocumentRow[] = [];
  readonly #marks: ReadonlyMap<string, RowMark>;
  readonly #isNewLeft: boolean;
  readonly #work = { left: WORK_MAX };

  constructor({ differences, newSide }: DocumentPair) {
    const groupLast = differences.toSorted((a, b) => Number(a.isOfGroup) - Number(b.isOfGroup));
    this.#marks = new Map(
      groupLast.map(({ path, isOneSided, isOfGroup }) => [
        markKey(path, isOneSided),
        isOfGroup ? 'group' : 'other',
      ]),
    );
    this.#isNewLeft = newSide === 'left';
  }

  get isFull(): boolean {
    return this.rows.length >= ROWS_MAX;
  }

  both(place: Place, left: Json, right: Json, state: RuleState): void {
    if (this.isFull) return;
    const here = { ...place, mark: place.mark ?? this.#marks.get(markKey(place.path, false)) };
    if (isObject(left) && isObject(right)) return this.#objects(here, left, right, state);
    if (isArray(left) && isArray(right)) return this.#arrays(here, left, right, state);
    if (isScalar(left) && isScalar(right)) {
      const isSame = isSameScalar(left, right);
      const mark = here.mark ?? (isSame ? 'same' : 'covered');
      this.#push(here, scalarText(left), scalarText(right), mark, isSame ? undefined : ruleOf(state));
      return;
    }
    this.#oneSide(here, left, 'left', ruleOf(state));
    this.#oneSide(here, right, 'right', ruleOf(state));
  }

  #objects(place: Place, left: JsonObject, right: JsonObject, state: RuleState): void {
    const { moves = [], moveLabels = [] } = state.effects ?? {};
    const shaped = this.#isNewLeft ? moveToLegacy(left, right, moves) : moveToLegacy(right, left, moves);
    const [one, other] = this.#isNewLeft ? [shaped.object, right] : [left, shaped.object];
    const renamed = new Map(
      shaped.moved.map((index) => [moves[index]?.legacy[0] ?? '', moveLabels[index]] as const),
    );
    this.#push(place, '{', '{', place.mark ?? 'same');
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
      const path = `${place.path}${printStep(key)}`;
      const inner = { path, depth: place.depth + 1, name: JSON.stringify(key), mark: place.mark };
      const first = this.rows.length;
      this.#either(inner, member(one, key), member(other, key), state.member(key));
      const row = this.rows[first];
      if (row !== undefined && row.rule === undefined) this.rows[first] = { ...row, rule: renamed.get(key) };
    }
    this.#push({ ...place, name: '' }, '}', '}', place.mark ?? 'same');
  }

  #arrays(place: Place, left: readonly Json[], right: readonly Json[], state: RuleState): void {
    this.#push(place, '[', '[', place.mark ?? 'same');
    for (const { leftIndex, rightIndex } of this.#pairs(left, right, state)) {
      const index = leftIndex ?? rightIndex ?? 0;
      const path = `${place.path}[${index}]`;
      const inner = { path, depth: place.depth + 1, name: '', mark: place.mark };
      this.#either(inner, left[leftIndex ?? -1], right[rightIndex ?? -1], state.item(index));
    }
    this.#push({ ...place, name: '' }, ']', ']', place.mark ?? 'same');
  }

  /** All of them, those that are the same too, in the order of the left side. */
  #pairs(left: readonly Json[], right: readonly Json[], state: RuleState): readonly ItemPair[] {
    const context = (side: Side) => ({
      nullIsAbsent: false,
      emptyIsAbsent: false,
      isNew: (side === 'left') === this.#isNewLeft,
      work: this.#work,
    });
    const isSame = (one: Json, other: Json): boolean => {
      this.#work.left -= 1;
      return this.#work.left > 0 && canonical(one) === canonical(other);
    };
    const { pairs } = arrayPairs(left, right, state, {
      left: context('left'),
      right: context('right'),
      work: this.#work,
      isSameInOrder: isSame,
      isEqual: isSame,
    });
    return withEqualItems(pairs, left, right);
  }

  #either(place: Place, left: Json | undefined, right: Json | undefined, state: RuleState): void {
    if (left !== undefined && right !== undefined) return this.both(place, left, right, state);
    const here = { ...place, mark: place.mark ?? this.#marks.get(markKey(place.path, true)) };
    if (left !== undefined) this.#oneSide(here, left, 'left', ruleOf(state));
    else if (right !== undefined) this.#oneSide(here, right, 'right', ruleOf(state));
  }

  /** What one side has alone, with everything in it. */
  #oneSide(place: Place, value: Json, side: Side, rule: string | undefined): void {
    if (this.isFull) return;
    const push = (at: Place, text: string): void => {
      const [left, right] = side === 'left' ? [text, undefined] : [undefined, text];
      this.#push(at, left, right, place.mark ?? 'covered', rule);
    };
    if (isScalar(value)) return push(place, scalarText(value));
    const [open, close] = isArray(value) ? ['[', ']'] : ['{', '}'];
    push(place, open);
    const inner = isArray(value)
      ? value.map((item, index) => ({ name: '', step: `[${index}]`, item }))
      : Object.keys(value).map((key) => ({
          name: JSON.stringify(key),
          step: printStep(key),
          item: member(value, key) ?? null,
        }));
    for (const { name, step, item } of inner) {
      const path = `${place.path}${step}`;
      this.#oneSide({ path, depth: place.depth + 1, name, mark: place.mark }, item, side, rule);
    }
    push({ ...place, name: '' }, close);
  }

  #push(
    { path, depth, name }: Place,
    left: string | undefined,
    right: string | undefined,
    mark: RowMark,
    rule?: string,
  ): void {
    if (!this.isFull) this.rows.push({ path, depth, name, mark, left, right, rule });
  }
}

function markKey(path: string, isOneSided: boolean): string {
  return `${isOneSided ? 'one' : 'both'} ${path}`;
}

function ruleOf({ effects }: RuleState): string | undefined {
  return effects?.ignore ?? effects?.normalise?.label ?? effects?.tolerance?.label;
}

type Scalar = null | boolean | number | string | ExactNumber;

function isScalar(value: Json): value is Scalar {
  return !isArray(value) && !isObject(value);
}

function scalarText(value: Scalar): string {
  return value instanceof ExactNumber ? value.text : JSON.stringify(value);
}

/** The matching leaves out what it knows to be equal: these items find each other by their text, the rest by order. */
function withEqualItems(
  pairs: readonly ItemPair[],
  left: readonly Json[],
  right: readonly Json[],
): readonly ItemPair[] {
  const [lefts, rights] = [new Set(left.keys()), new Set(right.keys())];
  for (const { leftIndex = -1, rightIndex = -1 } of pairs) {
    lefts.delete(leftIndex);
    rights.delete(rightIndex);
  }
  const waiting = Map.groupBy(rights, (index) => canonical(right[index] ?? null));
  const equal: ItemPair[] = [];
  for (const leftIndex of lefts) {
    const rightIndex = waiting.get(canonical(left[leftIndex] ?? null))?.shift();
    if (rightIndex === undefined) continue;
    equal.push({ leftIndex, rightIndex });
    lefts.delete(leftIndex);
    rights.delete(rightIndex);
  }
  const others = [...rights];
  const rest: ItemPair[] = [...lefts].map((leftIndex, at) => ({ leftIndex, rightIndex: others[at] }));
  const alone = others.slice(lefts.size).map((rightIndex) => ({ leftIndex: undefined, rightIndex }));
  const placeOf = ({ leftIndex, rightIndex }: ItemPair): number => leftIndex ?? (rightIndex ?? 0) + 0.5;
  return [...pairs, ...equal, ...rest, ...alone].sort((a, b) => placeOf(a) - placeOf(b));
}
