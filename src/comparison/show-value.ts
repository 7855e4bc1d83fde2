/**
 * Values as a difference carries them: copies, bounded, so that a report never keeps a document alive.
 */
import type { ShownType, ShownValue } from './difference.ts';
import { ExactNumber } from './exact-number.ts';
import { isArray, isObject, type Json, setMember, typeOf } from './json-tree.ts';

const CHARACTERS_MAX = 1024;
const DEPTH_MAX = 6;
/** Values in one copy, whatever their depth. */
const NODES_MAX = 100;

/** Stands for what was cut. */
export const CUT = '…';

export const ABSENT: ShownValue = Object.freeze({ type: 'absent', value: undefined });

/** @param value `undefined`: that side has none */
export function showJson(value: Json | undefined): ShownValue {
  if (value === undefined) return ABSENT;
  return Object.freeze({ type: typeOf(value), value: copy(value, DEPTH_MAX, { left: NODES_MAX }) });
}

/** What is no part of a JSON document: a status, a header, a line of text. */
export function show(type: ShownType, value: string | number): ShownValue {
  return Object.freeze({ type, value: typeof value === 'string' ? cut(value) : value });
}

function cut(text: string): string {
  // A copy: a slice of a long text would keep all of it.
  return text.length <= CHARACTERS_MAX
    ? text
    : `${Buffer.from(text.slice(0, CHARACTERS_MAX)).toString()}${CUT}`;
}

function copy(value: Json, depthLeft: number, nodes: { left: number }): Json {
  nodes.left -= 1;
  if (typeof value === 'string') return cut(value);
  if (value instanceof ExactNumber) return cut(value.text);
  if (typeof value !== 'object' || value === null) return value;
  if (depthLeft === 0 || nodes.left <= 0) return CUT;
  if (isArray(value)) {
    const items: Json[] = [];
    for (const item of value) {
      if (nodes.left <= 0) {
        items.push(CUT);
        break;
      }
      items.push(copy(item, depthLeft - 1, nodes));
    }
    return Object.freeze(items);
  }
  const object: Record<string, Json> = {};
  for (const [key, inner] of Object.entries(isObject(value) ? value : {})) {
    if (nodes.left <= 0) {
      object[CUT] = CUT;
      break;
    }
    setMember(object, cut(key), copy(inner, depthLeft - 1, nodes));
  }
  return Object.freeze(object);
}
