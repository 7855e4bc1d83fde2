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
 * The number of colons behind a quote: every key of the document has one. A text such as `":"` or `"\":"` may add
 * to it, which is a false alarm. Where the document parsed has as many keys, none of them was lost.
 * @param expected how many keys were found: the quick count is enough if it says so
 */
export function countKeyMarks(bytes: Buffer, expected: number): number {
  return quickKeyMarks(bytes) === expected ? expected : carefulKeyMarks(bytes);
}

function carefulKeyMarks(bytes: Buffer): number {
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

/*
 * Below, four bytes at a time and without a branch for each: a branch on every colon costs more than all of this
 * arithmetic (measured: 1.0 ns a byte, against 0.4). In each mask the top bit of a byte says whether that byte
 * meets the condition (Hacker's Delight, chapter 6). A borrow from the byte below may set it for a byte that is one
 * too large; that only adds to the count.
 */

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const TOP_BITS = 0x80808080;

/** Words after which the counts by byte are added up, before one of them overflows. */
const WORDS_A_COUNT = 255;

/** Colons behind a byte of at most `"`: quotes, white space and `!`. Never fewer than `carefulKeyMarks`. */
function quickKeyMarks(bytes: Buffer): number {
  const { head, words } = wordsOf(bytes);
  let marks = colonsBehindLow(bytes, 0, Math.min(head + 1, bytes.length));
  let carry = 0;
  for (let base = 0; base < words.length; base += WORDS_A_COUNT) {
    const end = Math.min(words.length, base + WORDS_A_COUNT);
    let counts = 0;
    for (let index = base; index < end; index += 1) {
      const word = words[index] ?? 0;
      const difference = word ^ 0x3a3a3a3a;
      const colons = (difference - 0x01010101) & ~difference;
      const lows = (word - 0x23232323) & ~word & TOP_BITS;
      counts = (counts + ((colons & ((lows << 8) | carry)) >>> 7)) | 0;
      carry = lows >>> 24;
    }
    marks += (counts & 0xff) + ((counts >>> 8) & 0xff) + ((counts >>> 16) & 0xff) + (counts >>> 24);
  }
  return marks + colonsBehindLow(bytes, Math.max(head + words.length * 4, head + 1), bytes.length);
}

function colonsBehindLow(bytes: Buffer, begin: number, end: number): number {
  let marks = 0;
  for (let at = begin; at < end; at += 1) {
    if (bytes[at] === COLON && (bytes[at - 1] ?? 0xff) <= QUOTE) marks += 1;
  }
  return marks;
}

/** The bytes in fours, from the first that is aligned; none where the order of bytes is another. */
function wordsOf(bytes: Buffer): { readonly head: number; readonly words: Int32Array } {
  const { length, byteOffset } = bytes;
  const head = Math.min(length, (4 - (byteOffset & 3)) & 3);
  const count = LITTLE_ENDIAN ? (length - head) >> 2 : 0;
  // A body may end before the first that is aligned, and a view may not begin elsewhere, not even an empty one.
  const words = count > 0 ? new Int32Array(bytes.buffer, byteOffset + head, count) : new Int32Array(0);
  return { head, words };
}
