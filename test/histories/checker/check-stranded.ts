/** Property 6: where a user is at the end, and what it wrote since it last moved to `new`. */
import type { Placed } from './check-writes.ts';
import { named } from './check-writes.ts';
import type { Operation, Violation } from './history.ts';
import type { Era } from './owners.ts';

/** @param operations of one user */
export function checkStranded(
  eras: readonly Era[],
  placed: readonly Placed[],
  operations: readonly Operation[],
): readonly Violation[] {
  const last = eras.at(-1);
  if (last?.owner !== 'legacy' || last.change === undefined || last.change.force) return [];
  const acknowledged = new Set(
    operations.flatMap((each) => (each.kind === 'write' && each.outcome === 'ok' ? [each.value] : [])),
  );
  const left = placed.filter(({ write, era }) => era === eras.length - 2 && acknowledged.has(write.value));
  const first = left[0];
  if (first === undefined) return [];
  const text =
    `${left.length} acknowledged writes, ${first.write.value} the first, ` +
    `were left behind in new by ${named(last.change)}`;
  return [{ property: 6, user: first.write.user, text }];
}
