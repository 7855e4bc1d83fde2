/** Lengths of time as people write them. */
import { InvalidArgumentError } from 'commander';

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `500ms`, `30s`, `10m`, `2h`, `3d`; `0` without a unit. @returns milliseconds */
export function spanMs(text: string): number {
  if (text === '0') return 0;
  const [, number, unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/u.exec(text) ?? [];
  const ms = Number(number) * (UNITS_MS[unit] ?? Number.NaN);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('It is a number with ms, s, m, h or d, such as 10m.');
  return ms;
}
