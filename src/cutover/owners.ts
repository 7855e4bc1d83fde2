/** Which backend may own a user's data under given cohorts. Pure; the same answers as `decide`, for every request at once. */
import { bucketOf, isFull, rampSeed } from '../decision/ramp.ts';
import { STAGE_TABLE } from '../decision/stages.ts';
import type { Backend, Cohort, User, UserRecord } from '../model.ts';

export type Owners = ReadonlySet<Backend>;

const LEGACY: Owners = new Set(['legacy']);
const NEW: Owners = new Set(['new']);
const EITHER: Owners = new Set(['legacy', 'new']);
const ONE: { readonly [B in Backend]: Owners } = { legacy: LEGACY, new: NEW };

/** The cohorts that rules and the default lead to, in order. */
export function attributeCohorts(cohorts: readonly Cohort[]): readonly Cohort[] {
  const fallback = defaultOf(cohorts);
  return cohorts.filter((each) => each.rule !== undefined || each === fallback);
}

/** Of several default cohorts the first counts. */
export function defaultOf(cohorts: readonly Cohort[]): Cohort | undefined {
  return cohorts.find(({ isDefault }) => isDefault);
}

/** The owner under one cohort. An ordinal that is still to be given may be inside or outside of a ramp by count. */
function under(cohort: Cohort, user: User, { state, membership }: UserRecord): Owners {
  if (cohort.migration === 'per-user' && state !== 'migrated') return LEGACY;
  const inside = STAGE_TABLE[cohort.stage];
  const outside = STAGE_TABLE[inside.before];
  const { ramp } = cohort;
  if (inside.target === outside.target || isFull(ramp)) return ONE[inside.target];
  if (ramp.kind === 'percent')
    return ONE[bucketOf(rampSeed(cohort.salt), user) < ramp.buckets ? inside.target : outside.target];
  if (membership?.by !== 'explicit' || ramp.count <= 0) return ONE[outside.target];
  if (membership.ordinal === undefined) return EITHER;
  return ONE[membership.ordinal < ramp.count ? inside.target : outside.target];
}

/**
 * Who may own the user's data: by its pin, its membership, or, without one, any cohort that its attributes could put it
 * into. An explicit membership without an ordinal counts as one whose ordinal is still to be given.
 *
 * @param cohorts in the order of their rules
 */
export function ownersOf(user: User, record: UserRecord, cohorts: readonly Cohort[]): Owners {
  const { pin, membership } = record;
  if (pin !== undefined) return ONE[pin];
  if (membership !== undefined) {
    const cohort = cohorts.find(({ name }) => name === membership.cohort);
    return cohort === undefined ? EITHER : under(cohort, user, record);
  }
  const owners = new Set<Backend>(defaultOf(cohorts) === undefined ? LEGACY : []);
  for (const cohort of attributeCohorts(cohorts))
    for (const owner of under(cohort, user, record)) owners.add(owner);
  return owners;
}

/** Whether the owner before may be another than the one after. */
export function mayMove(before: Owners, after: Owners): boolean {
  return before.size !== 1 || after.size !== 1 || [...before][0] !== [...after][0];
}
