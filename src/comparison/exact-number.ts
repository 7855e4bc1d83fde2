/**
 * Numbers by the decimal value of their text. A double stands for its number wherever the shortest text of the
 * double has the value of the source; everything else (2^53 + 1, 0.1000000000000000055, 1e400) is an
 * `ExactNumber`. So `===` of doubles is right, and a double never equals an `ExactNumber`.
 */

/** A number that no double stands for. Two are equal when their keys are. It has no member that can be enumerated. */
export class ExactNumber {
  readonly #key: string;
  readonly #text: string;

  constructor(key: string, text: string) {
    this.#key = key;
    this.#text = text;
  }

  /** Sign, significant digits, `e`, exponent: one text for one value. */
  get key(): string {
    return this.#key;
  }

  /** As it was written. */
  get text(): string {
    return this.#text;
  }

  toJSON(): string {
    return this.text;
  }
}

/** Up to so many characters without an exponent, every decimal has a double of its own. */
const SAFE_CHARACTERS = 15;

/** Longer exponents are compared as they are written: arithmetic with them would cost without a bound. */
const EXPONENT_DIGITS_MAX = 300;

/** @param text a number in the grammar of JSON */
export function numberOf(text: string): number | ExactNumber {
  const value = Number(text);
  if (text.length <= SAFE_CHARACTERS && !/[eE]/.test(text)) return value;
  const key = decimalKey(text);
  return Number.isFinite(value) && decimalKey(String(value)) === key ? value : new ExactNumber(key, text);
}

/** The sign, the digits without zeros at either end, and the exponent of the last digit. */
export interface Decimal {
  readonly negative: boolean;
  /** Empty for zero, whose sign is dropped: -0 is 0. */
  readonly digits: string;
  readonly exponent: bigint;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** @returns `undefined` if it is no number in the grammar of JSON, or its exponent is beyond any use */
export function decimalOf(text: string): Decimal | undefined {
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = NUMBER.exec(text) ?? [];
  if (whole === '' || exponentText.length > EXPONENT_DIGITS_MAX) return undefined;
  const all = whole + fraction;
  let from = 0;
  while (from < all.length && all.charCodeAt(from) === 0x30) from += 1;
  let to = all.length;
  while (to > from && all.charCodeAt(to - 1) === 0x30) to -= 1;
  if (from === to) return { negative: false, digits: '', exponent: 0n };
  const exponent = BigInt(exponentText) + BigInt(all.length - to - fraction.length);
  return { negative: sign === '-', digits: all.slice(from, to), exponent };
}

function decimalKey(text: string): string {
  const decimal = decimalOf(text);
  if (decimal === undefined) return text;
  return `${decimal.negative ? '-' : ''}${decimal.digits}e${decimal.exponent}`;
}

/** More digits than this, or a wider span of exponents, and a tolerance does not apply. */
const DIGITS_MAX = 800;

/**
 * Whether two numbers are within a tolerance of each other, in exact decimal arithmetic: 0.30 and 0.31 are
 * within 0.01, which the difference of the doubles is not.
 * @param absolute the largest difference that is none
 * @param relative the same, as a share of the larger magnitude
 */
export function isWithin(
  left: number | ExactNumber,
  right: number | ExactNumber,
  absolute: number,
  relative: number,
): boolean {
  const [a, b] = [decimalOf(textOf(left)), decimalOf(textOf(right))];
  const [absoluteBound, share] = [decimalOf(String(absolute)), decimalOf(String(relative))];
  if (a === undefined || b === undefined || absoluteBound === undefined || share === undefined) return false;
  const exponents = [a, b, absoluteBound].filter(({ digits }) => digits !== '').map((one) => one.exponent);
  if (exponents.length === 0) return true;
  const lowest = exponents.reduce((low, one) => (one < low ? one : low));
  const scaled = [a, b, absoluteBound].map((one) => scale(one, lowest));
  const [x, y, bound] = scaled;
  if (x === undefined || y === undefined || bound === undefined) return false;
  const gap = x > y ? x - y : y - x;
  if (gap <= bound) return true;
  if (share.digits === '') return false;
  const larger = magnitude(x) > magnitude(y) ? magnitude(x) : magnitude(y);
  // gap <= larger * digits * 10^exponent; a share is at most 1 and its exponent at least -340.
  return share.exponent >= 0n
    ? gap <= larger * BigInt(share.digits) * 10n ** share.exponent
    : gap * 10n ** -share.exponent <= larger * BigInt(share.digits);
}

export function textOf(value: number | ExactNumber): string {
  return typeof value === 'number' ? String(value) : value.text;
}

/** As a whole number of 10^lowest; `undefined` where that would be too long. */
function scale(decimal: Decimal, lowest: bigint): bigint | undefined {
  if (decimal.digits === '') return 0n;
  const zeros = decimal.exponent - lowest;
  if (BigInt(decimal.digits.length) + zeros > BigInt(DIGITS_MAX)) return undefined;
  const whole = BigInt(decimal.digits) * 10n ** zeros;
  return decimal.negative ? -whole : whole;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
