/**
 * Who owns a user, worked out from the audit alone: the changes that bear on the user, in the order of their epochs,
 * cut its time into eras of one owner each.
 */
import type { Backend, Change, CohortAtStart, Ramp, Stage, StageAndRamp, UserAtStart } from './history.ts';
import { bucketOf } from './ramp-bucket.ts';

/** The owner of users inside the ramp, and of the rest, who have the stage before. */
const OWNERS: { readonly [S in Stage]: readonly [inside: Backend, outside: Backend] } = {
  off: ['legacy', 'legacy'],
  dualwrite: ['legacy', 'legacy'],
  shadow: ['legacy', 'legacy'],
  live: ['new', 'legacy'],
  rampdown: ['new', 'new'],
  complete: ['new', 'new'],
};

/** One stretch of time in which one backend owns the user. */
export interface Era {
  readonly owner: Backend;
  /** It began between these two. */
  readonly fromMs: number;
  readonly byMs: number;
  /** It ended between these two. */
  readonly untilMs: number;
  readonly endedMs: number;
  /** What began it; `undefined` for the first. */
  readonly change: Change | undefined;
}

export interface Candidate {
  readonly user: string;
  readonly cohort: CohortAtStart;
  readonly ordinal: number | undefined;
}

export function candidatesOf(user: UserAtStart, cohorts: readonly CohortAtStart[]): readonly Candidate[] {
  return cohorts
    .filter(({ name }) => user.cohorts.includes(name))
    .map((cohort) => ({ user: user.user, cohort, ordinal: user.ordinal }));
}

function isInside(ramp: Ramp, { user, cohort, ordinal }: Candidate): boolean {
  if (typeof ramp === 'number') return ordinal !== undefined && ordinal < ramp;
  return bucketOf(cohort.salt, user) < Math.round(Number(ramp.slice(0, -1)) * 100);
}

/** The owner of a user who is not pinned. */
export function ownerAt({ stage, ramp }: StageAndRamp, candidate: Candidate): Backend {
  const [inside, outside] = OWNERS[stage];
  return isInside(ramp, candidate) ? inside : outside;
}

/** Who owns the user as things stand. */
interface Standing {
  readonly cohort: StageAndRamp;
  readonly pin: Backend | null;
}

/** What the change makes of it; the same object when it does not bear on this user. */
function after(standing: Standing, change: Change, { user, cohort }: Candidate): Standing {
  if (change.kind === 'pin') return change.user === user ? { ...standing, pin: change.to } : standing;
  if (change.cohort !== cohort.name) return standing;
  return { cohort: change.to, pin: change.kept.includes(user) ? 'new' : standing.pin };
}

export function ownerOf({ cohort, pin }: Standing, candidate: Candidate): Backend {
  return pin ?? ownerAt(cohort, candidate);
}

/** @param changes done, in the order of their epochs */
export function erasOf(candidate: Candidate, changes: readonly Change[]): readonly Era[] {
  let standing: Standing = { cohort: candidate.cohort, pin: null };
  let owner = ownerOf(standing, candidate);
  const begun: { owner: Backend; change: Change | undefined }[] = [{ owner, change: undefined }];
  for (const change of changes) {
    standing = after(standing, change, candidate);
    const next = ownerOf(standing, candidate);
    if (next !== owner) begun.push({ owner: next, change });
    owner = next;
  }
  return begun.map((era, index) => {
    const end = begun[index + 1]?.change;
    return {
      ...era,
      fromMs: era.change?.requestedMs ?? -Infinity,
      byMs: era.change?.overMs ?? -Infinity,
      untilMs: end?.requestedMs ?? Infinity,
      endedMs: end?.overMs ?? Infinity,
    };
  });
}

/** Whether the change, had it been done, would bear on this user. */
export function concerns(change: Change, { user, cohort }: Candidate): boolean {
  return change.kind === 'pin' ? change.user === user : change.cohort === cohort.name;
}

/** Those that are in force, in the order in which they came into force. */
export function inOrder(changes: readonly Change[]): readonly Change[] {
  return changes
    .filter(({ outcome }) => outcome === 'done')
    .toSorted((a, b) => (a.epoch ?? 0) - (b.epoch ?? 0));
}
