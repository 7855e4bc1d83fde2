/** Whether the steps of a plan only ever grow. Pure. */
import type { Ramp } from '../model.ts';

/**
 * Numbers of users come first, shares after them: nobody can say whether a number is more than a share, and `100%` is
 * more than any number.
 * @returns the first step that is wrong, by its index, and why; `undefined` for a plan that grows
 */
export function stepOutOfOrder(
  ramps: readonly Ramp[],
): { readonly index: number; readonly why: string } | undefined {
  let before: Ramp | undefined;
  for (const [index, ramp] of ramps.entries()) {
    const why = wrongAfter(ramp, before);
    if (why !== undefined) return { index, why };
    before = ramp;
  }
  return undefined;
}

function wrongAfter(ramp: Ramp, before: Ramp | undefined): string | undefined {
  const size = sizeOf(ramp);
  if (size === 0) return 'a step admits somebody: 0 is no step';
  if (before === undefined) return undefined;
  if (before.kind === 'percent' && ramp.kind === 'count') {
    return 'numbers of users come before shares: nobody can say whether this is more than the step before';
  }
  if (before.kind !== ramp.kind || sizeOf(before) < size) return undefined;
  return 'each step is larger than the one before: a plan never takes users back';
}

function sizeOf(ramp: Ramp): number {
  return ramp.kind === 'percent' ? ramp.buckets : ramp.count;
}
