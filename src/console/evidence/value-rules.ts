/** Rules for values that differ, told by the values of the samples. */
import { readTime } from '../../comparison/read-time.ts';
import { COMPARATORS_SAY, type Comparator, comparator, type Draft, tolerance } from './rule-drafts.ts';

/** One difference of a sample, as the API writes it. */
export interface SeenDifference {
  readonly path: string;
  readonly where: string;
  readonly kind: string;
  readonly left: { readonly type: string; readonly value?: unknown };
  readonly right: { readonly type: string; readonly value?: unknown };
}

const UUID = /^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/iu;
const YES_OR_NO = /^(?:true|false|yes|no|y|n|on|off|1|0)$/iu;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/iu;

/** Whether a comparator would probably make these two the same. */
const LOOKS_LIKE: Readonly<Partial<Record<Comparator, (one: string, other: string) => boolean>>> = {
  'case-insensitive': (one, other) => one.toLowerCase() === other.toLowerCase(),
  trimmed: (one, other) => one.trim() === other.trim(),
  'collapsed-whitespace': (one, other) => collapsed(one) === collapsed(other),
  'unicode-normal': (one, other) => one.normalize('NFC') === other.normalize('NFC'),
  'number-text': (one, other) => NUMBER.test(one) && NUMBER.test(other) && Number(one) === Number(other),
  'digits-only': (one, other) =>
    one.replaceAll(/\D/gu, '') === other.replaceAll(/\D/gu, '') && /\d/u.test(one),
  boolean: (one, other) => YES_OR_NO.test(one) && YES_OR_NO.test(other) && isYes(one) === isYes(other),
  'same-instant': (one, other) => readTime(one) !== undefined && readTime(one) === readTime(other),
  'uuid-any': (one, other) => UUID.test(one) && UUID.test(other),
};

function collapsed(text: string): string {
  return text.replaceAll(/\s+/gu, ' ').trim();
}

function isYes(text: string): boolean {
  return /^(?:true|yes|y|on|1)$/iu.test(text);
}

export function valueDrafts(path: string, seen: readonly SeenDifference[]): readonly Draft[] {
  const pairs = seen.map(({ left, right }) => [scalarOf(left.value), scalarOf(right.value)] as const);
  const fits = (looks: (one: string, other: string) => boolean): boolean =>
    pairs.length > 0 &&
    pairs.every(([one, other]) => one !== undefined && other !== undefined && looks(one, other));
  const likely = Object.keys(COMPARATORS_SAY).flatMap((name) => {
    const known = isComparator(name) ? name : undefined;
    const looks = known && LOOKS_LIKE[known];
    return known !== undefined && looks !== undefined && fits(looks) ? [comparator(path, known)] : [];
  });
  const isOneType = seen.length > 0 && seen.every(({ left, right }) => left.type === right.type);
  const wide = comparator(path, isOneType ? 'same-type' : 'anything');
  return [...likely, ...toleranceDrafts(path, seen), wide];
}

function isComparator(name: string): name is Comparator {
  return Object.hasOwn(COMPARATORS_SAY, name);
}

export function scalarOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/** The next of 1, 2, 5, 10, … (and 0.1, 0.2, …) that is not below. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((one) => one * power >= value * 0.999_999) ?? 10;
  return Number((step * power).toPrecision(3));
}

const HOUR_MS = 3_600_000;
const YEAR_MS = 31_536_000_000;

function toleranceDrafts(path: string, seen: readonly SeenDifference[]): readonly Draft[] {
  const numbers = seen.flatMap(({ left, right }) =>
    typeof left.value === 'number' && typeof right.value === 'number'
      ? [Math.abs(left.value - right.value)]
      : [],
  );
  if (seen.length > 0 && numbers.length === seen.length) {
    const absolute = roundUp(Math.max(...numbers));
    const says = `Numbers may differ by ${absolute}; the samples differ by ${shortNumber(Math.max(...numbers))} at most.`;
    return Number.isFinite(absolute) && absolute <= 1e15 ? [tolerance(path, { absolute }, says)] : [];
  }
  const times = seen.flatMap(({ left, right }) => {
    if (typeof left.value !== 'string' || typeof right.value !== 'string') return [];
    const [one, other] = [readTime(left.value), readTime(right.value)];
    return one === undefined || other === undefined ? [] : [Math.abs(one - other)];
  });
  const widest = Math.max(...times);
  if (times.length === 0 || times.length < seen.length || widest === 0 || widest > YEAR_MS) return [];
  const timeMs = widest < HOUR_MS ? Math.ceil(roundUp(widest)) : Math.ceil(widest / HOUR_MS) * HOUR_MS;
  return [tolerance(path, { timeMs }, `Times may differ by ${timeMs} ms.`)];
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}
