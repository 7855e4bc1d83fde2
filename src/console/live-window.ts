/**
 * What a live view keeps of the guard's counts. A snapshot brings the last minutes, an update only the last
 * seconds: they are put together here, and what is older than the window is let go. Pure.
 */
import type {
  CohortGuardDocument,
  GuardDocument,
  SecondDocument,
  SideDocument,
} from '../admin/guard-documents.ts';

/** How far back charts look, seconds. */
export const WINDOW_SECONDS = 900;

/** @param before what was known; @param after an update: what it says of a second replaces what was known of it */
export function joinGuard(before: GuardDocument | undefined, after: GuardDocument): GuardDocument {
  if (before === undefined) return after;
  const known = new Map(before.cohorts.map((cohort) => [cohort.cohort, cohort]));
  return { ...after, cohorts: after.cohorts.map((cohort) => joinCohort(known.get(cohort.cohort), cohort)) };
}

function joinCohort(
  before: CohortGuardDocument | undefined,
  after: CohortGuardDocument,
): CohortGuardDocument {
  if (before === undefined) return after;
  return { ...after, legacy: joinSide(before.legacy, after.legacy), new: joinSide(before.new, after.new) };
}

function joinSide(before: SideDocument, after: SideDocument): SideDocument {
  return { ...after, seconds: joinSeconds(before.seconds, after.seconds) };
}

/** @returns 0 when there is none */
export function newestSecond({ cohorts }: GuardDocument): number {
  const last = ({ seconds }: SideDocument): number => seconds.at(-1)?.second ?? 0;
  return Math.max(0, ...cohorts.flatMap((cohort) => [last(cohort.legacy), last(cohort.new)]));
}

/** Both oldest first. An update has all that is known of its seconds, so it replaces from its first one on. */
export function joinSeconds(
  before: readonly SecondDocument[],
  after: readonly SecondDocument[],
): SecondDocument[] {
  const first = after[0]?.second ?? Number.POSITIVE_INFINITY;
  const joined = [...before.filter(({ second }) => second < first), ...after];
  const last = joined.at(-1)?.second ?? 0;
  return joined.filter(({ second }) => second > last - WINDOW_SECONDS);
}
