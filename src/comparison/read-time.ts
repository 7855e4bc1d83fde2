/**
 * Times in the forms that APIs use, as milliseconds since 1970. A date without a zone is taken for UTC.
 */
import { ExactNumber } from './exact-number.ts';
import type { Json } from './json-tree.ts';

const ISO =
  /^([+-]\d{6}|\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?\s?([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/;
/** RFC 1123, with the two-digit year of RFC 850 left out on purpose: it names no century. */
const RFC_1123 =
  /^(?:[A-Za-z]{3}, ?)?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))? (GMT|UTC?|Z|[+-]\d{4})$/;
const EPOCH = /^-?\d{1,16}(?:\.\d{1,9})?$/;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Numbers below are seconds (until the year 5138), others milliseconds (from 1973 on). */
const EPOCH_MS_FROM = 1e11;

const TEXT_MAX = 64;

/** @returns milliseconds, possibly with a fraction; `undefined` if it is no time in a known form */
export function readTime(value: Json): number | undefined {
  if (value instanceof ExactNumber) return undefined;
  if (typeof value === 'number') return epoch(value);
  if (typeof value !== 'string' || value.length > TEXT_MAX) return undefined;
  const text = value.trim();
  if (EPOCH.test(text)) return epoch(Number(text));
  return readIso(text) ?? readRfc1123(text);
}

function epoch(value: number): number | undefined {
  const ms = Math.abs(value) < EPOCH_MS_FROM ? value * 1000 : value;
  return Math.abs(ms) <= 8.64e15 ? ms : undefined;
}

function readIso(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match;
  const whole = utc(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  return whole === undefined ? undefined : whole + Number(`0.${fraction}0`) * 1000 - zoneMs(zone);
}

function readRfc1123(text: string): number | undefined {
  const match = RFC_1123.exec(text);
  if (match === null) return undefined;
  const [, day, monthName = '', year, hour, minute, second = '0', zone = 'GMT'] = match;
  const month = MONTHS.indexOf(monthName.toLowerCase());
  const whole = utc(Number(year), month, Number(day), Number(hour), Number(minute), Number(second));
  return whole === undefined ? undefined : whole - zoneMs(zone);
}

/** `undefined` for what no calendar has; a leap second is the second after it. */
function utc(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  if (month < 0 || month > 11 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60) {
    return undefined;
  }
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  if (date.getUTCDate() !== day) return undefined;
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
}

function zoneMs(zone: string): number {
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? '0');
  return (match[1] === '-' ? -minutes : minutes) * 60_000;
}
