/**
 * Fields that the two schemas have at different places. The object from new's answer is given the shape of legacy's,
 * so that everything behind it, the other rules included, speaks legacy's names.
 */
import { isObject, type Json, type JsonObject, member, setMember } from './json-tree.ts';
import type { Move } from './rule-state.ts';

export interface Moved {
  readonly object: JsonObject;
  /** The indexes of the moves that were made. */
  readonly moved: readonly number[];
}

/**
 * A move is made only where it explains something: legacy has the field at its own place and not at new's, new
 * has it at its own and not at legacy's. So a move never takes away a value that was equal.
 * @param legacy the object that it is compared with; `undefined`: nothing is known of it, and it is taken to fit
 */
export function moveToLegacy(
  object: JsonObject,
  legacy: JsonObject | undefined,
  moves: readonly Move[],
): Moved {
  const moved: number[] = [];
  let result = object;
  moves.forEach((move, index) => {
    const value = valueAt(object, move.new);
    if (value === undefined) return;
    const isInside = liesInside(move);
    if (!isInside && valueAt(result, move.legacy) !== undefined) return;
    if (legacy !== undefined) {
      if (valueAt(legacy, move.legacy) === undefined || valueAt(legacy, move.new) !== undefined) return;
    }
    const without = isInside ? result : withoutValue(result, move.new, legacy);
    const placed = withValue(without, move.legacy, value);
    if (placed === undefined) return;
    result = placed;
    moved.push(index);
  });
  return { object: result, moved };
}

/**
 * New has an object where legacy has the value: `price`, `price.amount`. The value takes the place of the object;
 * what else is in there is new's own, unless an earlier rule has moved it.
 */
function liesInside(move: Move): boolean {
  return move.legacy.length < move.new.length && move.legacy.every((name, index) => name === move.new[index]);
}

function valueAt(object: JsonObject, names: readonly string[]): Json | undefined {
  let value: Json | undefined = object;
  for (const name of names) {
    if (!isObject(value)) return undefined;
    value = member(value, name);
  }
  return value;
}

/** A copy without the field, and without the objects around it that are left empty and that legacy does not have. */
function withoutValue(object: JsonObject, names: readonly string[], legacy: Json | undefined): JsonObject {
  const [name = '', ...rest] = names;
  const inner = member(object, name);
  // A value was taken out of the object that was here, and stands in its place.
  if (rest.length > 0 && !isObject(inner)) return object;
  const copy: Record<string, Json> = {};
  for (const key of Object.keys(object)) {
    if (key !== name) setMember(copy, key, object[key] ?? null);
  }
  if (rest.length === 0 || !isObject(inner)) return copy;
  const other = isObject(legacy) ? member(legacy, name) : undefined;
  const remaining = withoutValue(inner, rest, other);
  if (Object.keys(remaining).length > 0 || other !== undefined) setMember(copy, name, remaining);
  return copy;
}

/** A copy with the field; `undefined` where something that is no object is in the way. */
function withValue(object: JsonObject, names: readonly string[], value: Json): JsonObject | undefined {
  const [name = '', ...rest] = names;
  const inner = member(object, name);
  if (rest.length > 0 && inner !== undefined && !isObject(inner)) return undefined;
  const placed = rest.length === 0 ? value : withValue(isObject(inner) ? inner : {}, rest, value);
  if (placed === undefined) return undefined;
  const copy: Record<string, Json> = { ...object };
  setMember(copy, name, placed);
  return copy;
}
