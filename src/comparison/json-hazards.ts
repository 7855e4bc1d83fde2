/**
 * What `JSON.parse` loses without a word: digits beyond a double, numbers out of its range, and all but the last of
 * the members with one key. These functions look at the bytes of a *valid* document and tell whether it may have any
 * of that. They may raise a false alarm, which costs a second and slower reading; they miss nothing.
 *
 * They read as few bytes as they can: a comparison has a third of the cost of two `JSON.parse` calls for everything
 * else that it does.
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
  return byte === undefined || byte <= 0x20 || byte === 0x5b || byte === COLON || byte === 0x2c || byte > 0x7f;
}

/**
 * Whether a number may have an exponent of three digits or more: a smaller one cannot leave the range of doubles
 * unless the digits before it are many, which `hasLossyNumber` finds.
 */
export function hasLongExponent(bytes: Buffer): boolean {
  const { length } = bytes;
  // Of three digits in a row, one is at a multiple of three.
  for (let at = 2; at < length; at += 3) {
    const byte = bytes[at];
    if (byte === undefined || byte < ZERO || byte > NINE) continue;
    let begin = at;
    while (isDigit(bytes[begin - 1]) && at - begin < 3) begin -= 1;
    let before = begin - 1;
    if (bytes[before] === MINUS || bytes[before] === PLUS) before -= 1;
    if (!isExponentLetter(bytes[before]) || !isDigit(bytes[before - 1])) continue;
    if (isDigit(bytes[begin]) && isDigit(bytes[begin + 1]) && isDigit(bytes[begin + 2])) return true;
  }
  return false;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** Each byte a colon. */
const COLONS = 0x3a3a3a3a;

/**
 * The number of colons behind a quote: every key of the document has one. A text that begins with a colon adds
 * one too many, which is a false alarm. Where the document parsed has as many keys, none of them was lost.
 */
export function countKeyMarks(bytes: Buffer): number {
  const { length, byteOffset } = bytes;
  const head = Math.min(length, (4 - (byteOffset & 3)) & 3);
  const words = new Int32Array(bytes.buffer, byteOffset + head, (length - head) >> 2);
  let marks = 0;
  for (let at = 0; at < head; at += 1) if (isKeyMark(bytes, at)) marks += 1;
  for (let index = 0; index < words.length; index += 1) {
    const differing = (words[index] ?? 0) ^ COLONS;
    // Four bytes at a time: nonzero when one of the bytes of `differing` is zero (Hacker's Delight, 6-1).
    if (((differing - 0x01010101) & ~differing & 0x80808080) === 0) continue;
    const at = head + index * 4;
    if (isKeyMark(bytes, at)) marks += 1;
    if (isKeyMark(bytes, at + 1)) marks += 1;
    if (isKeyMark(bytes, at + 2)) marks += 1;
    if (isKeyMark(bytes, at + 3)) marks += 1;
  }
  for (let at = head + words.length * 4; at < length; at += 1) if (isKeyMark(bytes, at)) marks += 1;
  return marks;
}

function isKeyMark(bytes: Buffer, at: number): boolean {
  if (bytes[at] !== COLON) return false;
  let before = at - 1;
  let byte = bytes[before];
  while (byte !== undefined && byte <= 0x20) {
    before -= 1;
    byte = bytes[before];
  }
  if (byte !== QUOTE) return false;
  let slashes = 0;
  while (bytes[before - 1 - slashes] === BACKSLASH) slashes += 1;
  return slashes % 2 === 0;
}
