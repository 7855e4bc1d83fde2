/**
 * Patterns of routes: literal segments, `:name` for one segment that is not empty, and a final `*` for the
 * rest, the empty rest included (`/api/*` matches `/api`, `/api/` and `/api/a/b`).
 */

import { percentDecodeBytes } from './percent-decode.ts';

const SLASH = 47;
const PARAM_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** What one form of paths, raw or canonical, is compared with. */
export interface CompiledPattern {
  /** `exact`: `text` is the whole path. `prefix`: `text` is what comes before the final `*`, without its slash. */
  readonly kind: 'exact' | 'prefix' | 'segments';
  readonly text: string;
  /** For `segments`: the literals, `undefined` where a parameter stands. */
  readonly segments: readonly (string | undefined)[];
  readonly rest: boolean;
}

export interface Pattern {
  /** In order of appearance. */
  readonly paramNames: readonly string[];
  /** For paths as sent: what a URL cannot carry is percent-encoded, in upper case. */
  readonly raw: CompiledPattern;
  /** For canonical paths: one character for a byte. */
  readonly canonical: CompiledPattern;
}

/** What is wrong with a pattern, in words for the author of a configuration; `undefined` if it is valid. */
export function patternProblem(match: string): string | undefined {
  if (!match.startsWith('/')) return 'a pattern begins with "/"';
  if (/[?#\\]/.test(match))
    return 'a pattern cannot contain "?", "#" or "\\": it is compared with paths only';
  if (!match.isWellFormed()) return 'a pattern has to be valid Unicode';
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(match)) return 'a pattern cannot contain control characters';
  const segments = match.slice(1).split('/');
  const names = new Set<string>();
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '' && !isLast) return 'a pattern cannot contain "//"';
    if (segment === '.' || segment === '..') return 'a pattern cannot contain dot segments';
    if (segment.includes('*') && !(segment === '*' && isLast))
      return '"*" can only be the whole last segment';
    if (segment.startsWith(':')) {
      const name = segment.slice(1);
      if (!PARAM_NAME.test(name)) return `":${name}" is not a name: letters, digits, "_" and "-"`;
      if (names.has(name)) return `":${name}" appears twice`;
      names.add(name);
    }
  }
  return undefined;
}

/** @throws Error when `patternProblem` finds one: the configuration should have reported it. */
export function compilePattern(match: string): Pattern {
  const problem = patternProblem(match);
  if (problem !== undefined) throw new Error(`route pattern ${JSON.stringify(match)}: ${problem}`);
  const segments = match.slice(1).split('/');
  const rest = segments.at(-1) === '*';
  if (rest) segments.pop();
  const isParam = (segment: string): boolean => segment.startsWith(':');
  return {
    paramNames: segments.filter(isParam).map((segment) => segment.slice(1)),
    raw: compileForm(
      segments.map((s) => (isParam(s) ? undefined : rawLiteral(s))),
      rest,
    ),
    canonical: compileForm(
      segments.map((s) => (isParam(s) ? undefined : canonicalLiteral(s))),
      rest,
    ),
  };
}

function compileForm(segments: readonly (string | undefined)[], rest: boolean): CompiledPattern {
  const literals = segments.filter((segment) => segment !== undefined);
  const text = literals.map((literal) => `/${literal}`).join('');
  if (literals.length < segments.length) return { kind: 'segments', text: '', segments, rest };
  return { kind: rest ? 'prefix' : 'exact', text, segments, rest };
}

function rawLiteral(segment: string): string {
  return segment.replace(/[^\u0021-\u007e]+/g, encodeURIComponent);
}

function canonicalLiteral(segment: string): string {
  return percentDecodeBytes(Buffer.from(segment, 'utf8').toString('latin1'));
}

/**
 * Whether the first `end` characters of `path` meet the pattern. Allocates nothing. Written with `charCodeAt`,
 * which is compiled in place; `startsWith` and `indexOf` are calls, and made this three times as slow.
 */
export function meets(pattern: CompiledPattern, path: string, end: number): boolean {
  const text = pattern.text;
  const length = text.length;
  switch (pattern.kind) {
    case 'exact':
      return end === length && hasAt(path, 0, text);
    case 'prefix':
      if (end <= length) return end === length && hasAt(path, 0, text);
      return length === 0 || (path.charCodeAt(length) === SLASH && hasAt(path, 0, text));
    case 'segments':
      return meetsSegments(pattern, path, end);
    default:
      pattern.kind satisfies never;
      return false;
  }
}

/** Whether `text` stands at `start`. From its end: the patterns of one site tend to begin alike. */
function hasAt(path: string, start: number, text: string): boolean {
  for (let i = text.length - 1; i >= 0; i -= 1) {
    if (path.charCodeAt(start + i) !== text.charCodeAt(i)) return false;
  }
  return true;
}

function meetsSegments(pattern: CompiledPattern, path: string, end: number): boolean {
  const segments = pattern.segments;
  let slash = 0;
  for (let i = 0; i < segments.length; i += 1) {
    if (slash >= end || path.charCodeAt(slash) !== SLASH) return false;
    const literal = segments[i];
    const start = slash + 1;
    if (literal === undefined) {
      slash = segmentEnd(path, start, end);
      if (slash === start) return false;
    } else {
      slash = start + literal.length;
      if (slash > end || (slash < end && path.charCodeAt(slash) !== SLASH)) return false;
      if (!hasAt(path, start, literal)) return false;
    }
  }
  return pattern.rest || slash === end;
}

/** What the parameters of a pattern that the path meets stand for, undecoded, in order of appearance. */
export function captures(pattern: CompiledPattern, path: string, end: number): string[] {
  const captured: string[] = [];
  let slash = 0;
  for (const literal of pattern.segments) {
    const start = slash + 1;
    slash = segmentEnd(path, start, end);
    if (literal === undefined) captured.push(path.slice(start, slash));
  }
  return captured;
}

function segmentEnd(path: string, start: number, end: number): number {
  let at = start;
  while (at < end && path.charCodeAt(at) !== SLASH) at += 1;
  return at;
}
