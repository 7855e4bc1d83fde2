/** Lengths of time as people read them. */

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

/** `0.4 s`, `12 s`: for what takes seconds, where tenths matter. */
export function secondsInWords(ms: number): string {
  return ms < 10_000 ? `${Number((ms / 1_000).toFixed(1))} s` : `${Math.round(ms / 1_000)} s`;
}
