/**
 * The known key that a misspelt one was probably meant to be.
 */

/**
 * The edit distance in which an insertion, a deletion, a replacement and a swap of two neighbours each cost 1
 * (optimal string alignment).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (!same && i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** Beyond this a key is not a slip of the fingers, and the distance would be costly. */
const KEY_LENGTH_MAX = 64;

/**
 * @returns the nearest of `known`, if it is near enough to be meant: at most a third of its characters
 *   differ. Case and `-` or `_` do not count as differences.
 */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  if (key.length > KEY_LENGTH_MAX) return undefined;
  const written = plain(key);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(written, plain(candidate));
    if (distance < bestDistance && distance <= Math.max(1, Math.floor(candidate.length / 3))) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function plain(key: string): string {
  return key.toLowerCase().replaceAll(/[-_]/g, '');
}
