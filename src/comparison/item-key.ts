/**
 * Texts by which items of arrays find each other: items that the rules may call equal have equal texts.
 */
import { canonical } from './canonical.ts';
import { ExactNumber } from './exact-number.ts';
import { isArray, isObject, type Json, type JsonObject, member } from './json-tree.ts';
import { moveToLegacy } from './moved-fields.ts';
import type { RuleState } from './rule-state.ts';

/** Visits that are left, shared by everything that one comparison does. */
export interface Work {
  left: number;
}

export interface KeyContext {
  readonly work: Work;
  readonly nullIsAbsent: boolean;
  readonly emptyIsAbsent: boolean;
  /** The document is new's: moved fields are read at their places there. */
  readonly isNew: boolean;
}

/** The value of fields with a tolerance: which of them are near each other is told by comparing the items. */
const TOLERATED = '~';

/**
 * Like `canonical`, as the rules see it. Two items with different texts are different under the rules; two with one
 * text are equal unless tolerances are in play.
 */
export function keyUnder(value: Json, state: RuleState, context: KeyContext): string {
  context.work.left -= 1;
  if (context.work.left < 0) return '';
  const { effects } = state;
  if (effects?.ignore !== undefined) return '';
  if (effects?.normalise !== undefined) return canonical(effects.normalise.normaliser(value));
  if (effects?.tolerance !== undefined && !isObject(value) && !isArray(value)) {
    return typeof value === 'number' || value instanceof ExactNumber || typeof value === 'string'
      ? TOLERATED
      : canonical(value);
  }
  if (isArray(value)) {
    const items = value.map((item, index) => keyUnder(item, state.item(index), context));
    const isSorted = effects?.unordered !== undefined || effects?.keyed !== undefined;
    return `[${(isSorted ? items.sort() : items).join(',')}]`;
  }
  if (!isObject(value)) return canonical(value);
  const object = inLegacyShape(value, state, context);
  const members: string[] = [];
  for (const key of Object.keys(object).sort()) {
    const inner = object[key] ?? null;
    const innerState = state.member(key);
    if (innerState.effects?.ignore !== undefined || isAbsent(inner, context)) continue;
    members.push(`${JSON.stringify(key)}:${keyUnder(inner, innerState, context)}`);
  }
  return `{${members.join(',')}}`;
}

function inLegacyShape(object: JsonObject, state: RuleState, { isNew }: KeyContext): JsonObject {
  const moves = state.effects?.moves ?? [];
  return isNew && moves.length > 0 ? moveToLegacy(object, undefined, moves).object : object;
}

/**
 * The values of the fields that tell the items of an array apart.
 * @returns `undefined` if the item is no object or lacks one of them
 */
export function fieldKey(
  item: Json,
  names: readonly string[],
  state: RuleState,
  context: KeyContext,
): string | undefined {
  if (!isObject(item)) return undefined;
  const object = inLegacyShape(item, state, context);
  const parts: string[] = [];
  for (const name of names) {
    const value = member(object, name);
    if (value === undefined || value === null) return undefined;
    const normalise = state.member(name).effects?.normalise;
    parts.push(canonical(normalise === undefined ? value : normalise.normaliser(value)));
  }
  return parts.join(' ');
}

type Absence = Pick<KeyContext, 'nullIsAbsent' | 'emptyIsAbsent'>;

/** Whether a member with that value counts as not there. */
export function isAbsent(value: Json, rules: Absence): boolean {
  if (value === null) return rules.nullIsAbsent;
  if (!rules.emptyIsAbsent) return false;
  if (value === '') return true;
  if (isArray(value)) return value.length === 0;
  return isObject(value) && Object.values(value).every((inner) => isAbsent(inner, rules));
}
