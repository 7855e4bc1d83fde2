/**
 * Where in two documents a difference is: as a path, and as the pattern that such paths fold to.
 */
import { printName } from './json-path.ts';
import { isArray, isObject, type Json, type JsonObject, typeOf } from './json-tree.ts';

/** One step down, with what it was taken in. */
export interface Trail {
  readonly parent: Trail | undefined;
  readonly step: string | number;
  /** The objects or arrays in which the step was taken; `undefined` where that side has none. */
  readonly left: Json | undefined;
  readonly right: Json | undefined;
}

/** Names longer than this are cut in paths. */
const NAME_CHARACTERS_MAX = 120;

function stepsOf(trail: Trail | undefined): Trail[] {
  const steps: Trail[] = [];
  for (let at = trail; at !== undefined; at = at.parent) steps.push(at);
  return steps.reverse();
}

/** `$.items[3].price` */
export function printPath(trail: Trail | undefined): string {
  const steps = stepsOf(trail).map(({ step }) => (typeof step === 'number' ? `[${step}]` : printStep(step)));
  return `$${steps.join('')}`;
}

/** `$.items[].price`; keys of maps become `{}`. */
export function printPattern(trail: Trail | undefined, maps: MapKeys): string {
  const steps = stepsOf(trail).map(({ step, left, right }) => {
    if (typeof step === 'number') return '[]';
    return maps.isMapKey(step, left, right) ? '{}' : printStep(step);
  });
  return `$${steps.join('')}`;
}

/** A member as it stands in a path. */
export function printStep(name: string): string {
  return name.length <= NAME_CHARACTERS_MAX
    ? printName(name)
    : `${printName(name.slice(0, NAME_CHARACTERS_MAX))}…`;
}

/** Names that identify something instead of naming a field. Each pattern is anchored at both ends. */
const KEY_SHAPES: readonly RegExp[] = [
  // Numbers, dates and times.
  /^-?\d+(?:\.\d+)?$/,
  /^\d{4}-\d{2}(?:-\d{2})?(?:[T ].*)?$/,
  // UUIDs, and hashes of at least 12 hexadecimal digits among which there is a digit.
  /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
  /^(?=[a-f]*\d)[0-9a-f]{12,}$/i,
  // ULIDs, and ids with a prefix: `usr_8Xk2…`, `SKU-00017`, `order:4711`.
  /^[0-9A-HJKMNP-TV-Z]{26}$/,
  /^[A-Za-z]{1,12}[_:-](?=[A-Za-z]*\d)[A-Za-z0-9]{8,}$/,
  /^[A-Za-z]{1,12}[_:-]?\d{5,}$/,
  /^[A-Za-z]{1,12}[_:-]\d{3,}$/,
];

const KEY_CHARACTERS_MAX = 64;

/** An object with at least so many members of one shape is a map. */
const ALIKE_OBJECTS_MIN = 12;
/** The same where the members are no objects: a flat record of settings may well have a dozen flags. */
const ALIKE_SCALARS_MIN = 50;
/** Members that are looked at. */
const LOOKED_AT_MAX = 64;

/** Tells keys of maps from names of fields, by their shape or by the company that they keep. */
export class MapKeys {
  readonly #known = new Map<JsonObject, boolean>();

  /** @param left, right the objects that have the member, or would have it */
  isMapKey(name: string, left: Json | undefined, right: Json | undefined): boolean {
    if (name.length > KEY_CHARACTERS_MAX || name.includes('@') || name.includes('/')) return true;
    if (KEY_SHAPES.some((shape) => shape.test(name))) return true;
    return this.#isMap(left) || this.#isMap(right);
  }

  #isMap(value: Json | undefined): boolean {
    if (!isObject(value)) return false;
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const answer = hasAlikeMembers(value);
    this.#known.set(value, answer);
    return answer;
  }
}

function hasAlikeMembers(object: JsonObject): boolean {
  const keys = Object.keys(object);
  if (keys.length < ALIKE_OBJECTS_MIN) return false;
  const shapes = new Set(keys.slice(0, LOOKED_AT_MAX).map((key) => shapeOf(object[key] ?? null)));
  const [shape = ''] = shapes;
  if (shapes.size !== 1 || shape === 'null') return false;
  return shape.startsWith('object ') || keys.length >= ALIKE_SCALARS_MIN;
}

/** The type; of an object also the names of its members. */
function shapeOf(value: Json): string {
  if (isObject(value)) return `object ${Object.keys(value).sort().slice(0, LOOKED_AT_MAX).join(' ')}`;
  return isArray(value) ? 'array' : typeOf(value);
}
