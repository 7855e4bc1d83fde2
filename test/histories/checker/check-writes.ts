/** Properties 1, 2, 3 and 7: every write that was applied, against the eras of its user. */
import { type Era, mayHaveWritten } from './eras.ts';
import type { Applied, Change, CohortAtStart, UserAtStart, Violation } from './history.ts';
import { named } from './named.ts';
import { ownerInside } from './owners.ts';

/** A write, and the place of its era among those of its user. */
export interface Placed {
  readonly write: Applied;
  readonly era: number;
}

export interface CheckedWrites {
  readonly placed: readonly Placed[];
  readonly violations: readonly Violation[];
}

/** The first era, from `first` on, of whose owner the write may be. */
function eraOf(eras: readonly Era[], first: number, write: Applied): number | undefined {
  const found = eras.findIndex((era, index) => index >= first && mayHaveWritten(era, era.endedMs, write));
  return found === -1 ? undefined : found;
}

/** @param writes of one user, in the order in which they were applied */
export function checkWrites(
  user: UserAtStart,
  eras: readonly Era[],
  writes: readonly Applied[],
  undone: readonly Undone[],
): CheckedWrites {
  const placed: Placed[] = [];
  const violations: Violation[] = [];
  let era = 0;
  for (const write of writes) {
    const found = eraOf(eras, era, write);
    if (found === undefined) {
      violations.push(astray(user, eras, write, undone));
    } else {
      era = found;
      placed.push({ write, era });
    }
  }
  return { placed, violations: [...violations, ...overlaps(placed, eras)] };
}

/** Names the property that a write in nobody's era breaks. */
function astray(
  owned: UserAtStart,
  eras: readonly Era[],
  write: Applied,
  undone: readonly Undone[],
): Violation {
  const { user } = owned;
  const what = `write ${write.value} was applied by ${write.backend} (${at(write)})`;
  const culprit = undone.find((each) => wouldHaveMoved(each, owned, write))?.change;
  if (culprit !== undefined) {
    return { property: 7, user, text: `${what}, as if ${named(culprit)}, which was undone, had moved it` };
  }
  const { backend, beganMs, appliedMs } = write;
  if (eraOf(eras, 0, write) !== undefined) {
    return { property: 2, user, text: `${what} after a write of the owner that followed` };
  }
  const inForce = eras.findLast((era) => era.fromMs <= appliedMs);
  const since = inForce?.change === undefined ? 'from the beginning' : `since ${named(inForce.change)}`;
  const meanwhile = `while ${inForce?.owner ?? 'nobody'} owned the user ${since}`;
  const hadIt = eras.some((era) => era.owner === backend && era.fromMs <= appliedMs);
  if (!hadIt) return { property: 1, user, text: `${what} ${meanwhile}: that backend never had it` };
  // It was on its way while the change was made, or was sent when that was over.
  const property = beganMs <= (inForce?.byMs ?? 0) ? 2 : 3;
  return { property, user, text: `${what} ${meanwhile}: that backend had lost it` };
}

/** A change that was undone, and, for one of a cohort, what it was about. */
export interface Undone {
  readonly change: Change;
  readonly cohort: CohortAtStart | undefined;
}

function wouldHaveMoved(
  { change, cohort }: Undone,
  { user, ordinal, cohorts }: UserAtStart,
  write: Applied,
): boolean {
  if (change.requestedMs > write.appliedMs || write.beganMs > change.overMs) return false;
  switch (change.kind) {
    case 'pin':
      return change.user === user && change.to === write.backend;
    case 'members':
      return change.users.includes(user);
    case 'cohort': {
      if (cohort === undefined || (cohorts.length > 0 && !cohorts.includes(cohort.name))) return false;
      const [before, after] = [change.from, change.to].map((definition) =>
        ownerInside({ ...definition, salt: cohort.salt }, user, ordinal),
      );
      return after === write.backend && before !== write.backend;
    }
    default:
      return change satisfies never;
  }
}

/** A write of an owner has ended before the first of the next owner begins. */
function overlaps(placed: readonly Placed[], eras: readonly Era[]): readonly Violation[] {
  const violations: Violation[] = [];
  let current: Placed | undefined;
  /** They come in the order of their ends: this one ended last of all that are of earlier eras. */
  let earlier: Placed | undefined;
  for (const each of placed) {
    if (current !== undefined && current.era < each.era) earlier = current;
    current = each;
    if (earlier === undefined || each.write.beganSeq > earlier.write.appliedSeq) continue;
    const change = eras[each.era]?.change;
    const text =
      `write ${each.write.value} began at ${each.write.backend} (${at(each.write)}) while ` +
      `${earlier.write.backend} had yet to apply ${earlier.write.value} (${at(earlier.write)}), ` +
      `around ${change === undefined ? 'the beginning' : named(change)}`;
    violations.push({ property: 2, user: each.write.user, text });
  }
  return violations;
}

function at({ beganSeq, appliedSeq, beganMs, appliedMs }: Applied): string {
  return `${beganSeq} to ${appliedSeq}, ${beganMs.toFixed(1)} to ${appliedMs.toFixed(1)} ms`;
}
