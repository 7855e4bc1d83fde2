/**
 * How long to wait before a dead worker is started again: at once the first time, then twice as long each
 * time, up to a bound, and blurred so that several workers with one cause do not come back in step.
 */

export const FIRST_MS = 100;
export const LONGEST_MS = 30_000;
/** A worker that has served this long died of something new: the count of failures starts again. */
export const STABLE_MS = 60_000;

/**
 * @param failures deaths in a row so far, this one included; at least 1
 * @param random 0 to 1; the wait is between half of the full one and all of it
 * @returns milliseconds
 */
export function backOffMs(failures: number, random: () => number): number {
  if (failures <= 1) return 0;
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 2));
  return full * (0.5 + random() / 2);
}
