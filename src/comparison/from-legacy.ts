/**
 * Differences as they look from legacy, whichever side served the user: left is legacy, right is new. Users on both
 * backends meet one fault of the rewrite from two sides, and it is one finding.
 */
import type { Backend } from '../model.ts';
import type { Difference } from './difference.ts';

/** @param authoritative the backend on the left of the difference */
export function kindFromLegacy<K extends string>(kind: K, authoritative: string): K | 'missing' | 'extra' {
  if (authoritative === 'legacy') return kind;
  if (kind === 'missing') return 'extra';
  return kind === 'extra' ? 'missing' : kind;
}

export function fromLegacy(difference: Difference, authoritative: Backend): Difference {
  if (authoritative === 'legacy') return difference;
  const { kind, left, right } = difference;
  return { ...difference, kind: kindFromLegacy(kind, authoritative), left: right, right: left };
}
