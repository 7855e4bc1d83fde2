/**
 * Two JSON documents by structure: what differs, where, and which rules cover the rest.
 */
import { canonical } from './canonical.ts';
import type { Difference, DifferenceKind, Limits, Uncompared } from './difference.ts';
import { isAbsent, type KeyContext, type Work } from './item-key.ts';
import {
  type Duplicates,
  isArray,
  isObject,
  isSameScalar,
  type Json,
  type JsonDocument,
  type JsonObject,
  member,
  typeOf,
} from './json-tree.ts';
import { coverOf } from './leaf-rules.ts';
import { arrayPairs, type ItemPair } from './match-items.ts';
import { moveToLegacy } from './moved-fields.ts';
import { MapKeys, printPath, printPattern, type Trail } from './path-trail.ts';
import type { Effects, RuleState } from './rule-state.ts';
import { isSame, isSameUnder, newTally } from './same-json.ts';
import { showJson } from './show-value.ts';

/** What a walk needs of the rules. */
export interface WalkRules {
  readonly start: RuleState;
  readonly nullIsAbsent: boolean;
  readonly emptyIsAbsent: boolean;
  /** Which side's document is new's. */
  readonly newSide: 'left' | 'right';
}

export interface WalkResult {
  readonly differences: readonly Difference[];
  readonly truncated: boolean;
  readonly coveredBy: ReadonlySet<string>;
  readonly uncompared: Uncompared | undefined;
}

/** @param left, right no deeper than `limits.depthMax` */
export function compareJson(
  left: JsonDocument,
  right: JsonDocument,
  rules: WalkRules,
  limits: Limits,
): WalkResult {
  const walk = new Walk(left.duplicates, right.duplicates, rules, limits);
  walk.compare(left.root, right.root, rules.start, undefined);
  return {
    differences: walk.differences,
    truncated: walk.truncated,
    coveredBy: walk.coveredBy,
    uncompared: walk.isExhausted ? 'too-much-work' : undefined,
  };
}

class Walk {
  readonly differences: Difference[] = [];
  readonly coveredBy = new Set<string>();
  truncated = false;
  readonly #work: Work;
  readonly #duplicates: { readonly left: Duplicates; readonly right: Duplicates };
  readonly #rules: WalkRules;
  readonly #limits: Limits;
  readonly #maps = new MapKeys();
  /** More than 0 while it is only asked whether two values differ: nothing is reported then. */
  #trials = 0;
  #hasTrialDifference = false;
  /** The rules that covered something in the trial that is under way. */
  #trialCoveredBy = new Set<string>();

  constructor(left: Duplicates, right: Duplicates, rules: WalkRules, limits: Limits) {
    this.#duplicates = { left, right };
    this.#rules = rules;
    this.#limits = limits;
    this.#work = { left: limits.workMax };
  }

  get isExhausted(): boolean {
    return this.#work.left < 0;
  }

  get #isOver(): boolean {
    return this.isExhausted || this.truncated || (this.#trials > 0 && this.#hasTrialDifference);
  }

  compare(left: Json, right: Json, state: RuleState, trail: Trail | undefined): void {
    this.#work.left -= 1;
    if (this.#isOver) return;
    const { effects } = state;
    if (effects?.ignore !== undefined) return this.#coverIfDifferent(left, right, effects.ignore);
    if (isObject(left) && isObject(right) && effects?.normalise === undefined) {
      return this.#compareObjects(left, right, state, trail);
    }
    if (isArray(left) && isArray(right) && effects?.normalise === undefined) {
      return this.#compareArrays(left, right, state, trail);
    }
    this.#compareValues(left, right, effects, trail);
  }

  /** Values that are not walked into: scalars, values of different types, values with a comparator. */
  #compareValues(left: Json, right: Json, effects: Effects | undefined, trail: Trail | undefined): void {
    if (isSameScalar(left, right)) return;
    if (effects?.normalise !== undefined && this.#isSame(left, right)) return;
    const label = effects && coverOf(left, right, effects);
    if (label !== undefined) return this.#cover(label);
    if (isAbsent(left, this.#rules) && isAbsent(right, this.#rules))
      return this.#cover(this.#absence(left, right));
    this.#report(typeOf(left) === typeOf(right) ? 'value' : 'type', trail, left, right);
  }

  #compareObjects(left: JsonObject, right: JsonObject, state: RuleState, trail: Trail | undefined): void {
    this.#compareDuplicates(left, right, state, trail);
    const [one, other] = this.#inOneShape(left, right, state.effects);
    for (const key in one) {
      const value = one[key];
      if (value === undefined) continue;
      const opposite = member(other, key);
      const step = { parent: trail, step: key, left: one, right: other };
      if (opposite !== undefined) this.compare(value, opposite, state.member(key), step);
      else this.#missing('missing', value, state.member(key), step);
      if (this.#isOver) return;
    }
    for (const key in other) {
      const value = other[key];
      if (value === undefined || Object.hasOwn(one, key)) continue;
      this.#missing('extra', value, state.member(key), { parent: trail, step: key, left: one, right: other });
      if (this.#isOver) return;
    }
  }

  #inOneShape(left: JsonObject, right: JsonObject, effects: Effects | undefined): [JsonObject, JsonObject] {
    const moves = effects?.moves ?? [];
    if (moves.length === 0) return [left, right];
    const isNewLeft = this.#rules.newSide === 'left';
    const { object, moved } = isNewLeft ? moveToLegacy(left, right, moves) : moveToLegacy(right, left, moves);
    for (const index of moved) this.#cover(effects?.moveLabels[index] ?? '');
    return isNewLeft ? [object, right] : [left, object];
  }

  /** A member, or an item, that one side has alone. */
  #missing(kind: 'missing' | 'extra', value: Json, state: RuleState, trail: Trail): void {
    this.#work.left -= 1;
    const label = state.effects?.ignore;
    if (label !== undefined) return this.#cover(label);
    if (typeof trail.step === 'string' && isAbsent(value, this.#rules)) {
      return this.#cover(this.#absence(value, value));
    }
    if (kind === 'missing') this.#report(kind, trail, value, undefined);
    else this.#report(kind, trail, undefined, value);
  }

  #compareDuplicates(left: JsonObject, right: JsonObject, state: RuleState, trail: Trail | undefined): void {
    const [one, other] = [this.#duplicates.left.get(left), this.#duplicates.right.get(right)];
    if (one === undefined && other === undefined) return;
    for (const key of new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])])) {
      const values = one?.get(key) ?? single(left, key);
      const others = other?.get(key) ?? single(right, key);
      if (canonical(values) === canonical(others)) continue;
      const label = state.member(key).effects?.ignore;
      const step = { parent: trail, step: key, left, right };
      if (label !== undefined) this.#cover(label);
      else this.#report('duplicate-key', step, values, others);
    }
  }

  #compareArrays(
    left: readonly Json[],
    right: readonly Json[],
    state: RuleState,
    trail: Trail | undefined,
  ): void {
    const context = (side: 'left' | 'right'): KeyContext => ({
      nullIsAbsent: this.#rules.nullIsAbsent,
      emptyIsAbsent: this.#rules.emptyIsAbsent,
      isNew: this.#rules.newSide === side,
      work: this.#work,
    });
    this.#work.left -= left.length + right.length;
    if (this.isExhausted) return;
    const matched = arrayPairs(left, right, state, {
      left: context('left'),
      right: context('right'),
      isSameInOrder: (one, other, itemState) => this.#isSameUnder(one, other, itemState),
      work: this.#work,
      isEqual: (one, other, itemState) => !this.#wouldDiffer(one, other, itemState),
    });
    if (matched.label !== undefined) this.#cover(matched.label);
    if (matched.isReordered) this.#report('order', trail, left, right);
    for (const pair of matched.pairs) {
      this.#comparePair(pair, left, right, state, trail);
      if (this.#isOver) return;
    }
  }

  #comparePair(
    { leftIndex, rightIndex }: ItemPair,
    left: readonly Json[],
    right: readonly Json[],
    state: RuleState,
    trail: Trail | undefined,
  ): void {
    const index = leftIndex ?? rightIndex ?? 0;
    const step: Trail = { parent: trail, step: index, left, right };
    const one = leftIndex === undefined ? undefined : left[leftIndex];
    const other = rightIndex === undefined ? undefined : right[rightIndex];
    if (one !== undefined && other !== undefined) this.compare(one, other, state.item(index), step);
    else if (one !== undefined) this.#missing('missing', one, state.item(index), step);
    else if (other !== undefined) this.#missing('extra', other, state.item(index), step);
  }

  /**
   * In one pass; no where only a rule about order, moves or absence makes them the same. The pass does not see keys
   * that appear twice: where there are any, the long way is taken.
   */
  #isSameUnder(left: Json, right: Json, state: RuleState): boolean {
    if (this.#duplicates.left.size > 0 || this.#duplicates.right.size > 0) {
      return !this.#wouldDiffer(left, right, state);
    }
    const tally = newTally(this.#work.left);
    const answer = isSameUnder(left, right, state, this.#limits.depthMax, tally);
    this.#work.left = tally.work - 1;
    if (answer) for (const label of tally.coveredBy) this.#cover(label);
    return answer;
  }

  /** Without any rule. */
  #isSame(left: Json, right: Json): boolean {
    const tally = newTally(this.#work.left);
    const answer = isSame(left, right, this.#limits.depthMax, tally);
    this.#work.left = tally.work - 1;
    return answer;
  }

  #wouldDiffer(left: Json, right: Json, state: RuleState): boolean {
    const [outer, outerCoveredBy] = [this.#hasTrialDifference, this.#trialCoveredBy];
    this.#trials += 1;
    this.#hasTrialDifference = false;
    this.#trialCoveredBy = new Set();
    this.compare(left, right, state, undefined);
    const answer = this.#hasTrialDifference || this.isExhausted;
    const coveredBy = this.#trialCoveredBy;
    this.#trials -= 1;
    this.#hasTrialDifference = outer;
    this.#trialCoveredBy = outerCoveredBy;
    if (!answer) for (const label of coveredBy) this.#cover(label);
    return answer;
  }

  #coverIfDifferent(left: Json, right: Json, label: string): void {
    if (!this.#isSame(left, right)) this.#cover(label);
  }

  #cover(label: string): void {
    (this.#trials === 0 ? this.coveredBy : this.#trialCoveredBy).add(label);
  }

  #absence(left: Json, right: Json): string {
    return left === null || right === null ? 'nullIsAbsent' : 'emptyIsAbsent';
  }

  #report(
    kind: DifferenceKind,
    trail: Trail | undefined,
    left: Json | undefined,
    right: Json | undefined,
  ): void {
    if (this.#trials > 0) {
      this.#hasTrialDifference = true;
      return;
    }
    // What was matched with the work used up means nothing.
    if (this.isExhausted) return;
    if (this.differences.length >= this.#limits.differencesMax) {
      this.truncated = true;
      return;
    }
    this.differences.push(
      Object.freeze({
        path: printPath(trail),
        pattern: printPattern(trail, this.#maps),
        kind,
        left: showJson(left),
        right: showJson(right),
      }),
    );
  }
}

function single(object: JsonObject, key: string): Json[] {
  const value = member(object, key);
  return value === undefined ? [] : [value];
}
