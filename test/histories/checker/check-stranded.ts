/** Property 6: what a user wrote to `new` since it came there, whenever a change that was not forced takes it back. */
import type { Placed } from './check-writes.ts';
import type { Era } from './eras.ts';
import type { Operation, Violation } from './history.ts';
import { named } from './named.ts';

/** @param operations of one user */
export function checkStranded(
  eras: readonly Era[],
  placed: readonly Placed[],
  operations: readonly Operation[],
): readonly Violation[] {
  const acknowledged = new Set(
    operations.flatMap((each) => (each.kind === 'write' && each.outcome === 'ok' ? [each.value] : [])),
  );
  const writes = placed.filter(({ write }) => acknowledged.has(write.value));
  return eras.flatMap(({ owner, change }, index) => {
    // While nothing is done for the user it is nowhere: it was where it was before, and either change may be forced.
    const nowhere = eras[index - 1]?.owner === undefined;
    const before = index - (nowhere ? 2 : 1);
    if (owner !== 'legacy' || eras[before]?.owner !== 'new') return [];
    if (change === undefined || change.force || (nowhere && eras[index - 1]?.change?.force === true))
      return [];
    const left = writes.filter(({ era }) => era === before);
    const first = left[0];
    if (first === undefined) return [];
    const text =
      `${left.length} acknowledged writes, ${first.write.value} the first, ` +
      `were left behind in new by ${named(change)}`;
    return [{ property: 6 as const, user: first.write.user, text }];
  });
}
