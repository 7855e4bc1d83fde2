/**
 * What a difference was, now that both sides were read once more. Pure.
 *
 * A difference that is there again is confirmed, unless the authoritative side gives another value at that very
 * path each time: then nothing can be said of it by looking twice.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Comparison, Difference } from '../comparison/difference.ts';
import { signatureOf } from '../comparison/signature.ts';

export type Judgement =
  | { readonly verdict: 'transient' | 'flapping' | 'unconfirmed' }
  /** With the differences that were in both. */
  | { readonly verdict: 'confirmed'; readonly comparison: Comparison };

/** The kinds of differences of one comparison, each once. */
export function signaturesOf(route: string, comparison: Comparison): ReadonlySet<string> {
  return new Set(comparison.differences.map((difference) => signatureOf(route, difference)));
}

/** @param first mismatched */
export function judgeConfirmation(route: string, first: Comparison, second: Comparison): Judgement {
  if (second.verdict === 'matched' || second.verdict === 'ignored') return { verdict: 'transient' };
  if (second.verdict === 'uncompared') return { verdict: 'unconfirmed' };
  const before = new Map<string, Map<string, Difference>>();
  for (const difference of first.differences) {
    const signature = signatureOf(route, difference);
    const paths = before.get(signature) ?? new Map<string, Difference>();
    before.set(signature, paths.set(difference.path, difference));
  }
  const confirmed = second.differences.filter((difference) => {
    const paths = before.get(signatureOf(route, difference));
    if (paths === undefined) return false;
    const same = paths.get(difference.path);
    return same === undefined || isDeepStrictEqual(same.left, difference.left);
  });
  if (confirmed.length === 0) return { verdict: 'flapping' };
  return {
    verdict: 'confirmed',
    comparison: Object.freeze({ ...second, differences: Object.freeze(confirmed) }),
  };
}
