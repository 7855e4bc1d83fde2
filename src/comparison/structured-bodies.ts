/**
 * Bodies that are compared by structure: JSON, lines of JSON, forms.
 */
import { compareJson, type WalkRules } from './compare-json.ts';
import type { Limits } from './difference.ts';
import { covered, type Findings, found, uncompared } from './findings.ts';
import type { Json, JsonDocument } from './json-tree.ts';
import { exactly, isFaithful, measure, parseJson, parseQuickly, type QuickJson } from './parse-json.ts';
import { isSameUnder, newTally } from './same-json.ts';
import { show } from './show-value.ts';

/** @returns `undefined` if neither is JSON: then they are texts */
export function compareJsonBodies(
  left: Buffer,
  right: Buffer,
  rules: WalkRules,
  limits: Limits,
): Findings | undefined {
  const [one, other] = [parseQuickly(left), parseQuickly(right)];
  if (one === undefined || other === undefined) {
    return one === other ? undefined : notJson(one !== undefined, left, right);
  }
  return sameInOnePass(one, other, rules, limits) ?? compareAll(one, other, rules, limits);
}

/** The way of most bodies that differ in bytes and not in meaning. */
function sameInOnePass(
  one: QuickJson,
  other: QuickJson,
  rules: WalkRules,
  limits: Limits,
): Findings | undefined {
  const tally = newTally(limits.workMax, false);
  if (!isSameUnder(one.root, other.root, rules.start, limits.depthMax, tally)) return undefined;
  const { leftKeys, rightKeys, hasZeros, hasExtremes } = tally;
  const areFaithful =
    isFaithful(one, { keys: leftKeys, hasZeros, hasExtremes }) &&
    isFaithful(other, { keys: rightKeys, hasZeros, hasExtremes });
  return areFaithful ? covered(tally.coveredBy) : undefined;
}

function compareAll(one: QuickJson, other: QuickJson, rules: WalkRules, limits: Limits): Findings {
  const left = documentOf(one, limits.depthMax);
  const right = documentOf(other, limits.depthMax);
  if (left === undefined || right === undefined) return uncompared('too-deep');
  return compareJson(left, right, rules, limits);
}

function documentOf(quick: QuickJson, depthMax: number): JsonDocument | undefined {
  const known = measure(quick.root, depthMax);
  return known.isTooDeep ? undefined : exactly(quick, known, depthMax);
}

function notJson(isLeftJson: boolean, left: Buffer, right: Buffer): Findings {
  const shown = (bytes: Buffer) => show('string', bytes.subarray(0, SHOWN_BYTES).toString());
  return found(
    Object.freeze({
      path: 'body',
      pattern: 'body',
      kind: 'invalid-json',
      left: isLeftJson ? show('object', 'JSON') : shown(left),
      right: isLeftJson ? shown(right) : show('object', 'JSON'),
    }),
  );
}

const SHOWN_BYTES = 400;

/** One document on each line (NDJSON, JSON Lines), or behind each record separator (RFC 7464). */
export function compareJsonLines(
  left: Buffer,
  right: Buffer,
  rules: WalkRules,
  limits: Limits,
): Findings | undefined {
  const [one, other] = [readLines(left, limits), readLines(right, limits)];
  if (one === 'too-deep' || other === 'too-deep') return uncompared('too-deep');
  if (one === undefined || other === undefined) {
    return one === other ? undefined : notJson(one !== undefined, left, right);
  }
  return compareJson(one, other, rules, limits);
}

const LINE_END = 0x0a;
const RECORD_SEPARATOR = 0x1e;
const SPACE = 0x20;

/** The lines as one array: paths in rules begin with `$[*]`. */
function readLines(bytes: Buffer, { depthMax }: Limits): JsonDocument | 'too-deep' | undefined {
  const root: Json[] = [];
  const duplicates: JsonDocument['duplicates'] = new Map();
  let begin = 0;
  while (begin < bytes.length) {
    const found = bytes.indexOf(LINE_END, begin);
    const end = found < 0 ? bytes.length : found;
    let first = begin;
    while (first < end && isBlank(bytes[first])) first += 1;
    if (first < end) {
      const line = parseJson(bytes.subarray(first, end), { depthMax: depthMax - 1 });
      if (line.kind === 'too-deep') return 'too-deep';
      if (line.kind === 'invalid') return undefined;
      root.push(line.document.root);
      for (const [object, keys] of line.document.duplicates) duplicates.set(object, keys);
    }
    begin = end + 1;
  }
  return { root, duplicates };
}

function isBlank(byte: number | undefined): boolean {
  return byte !== undefined && (byte <= SPACE || byte === RECORD_SEPARATOR);
}

/** By name; a name that appears more than once has a list of its values. */
export function compareForms(left: Buffer, right: Buffer, rules: WalkRules, limits: Limits): Findings {
  return compareJson(readForm(left), readForm(right), rules, limits);
}

function readForm(bytes: Buffer): JsonDocument {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(bytes.toString().trim())) {
    const list = values.get(name);
    if (list === undefined) values.set(name, [value]);
    else list.push(value);
  }
  const members = [...values].map(([name, list]): [string, Json] => [
    name,
    list.length === 1 ? (list[0] ?? '') : list,
  ]);
  return { root: Object.fromEntries(members), duplicates: new Map() };
}
