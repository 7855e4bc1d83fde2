/** Property 4, and that a read shows what its backend has. */
import type { Placed } from './check-writes.ts';
import { type Era, wasUnderWay } from './eras.ts';
import type { Backend, Operation, ReadSent, Violation } from './history.ts';

/** What was acknowledged up to some moment. */
interface Acknowledged {
  era: number;
  /** Of the last write; -1 before the first. */
  writtenIn: number;
  /** By backend, the place of the last write in the order of the backends. */
  readonly seq: { [B in Backend]: number };
}

/** @param operations of one user */
export function checkReads(
  eras: readonly Era[],
  placed: readonly Placed[],
  operations: readonly Operation[],
): readonly Violation[] {
  const byValue = new Map(placed.map((each) => [each.write.value, each]));
  const acknowledged = operations
    .filter((each) => each.kind === 'write' && each.outcome === 'ok')
    .toSorted((a, b) => a.endedMs - b.endedMs);
  const reads = operations.filter((each) => each.kind === 'read').toSorted((a, b) => a.beganMs - b.beganMs);
  const known: Acknowledged = { era: 0, writtenIn: -1, seq: { legacy: -1, new: -1 } };
  let next = 0;
  const violations: Violation[] = [];
  for (const read of reads) {
    for (; (acknowledged[next]?.endedMs ?? Infinity) < read.beganMs; next += 1) {
      const write = byValue.get(acknowledged[next]?.value ?? '');
      if (write === undefined) continue;
      known.era = Math.max(known.era, write.era);
      known.writtenIn = known.era;
      const { backend, appliedSeq } = write.write;
      known.seq[backend] = Math.max(known.seq[backend], appliedSeq);
    }
    const wrong = fromWhere(eras, read, known) ?? whatItSaw(read, known, byValue);
    if (wrong !== undefined) violations.push({ property: 4, user: read.user, text: wrong });
  }
  return violations;
}

/**
 * From the owner of an era in which it was under way; or from `legacy` while `new` owns the user and fails, as long as
 * no write of that era was acknowledged.
 */
function fromWhere(eras: readonly Era[], read: ReadSent, known: Acknowledged): string | undefined {
  const { backend } = read;
  const { era, writtenIn } = known;
  const possible = eras.some(
    (each, index) =>
      index >= era &&
      (each.owner === backend || (each.owner === 'new' && index > writtenIn)) &&
      wasUnderWay(each, each.endedMs, read),
  );
  if (possible) return undefined;
  const owner = eras[era]?.owner ?? 'nobody';
  return `${shown(read)}, after a write to ${owner} was acknowledged or outside of any change`;
}

/** A read may see a write that nobody acknowledged yet, but not less than what was. */
function whatItSaw(
  read: ReadSent,
  { seq }: Acknowledged,
  byValue: ReadonlyMap<string, Placed>,
): string | undefined {
  const least = seq[read.backend];
  if (read.value === null)
    return least < 0 ? undefined : `${shown(read)}, after a write there was acknowledged`;
  const saw = byValue.get(read.value)?.write;
  // A write that went astray is reported as such.
  if (saw === undefined) return undefined;
  if (saw.backend !== read.backend) return `${shown(read)}, which ${saw.backend} has`;
  return saw.appliedSeq < least ? `${shown(read)}, after a later write there was acknowledged` : undefined;
}

/** Reads that `legacy` answered while nobody but `new` can have owned the user. */
export function fallbacksOf(eras: readonly Era[], operations: readonly Operation[]): number {
  return operations.filter(
    (each) =>
      each.kind === 'read' &&
      each.backend === 'legacy' &&
      eras.every((era) => era.owner === 'new' || !wasUnderWay(era, era.endedMs, each)),
  ).length;
}

function shown({ backend, value, beganMs, endedMs, gateway }: ReadSent): string {
  const when = `${beganMs.toFixed(1)} to ${endedMs.toFixed(1)} ms, by ${gateway}`;
  return `a read was answered by ${backend} with ${value ?? 'nothing'} (${when})`;
}
