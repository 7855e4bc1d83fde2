/** Who owns a user as things stand: by its pin, its membership, or the cohorts that its plans lead it to. */
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

/** In the order of their rules. */
export type Cohorts = readonly CohortAtStart[];

export interface Membership {
  readonly cohort: string;
  /** The place among the explicit members; `undefined` where no ramp by count reaches, or a rule did it. */
  readonly ordinal: number | undefined;
}

/** What is known of one user. */
export interface Standing {
  readonly membership: Membership | null;
  readonly pin: Backend | null;
}

export function ownerInside(
  cohort: StageAndRamp & { readonly salt: string },
  user: string,
  ordinal: number | undefined,
): Backend {
  const [inside, outside] = OWNERS[cohort.stage];
  return isInside(cohort.ramp, cohort.salt, user, ordinal) ? inside : outside;
}

function isInside(ramp: Ramp, salt: string, user: string, ordinal: number | undefined): boolean {
  if (typeof ramp === 'number') return ordinal !== undefined && ordinal < ramp;
  return bucketOf(salt, user) < Math.round(Number(ramp.slice(0, -1)) * 100);
}

/** The cohorts that requests of a user without a membership may lead it to. */
export function ledTo({ plans = [] }: UserAtStart, cohorts: Cohorts): readonly string[] {
  const fallback = cohorts.find(({ isDefault }) => isDefault === true);
  const led = plans.flatMap((plan) => {
    const cohort = cohorts.find((each) => each.plans?.includes(plan) === true) ?? fallback;
    return cohort === undefined ? [] : [cohort.name];
  });
  return [...new Set(led)];
}

/**
 * @returns `undefined` when its requests would lead it to different owners: then the first one gives it a membership,
 *   and until then nothing is done for it
 */
export function ownerOf(user: UserAtStart, standing: Standing, cohorts: Cohorts): Backend | undefined {
  const { membership, pin } = standing;
  if (pin !== null) return pin;
  const places: readonly Membership[] =
    membership === null
      ? ledTo(user, cohorts).map((cohort) => ({ cohort, ordinal: undefined }))
      : [membership];
  const owners = places.flatMap(({ cohort, ordinal }) => {
    const found = cohorts.find(({ name }) => name === cohort);
    return found === undefined ? [] : [ownerInside(found, user.user, ordinal)];
  });
  return owners.every((owner) => owner === owners[0]) ? owners[0] : undefined;
}

/** The definitions as the change leaves them; the same object when it is not about one. */
export function cohortsAfter(cohorts: Cohorts, change: Change): Cohorts {
  if (change.kind !== 'cohort') return cohorts;
  const { to, plans } = change;
  return cohorts.map((each) =>
    each.name === change.cohort
      ? { ...each, stage: to.stage, ramp: to.ramp, ...(plans === undefined ? {} : { plans }) }
      : each,
  );
}

/** What the change makes of it; the same object when it does not bear on this user. */
export function standingAfter(standing: Standing, change: Change, user: string): Standing {
  switch (change.kind) {
    case 'cohort':
      return change.kept.includes(user) ? { ...standing, pin: 'new' } : standing;
    case 'pin':
      return change.user === user ? { ...standing, pin: change.to } : standing;
    case 'members': {
      if (!change.users.includes(user)) return standing;
      // Places are never given twice: whoever comes later is behind all those of the beginning.
      const membership = change.action === 'add' ? { cohort: change.cohort, ordinal: undefined } : null;
      return { ...standing, membership };
    }
    default:
      return change satisfies never;
  }
}

/** Whether the change, had it been done, would bear on this user. */
export function concerns(change: Change, user: UserAtStart, standing: Standing): boolean {
  switch (change.kind) {
    case 'pin':
      return change.user === user.user;
    case 'members':
      return change.users.includes(user.user);
    case 'cohort':
      if (change.kept.includes(user.user)) return true;
      return standing.membership === null || standing.membership.cohort === change.cohort;
    default:
      return change satisfies never;
  }
}

/** Those that are in force, in the order in which they came into force: of one epoch, those of users first. */
export function inOrder(changes: readonly Change[]): readonly Change[] {
  return changes
    .filter(({ outcome }) => outcome === 'done')
    .toSorted(
      (a, b) => (a.epoch ?? 0) - (b.epoch ?? 0) || Number(a.kind === 'cohort') - Number(b.kind === 'cohort'),
    );
}
