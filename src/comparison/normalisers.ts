/**
 * The comparators that rules may name. Each makes values that mean the same equal; what it does not understand it
 * leaves as it is, so a comparator can hide a difference of its own kind and no other.
 */
import { canonical } from './canonical.ts';
import { ExactNumber, numberOf } from './exact-number.ts';
import { isArray, type Json } from './json-tree.ts';
import { parseExactly } from './parse-exactly.ts';
import { readTime } from './read-time.ts';
import type { Normaliser } from './rule-state.ts';

const UUID = /^\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$/i;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/;
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

/** For texts; other values stay. */
function text(normalise: (value: string) => Json): Normaliser {
  return (value) => (typeof value === 'string' ? normalise(value) : value);
}

function collapse(value: string): string {
  return value.replaceAll(/[\s\u00a0]+/g, ' ').trim();
}

/** Query parameters in order of name; those of one name keep their order. */
function sortQuery(value: string): string {
  const [address = '', ...fragment] = value.split('#');
  const mark = address.indexOf('?');
  if (mark < 0) return value;
  const pairs = address
    .slice(mark + 1)
    .split('&')
    .filter((pair) => pair !== '');
  const nameOf = (pair: string): string => pair.split('=', 1)[0] ?? '';
  const sorted = pairs.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0));
  return [`${address.slice(0, mark)}?${sorted.join('&')}`, ...fragment].join('#');
}

function htmlText(value: string): string {
  const visible = value
    .replaceAll(/<!--[^]*?(?:-->|$)/g, ' ')
    .replaceAll(/<(script|style)\b[^]*?(?:<\/\1\s*>|$)/gi, ' ')
    .replaceAll(/<[^<>]*>/g, ' ');
  return collapse(visible.replaceAll(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,5});/gi, readEntity));
}

function readEntity(whole: string, name: string): string {
  if (!name.startsWith('#')) return ENTITIES[name.toLowerCase()] ?? whole;
  const isHex = name[1] === 'x' || name[1] === 'X';
  const code = Number.parseInt(name.slice(isHex ? 2 : 1), isHex ? 16 : 10);
  return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
}

function numberText(value: string): Json {
  const trimmed = value.trim();
  if (!NUMBER.test(trimmed)) return value;
  // To the grammar of JSON: no plus, a digit on both sides of the point.
  const json = trimmed
    .replace(/^\+/, '')
    .replace(/^(-?)\./, '$10.')
    .replace(/\.(?!\d)/, '');
  return numberOf(json);
}

/** Arrays and objects inside each other in a text that holds JSON. */
const DEPTH_MAX = 100;
const TRUE = /^(?:true|yes|y|on|1)$/i;
const FALSE = /^(?:false|no|n|off|0)$/i;

function booleanText(value: Json): Json {
  const word = typeof value === 'number' || typeof value === 'string' ? String(value).trim() : '';
  return TRUE.test(word) ? true : FALSE.test(word) ? false : value;
}

function jsonText(value: string): Json {
  try {
    JSON.parse(value);
  } catch {
    return value;
  }
  // As text: the console compares in a browser, which has no buffers.
  const document = parseExactly(value, DEPTH_MAX);
  return document === undefined ? value : canonical(document.root);
}

function instant(value: Json): Json {
  const ms = readTime(value);
  return ms === undefined ? value : `time ${ms}`;
}

/** Items in the order of their texts, each once. */
function set(value: Json): Json {
  return isArray(value) ? [...new Set(value.map(canonical))].sort() : value;
}

const REGISTRY: Readonly<Record<string, Normaliser>> = {
  anything: () => null,
  boolean: booleanText,
  'case-insensitive': text((value) => value.toLowerCase()),
  'collapsed-whitespace': text(collapse),
  'digits-only': (value) =>
    typeof value === 'string' || typeof value === 'number' ? String(value).replaceAll(/\D/g, '') : value,
  'html-text': text(htmlText),
  'json-text': text(jsonText),
  'number-text': text(numberText),
  set,
  'same-type': (value) => {
    if (value instanceof ExactNumber) return 'number';
    return value === null ? null : isArray(value) ? 'array' : typeof value;
  },
  'same-instant': instant,
  text: (value) =>
    typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : value instanceof ExactNumber
        ? value.text
        : value,
  trimmed: text((value) => value.trim()),
  'unicode-normal': text((value) => value.normalize('NFC')),
  'url-path': text((value) => value.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')),
  'url-query-order': text(sortQuery),
  'url-trailing-slash': text((value) => value.replace(/^([^?#]*[^/?#])\/+(?=$|[?#])/, '$1')),
  'uuid-any': text((value) => (UUID.test(value) ? 'uuid' : value)),
};

export const COMPARATORS: readonly string[] = Object.keys(REGISTRY).sort();

/** @returns `undefined` for a name that is not in the registry */
export function normaliserOf(name: string): Normaliser | undefined {
  return Object.hasOwn(REGISTRY, name) ? REGISTRY[name] : undefined;
}
