/**
 * A JSON document in memory: what `JSON.parse` makes, with `ExactNumber` where a double would lie, and the keys
 * that an object has more than once.
 */
import { ExactNumber } from './exact-number.ts';

export interface JsonObject {
  readonly [key: string]: Json;
}

export type Json = null | boolean | number | string | ExactNumber | readonly Json[] | JsonObject;

export type JsonType = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

/** By object, the keys that it has more than once, with all their values in order. */
export type Duplicates = Map<JsonObject, Map<string, Json[]>>;

export interface JsonDocument {
  readonly root: Json;
  readonly duplicates: Duplicates;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isArray(value) && !(value instanceof ExactNumber);
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function typeOf(value: Json): JsonType {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    default:
      if (value === null) return 'null';
      if (isArray(value)) return 'array';
      return value instanceof ExactNumber ? 'number' : 'object';
  }
}

/** Whether two values that are neither arrays nor objects are the same. */
export function isSameScalar(left: Json, right: Json): boolean {
  if (left === right) return true;
  return left instanceof ExactNumber && right instanceof ExactNumber && left.key === right.key;
}

/** Sets a member whatever its name: `__proto__` too becomes a member. */
export function setMember(object: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

/** The member of that name, if the object has it itself. */
export function member(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
