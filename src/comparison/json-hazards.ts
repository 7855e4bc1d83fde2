/**
 * What `JSON.parse` loses without a word: digits beyond a double, numbers out of its range, and all but the last of
 * the members with one key. These functions look at the bytes of a *valid* document and tell whether it may have any
 * of that. They may raise a false alarm, which costs a second and slower reading; they miss nothing.
 *
 * Most documents do not come here: a scan (`scan-hazards.ts`) has found nothing in them that these would look at.
 */

const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;
const MINUS = 0x2d;
const PLUS = 0x2b;
const COLON = 0x3a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_E = 0x65;
const LOWER_CASE = 0x20;

/** Any number of at most so many characters before the exponent has a double of its own (15 digits do). */
const STRIDE = 16;
const LITERAL_SHOWN_MAX = 40;

/**
 * Whether a number is written with more digits than its double gives back. Any such number has at least 16
 * digits or points in a row, so it is enough to look at every 16th byte.
 */
export function hasLossyNumber(bytes: Buffer): boolean {
  const { length } = bytes;
  let searched = 0;
  for (let at = STRIDE - 1; at < length; at += STRIDE) {
    if (!isDigitOrDot(bytes[at])) continue;
    let begin = at;
    while (begin > searched && isDigitOrDot(bytes[begin - 1])) begin -= 1;
    let end = at + 1;
    while (end < length && isDigitOrDot(bytes[end])) end += 1;
    if (end - begin >= STRIDE && isLossy(bytes, begin, end)) return true;
    searched = end;
    at = end - 1;
  }
  return false;
}

function isDigitOrDot(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= ZERO && byte <= NINE) || byte === DOT);
}

/** Digits that stand in a text, such as an id in quotes, are no number. */
function isLossy(bytes: Buffer, begin: number, end: number): boolean {
  const first = bytes[begin - 1] === MINUS ? begin - 1 : begin;
  if (!mayPrecedeNumber(bytes[first - 1])) return false;
  if (end - first > LITERAL_SHOWN_MAX) return true;
  let last = end;
  if (isExponentLetter(bytes[last])) {
    last += 1;
    if (bytes[last] === MINUS || bytes[last] === PLUS) last += 1;
    while (last - end < LITERAL_SHOWN_MAX && isDigitOrDot(bytes[last])) last += 1;
  }
  const text = bytes.toString('latin1', first, last);
  return String(Number(text)) !== text;
}

function isExponentLetter(byte: number | undefined): boolean {
  return byte !== undefined && (byte | LOWER_CASE) === LETTER_E;
}

/** The start, white space, or one of `[ : ,`. */
function mayPrecedeNumber(byte: number | undefined): boolean {
  return (
    byte === undefined || byte <= 0x20 || byte === 0x5b || byte === COLON || byte === 0x2c || byte > 0x7f
  );
}

/**
 * Whether a number may have an exponent of three digits or more: a smaller one cannot leave the range of doubles
 * unless the digits before it are many, which `hasLossyNumber` finds.
 */
export function hasLongExponent(text: string): boolean {
  return /\d[eE][+-]?\d\d\d/.test(text);
}

/** The same for exponents that can make a number zero. A pattern of one length, which is searched for in leaps. */
export function hasLongNegativeExponent(text: string): boolean {
  return /\d[eE]-\d\d\d/.test(text);
}

/**
 * The number of colons behind a quote: every key of the document has one. A text such as `":"` may add to it, which
 * is a false alarm. Where the document parsed has as many keys, none of them was lost.
 */
export function countKeyMarks(bytes: Buffer): number {
  let marks = 0;
  for (let at = bytes.indexOf(COLON); at >= 0; at = bytes.indexOf(COLON, at + 1)) {
    if (isKeyMark(bytes, at)) marks += 1;
  }
  return marks;
}

function isKeyMark(bytes: Buffer, colon: number): boolean {
  let before = colon - 1;
  while (isSpace(bytes[before])) before -= 1;
  if (bytes[before] !== QUOTE) return false;
  let slashes = 0;
  while (bytes[before - 1 - slashes] === BACKSLASH) slashes += 1;
  return slashes % 2 === 0;
}

function isSpace(byte: number | undefined): boolean {
  return byte !== undefined && byte <= 0x20;
}
