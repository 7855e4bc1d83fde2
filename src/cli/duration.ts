/** Lengths of time as people read and write them. */
import { InvalidArgumentError } from 'commander';

/** `3d 4h`, `4h 12m`, `12m 5s`, `5s`. */
export function durationInWords(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  if (first === -1) return '0s';
  return parts
    .slice(first, first + 2)
    .map(([value, unit]) => `${value}${unit}`)
    .join(' ');
}

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

/** `0.4 s`, `12 s`: for what takes seconds, where tenths matter. */
export function secondsInWords(ms: number): string {
  return ms < 10_000 ? `${Number((ms / 1_000).toFixed(1))} s` : `${Math.round(ms / 1_000)} s`;
}
