/**
 * The scan of `scan-hazards.ts` as a program for WebAssembly, sixteen bytes at a time: JavaScript has no access to the
 * vector unit of a CPU, and one byte after the other, or four, the scan costs a fifth of `JSON.parse`.
 *
 * It is assembled here, instruction by instruction, so that it can be read and needs no tool to build. In its memory
 * of one page lie the bytes, from 0 on. It exports that, and
 *
 *   scan(length, end, tail) -> found
 *
 * `length` is how many bytes there are; `end`, more than 0, at how many of them a pattern may begin: at all, or at a
 * multiple of 16. `tail` is how many bytes in front of them are a run of digits already. `found` is the number of key
 * marks times 128, plus the new tail times 4, plus 2 for a run of 16 digits or more, plus 1 for an exponent below zero.
 */

/* The parameters and the variables of the function. */
const LENGTH = 0;
const END = 1;
const TAIL = 2;
const AT = 3;
const MARKS = 4;
const LONG = 5;
const RUN = 6;
const HERE = 7;
const NEXT = 8;
const DIGITS = 9;
const EXPONENTS = 10;
/* One byte, sixteen times: made once, since the loop takes twice as long if it makes them in each round. */
const QUOTES = 11;
const COLONS = 12;
const POINTS = 13;
const TWELVES = 14;
const CASE_BITS = 15;
const LETTERS_E = 16;
const MINUSES = 17;

const I32 = 0x7f;
const V128 = 0x7b;
const NO_RESULT = 0x40;
const FUNCTION = 0x60;

const get = (variable: number): number[] => [0x20, variable];
const set = (variable: number): number[] => [0x21, variable];
const tee = (variable: number): number[] => [0x22, variable];
/** @param value -64 to 63: one byte */
const i32 = (value: number): number[] => [0x41, value & 0x7f];
const vector = (operation: number): number[] => [0xfd, operation];
/** Sixteen bytes from the place on the stack; without alignment, which no current CPU asks for. */
const load = (offset: number): number[] => [...vector(0x00), 0, offset];
const store = (offset: number): number[] => [...vector(0x0b), 0, offset];
/** The same byte in all sixteen lanes. */
const splat = (byte: number): number[] => [...vector(0x0c), ...Array.from({ length: 16 }, () => byte)];

const LOOP = [0x03, NO_RESULT];
const REPEAT_IF = [0x0d, 0];
const CLOSE = [0x0b];
const LESS = [0x49];
const AT_LEAST = [0x4f];
const LEADING_ZEROS = [0x67];
const TRAILING_ZEROS = [0x68];
const COUNT_ONES = [0x69];
const ADD = [0x6a];
const OR = [0x72];
const XOR = [0x73];
const SHIFT_LEFT = [0x74];
const ROTATE_LEFT = [0x77];
/* Of sixteen bytes each, all without a sign. A comparison gives ones where it is true. */
const V_EQUAL = vector(0x23);
const V_LESS = vector(0x26);
const V_AT_MOST = vector(0x2a);
const V_AND = vector(0x4e);
const V_OR = vector(0x50);
const V_ANY = vector(0x53);
const V_SUBTRACT = vector(0x71);
/** One bit for each byte, the first byte's the lowest. */
const V_BITS = vector(0x64);

/** One line for each step. */
const BODY: readonly (readonly number[])[][] = [
  // The last sixteen are filled with zeros: those are no part of any pattern.
  [get(LENGTH), splat(0), store(0)],
  [splat(0x22), set(QUOTES), splat(0x3a), set(COLONS), splat(0x2e), set(POINTS), splat(12), set(TWELVES)],
  [splat(0x20), set(CASE_BITS), splat(0x65), set(LETTERS_E), splat(0x2d), set(MINUSES)],
  [LOOP],
  [get(AT), load(0), set(HERE)],
  [get(AT), load(1), set(NEXT)],
  // marks += the colons behind a byte of at most `"`
  [get(HERE), get(QUOTES), V_AT_MOST],
  [get(NEXT), get(COLONS), V_EQUAL, V_AND],
  [V_BITS, COUNT_ONES, get(MARKS), ADD, set(MARKS)],
  // digits, and the two characters in front of them, `.` and `/`
  [get(HERE), get(POINTS), V_SUBTRACT, get(TWELVES), V_LESS, tee(DIGITS)],
  // run = the bits of all that is none, and ones above these
  [V_BITS, i32(-1), XOR, tee(RUN)],
  // long |= the tail, and the digits at the begin of these sixteen, are 16 or more
  [TRAILING_ZEROS, get(TAIL), ADD, i32(16), AT_LEAST, get(LONG), OR, set(LONG)],
  // tail = the digits at their end, 16 at most
  [get(RUN), i32(16), ROTATE_LEFT, LEADING_ZEROS, set(TAIL)],
  // exponents |= a digit, an `e` and a minus
  [get(NEXT), get(CASE_BITS), V_OR, get(LETTERS_E), V_EQUAL],
  [get(AT), load(2), get(MINUSES), V_EQUAL, V_AND],
  [get(DIGITS), V_AND, get(EXPONENTS), V_OR, set(EXPONENTS)],
  [get(AT), i32(16), ADD, tee(AT), get(END), LESS, REPEAT_IF],
  [CLOSE],
  [get(MARKS), i32(5), SHIFT_LEFT, get(TAIL), ADD],
  [i32(1), SHIFT_LEFT, get(LONG), ADD],
  [i32(1), SHIFT_LEFT, get(EXPONENTS), V_ANY, ADD],
  [CLOSE],
];

/** What has a length of its own in front of it. */
function sized(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes];
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function named(name: string): number[] {
  return sized(Array.from(name, (letter) => letter.charCodeAt(0)));
}

/** The variables behind the parameters: four numbers, and eleven times sixteen bytes. */
const VARIABLES = [2, 4, I32, 11, V128];

/** The module, as `WebAssembly.Module` takes it. */
export const SCAN_PROGRAM = Uint8Array.from(
  [
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // One type of functions, of three numbers and with one for its result; one function of that type.
    [1, ...sized([1, FUNCTION, 3, I32, I32, I32, 1, I32])],
    [3, ...sized([1, 0])],
    // One memory, of one page and no more.
    [5, ...sized([1, 1, 1, 1])],
    [7, ...sized([2, ...named('memory'), 2, 0, ...named('scan'), 0, 0])],
    [10, ...sized([1, ...sized([...VARIABLES, ...BODY.flat(2)])])],
  ].flat(),
);
