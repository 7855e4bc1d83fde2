/**
 * Reads JSON without losing anything, mostly at the price of `JSON.parse`: the exact reading, some times as dear, is
 * only for documents in which something may have been lost (`json-hazards.ts`).
 */
import { ExactNumber } from './exact-number.ts';
import { countKeyMarks, hasLongExponent, hasLongNegativeExponent, hasLossyNumber } from './json-hazards.ts';
import { isArray, type Json, type JsonDocument } from './json-tree.ts';
import { parseExactly } from './parse-exactly.ts';
import { readText } from './read-text.ts';
import { scanHazards } from './scan-hazards.ts';

/** A body that `JSON.parse` has accepted, and what it made of it. */
export interface QuickJson {
  readonly bytes: Buffer;
  readonly text: string;
  readonly root: Json;
}

/** Stands for bytes that are no UTF-8: two texts could be equal in it whose bytes are not. */
const REPLACED = '\ufffd';

/** @returns `undefined` if it is no JSON */
export function parseQuickly(bytes: Buffer): QuickJson | undefined {
  const text = withoutMark(bytes.toString());
  if (text.includes(REPLACED) && readText(bytes, undefined) === undefined) return undefined;
  try {
    const root: Json = JSON.parse(text);
    return { bytes, text, root };
  } catch {
    return undefined;
  }
}

/** Some servers begin with a byte order mark, which no JSON text has. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** What is learned of a document by visiting all of it. */
export interface Measure {
  /** Of all objects together. */
  keys: number;
  /** There is a zero: an exponent out of range may have made it. */
  hasZeros: boolean;
  /** There is a number near the ends of the range of doubles, or beyond. */
  hasExtremes: boolean;
  isTooDeep: boolean;
}

/** @param depthMax arrays and objects inside each other */
export function measure(root: Json, depthMax: number): Measure {
  const found: Measure = { keys: 0, hasZeros: false, hasExtremes: false, isTooDeep: false };
  visit(root, depthMax, found);
  return found;
}

function visit(value: Json, depthLeft: number, found: Measure): void {
  if (typeof value === 'number') {
    noteNumber(value, found);
    return;
  }
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return;
  if (depthLeft === 0) {
    found.isTooDeep = true;
    return;
  }
  if (isArray(value)) {
    for (const item of value) visit(item, depthLeft - 1, found);
    return;
  }
  for (const key in value) {
    found.keys += 1;
    visit(value[key] ?? null, depthLeft - 1, found);
  }
}

/** Doubles beyond these have lost digits, or all of themselves. */
export function noteNumber(value: number, found: Pick<Measure, 'hasZeros' | 'hasExtremes'>): void {
  if (value === 0) found.hasZeros = true;
  else if (!((value > 1e-290 && value < 1e290) || (value < -1e-290 && value > -1e290))) {
    found.hasExtremes = true;
  }
}

type Known = Pick<Measure, 'keys' | 'hasZeros' | 'hasExtremes'>;

/**
 * The document with nothing lost.
 * @param known what a walk over the whole of `quick.root` has found; not too deep
 * @returns `undefined` if it is deeper than `depthMax`
 */
export function exactly(quick: QuickJson, known: Known, depthMax: number): JsonDocument | undefined {
  return isFaithful(quick, known)
    ? { root: quick.root, duplicates: new Map() }
    : parseExactly(quick.text, depthMax);
}

/** Whether `JSON.parse` has lost nothing of it. */
export function isFaithful(quick: QuickJson, known: Known): boolean {
  const { bytes, text } = quick;
  const scanned = scanHazards(bytes);
  if (scanned?.hasLongDigits !== false && hasLossyNumber(bytes)) return false;
  if (scanned?.keyMarks !== known.keys && countKeyMarks(bytes) !== known.keys) return false;
  if (known.hasExtremes && hasLongExponent(text)) return false;
  return !(known.hasZeros && scanned?.hasNegativeExponent !== false && hasLongNegativeExponent(text));
}

export type ParsedJson =
  | { readonly kind: 'json'; readonly document: JsonDocument }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'too-deep' };

/** Reads one document exactly. */
export function parseJson(bytes: Buffer, { depthMax }: { readonly depthMax: number }): ParsedJson {
  const quick = parseQuickly(bytes);
  if (quick === undefined) return { kind: 'invalid' };
  const known = measure(quick.root, depthMax);
  const document = known.isTooDeep ? undefined : exactly(quick, known, depthMax);
  return document === undefined ? { kind: 'too-deep' } : { kind: 'json', document };
}
