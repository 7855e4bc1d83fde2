/** Reads one parameter of a query as backends do: `application/x-www-form-urlencoded`, in UTF-8. */
import { percentDecodeUtf8 } from '../routing/percent-decode.ts';

/** What a query says of one parameter. */
export type QueryReading =
  | { readonly kind: 'absent' }
  | { readonly kind: 'value'; readonly value: string }
  /** The parameter is there with a broken escape, or with bytes that are not UTF-8. */
  | { readonly kind: 'malformed' }
  /** The parameter is there several times, with values that differ: backends disagree on which one counts. */
  | { readonly kind: 'conflicting' };

const ABSENT: QueryReading = Object.freeze({ kind: 'absent' });
const MALFORMED: QueryReading = Object.freeze({ kind: 'malformed' });
const CONFLICTING: QueryReading = Object.freeze({ kind: 'conflicting' });

/**
 * Reads all occurrences of a parameter. A name counts in any spelling that decodes to it, so that an escaped
 * duplicate does not hide from the gateway what it shows to a backend.
 * @param query without its question mark, one character for a byte
 */
export function readQuery(query: string, name: string): QueryReading {
  let found: string | undefined;
  let start = 0;
  while (start < query.length) {
    let end = query.indexOf('&', start);
    if (end < 0) end = query.length;
    let equals = query.indexOf('=', start);
    if (equals < 0 || equals > end) equals = end;
    if (isNamed(query, start, equals, name)) {
      const value = formDecoded(query.slice(equals + 1, end));
      if (value === undefined) return MALFORMED;
      if (found !== undefined && found !== value) return CONFLICTING;
      found = value;
    }
    start = end + 1;
  }
  return found === undefined ? ABSENT : { kind: 'value', value: found };
}

/** The value of a parameter; `undefined` if it is absent, broken, or there with several different values. */
export function queryValue(query: string, name: string): string | undefined {
  const reading = readQuery(query, name);
  return reading.kind === 'value' ? reading.value : undefined;
}

function isNamed(query: string, start: number, end: number, name: string): boolean {
  if (end - start === name.length && query.startsWith(name, start)) return true;
  for (let i = start; i < end; i += 1) {
    const code = query.charCodeAt(i);
    // `%`, `+`, or beyond ASCII: the name may be spelt in another way.
    if (code === 37 || code === 43 || code > 127) return formDecoded(query.slice(start, end)) === name;
  }
  return false;
}

function formDecoded(text: string): string | undefined {
  return percentDecodeUtf8(text.includes('+') ? text.replaceAll('+', ' ') : text);
}
