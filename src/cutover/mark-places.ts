/** Which marks count for a user, and where a user is marked. Pure. */
import type { User, UserRecord } from '../model.ts';
import { hasUsersOnNew, isTracked } from './era.ts';
import type { Writes } from './write-marks.ts';
import {
  type Mark,
  type MarkedCohort,
  type MarkScope,
  PINNED_SCOPE,
  type StoredMark,
} from './write-marks-store.ts';

export function scopeOf({ number, cohort }: MarkedCohort): MarkScope {
  return { number, era: cohort.era?.number ?? 0 };
}

/** Whether users of the cohort may be in `new` because of its stage. */
export function isOnNew({ cohort, deleted }: MarkedCohort): boolean {
  return !deleted && hasUsersOnNew(cohort);
}

/** The same, of now or of before. */
export function wasOnNew(each: MarkedCohort): boolean {
  return isOnNew(each) || (!each.deleted && each.cohort.era !== undefined);
}

/** Whether attributes may put a user into the cohort. */
export function leadsTo({ cohort, deleted }: MarkedCohort): boolean {
  return !deleted && (cohort.isDefault || cohort.rule !== undefined);
}

export function isIn(mark: StoredMark, { number, era }: MarkScope): boolean {
  return mark.number === number && mark.era === era;
}

/**
 * Whether the user had no membership when it wrote, and was in another cohort than this one then. Such a mark counts
 * whatever has become of the other cohort: that the truth of the user moved with it is not certain.
 */
export function strayedFrom({ number, unplaced }: StoredMark, cohort: number): boolean {
  return unplaced && number !== PINNED_SCOPE.number && number !== cohort;
}

/** What these marks say of a user with this record. @param cohorts those whose users may be in `new` */
export function writesOf(
  { pin, membership }: UserRecord,
  marks: readonly StoredMark[],
  cohorts: readonly MarkedCohort[],
): Writes {
  if (pin === 'legacy') return 'none';
  if (pin === 'new') return marks.some((mark) => isIn(mark, PINNED_SCOPE)) ? 'some' : 'none';
  const possible = cohorts.filter((each) =>
    membership === undefined ? leadsTo(each) : each.cohort.name === membership.cohort,
  );
  if (possible.some(({ cohort }) => !isTracked(cohort))) return 'unknown';
  const isExplicit = membership?.by === 'explicit';
  const isDirty = marks.some((mark) =>
    possible.some((each) => isIn(mark, scopeOf(each)) || (!isExplicit && strayedFrom(mark, each.number))),
  );
  return isDirty ? 'some' : 'none';
}

/** The marks that keep a user dirty under this record, where that leaves it in `new`. @param cohorts all */
export function marksFor(
  user: User,
  { pin, membership }: UserRecord,
  cohorts: readonly MarkedCohort[],
): readonly Mark[] {
  if (pin === 'legacy') return [];
  if (pin === 'new') return [{ user, cohort: undefined, era: PINNED_SCOPE.era, unplaced: false }];
  const unplaced = membership === undefined;
  return cohorts
    .filter(isOnNew)
    .filter((each) => (unplaced ? leadsTo(each) : each.cohort.name === membership.cohort))
    .flatMap(({ cohort: { name, era } }) =>
      era === undefined ? [] : [{ user, cohort: name, era: era.number, unplaced }],
    );
}
