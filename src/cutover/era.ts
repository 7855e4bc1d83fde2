/** The eras of a cohort: between which moments a mark says that a user's writes are in `new` only. Pure. */
import { STAGE_TABLE } from '../decision/stages.ts';
import type { Cohort, Era } from '../model.ts';

/** Whether the data of any user of the cohort may be in `new` because of its stage; pins aside. */
export function hasUsersOnNew({ stage, ramp }: Pick<Cohort, 'stage' | 'ramp'>): boolean {
  const inside = STAGE_TABLE[stage];
  if (inside.target === 'legacy') return false;
  if (STAGE_TABLE[inside.before].target === 'new') return true;
  return ramp.kind === 'count' ? ramp.count > 0 : ramp.buckets > 0;
}

/**
 * The era of the definition `after`, to be written with it, in the transaction that puts it in force.
 *
 * Raised when the cohort goes from nobody on `new` to somebody. `complete` makes it untracked, and it stays so
 * until nobody is on `new` any more, whatever stages lie between.
 *
 * @param before the definition in force; `undefined` for a cohort that does not exist yet
 */
export function nextEra(before: Cohort | undefined, after: Cohort): Era | undefined {
  const last = before?.era;
  if (!hasUsersOnNew(after)) return last === undefined ? undefined : { number: last.number, tracked: true };
  const tracked = after.stage !== 'complete';
  if (before === undefined || !hasUsersOnNew(before)) return { number: (last?.number ?? 0) + 1, tracked };
  // An older version left users on `new` and marked nobody.
  if (last === undefined) return { number: 1, tracked: false };
  return { number: last.number, tracked: tracked && last.tracked };
}

/** Whether every write to `new` since the users of the cohort came there is marked. */
export function isTracked(cohort: Cohort): boolean {
  return !hasUsersOnNew(cohort) || cohort.era?.tracked === true;
}
