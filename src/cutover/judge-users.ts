/** What a change of users moves, holds and claims. Pure. */
import type { Cohort, User, UserRecord } from '../model.ts';
import type { Change } from './change.ts';
import { recordAfter } from './going-back.ts';
import { attributeCohorts, defaultOf, mayMove, ownersOf } from './owners.ts';

export interface JudgedUser {
  readonly user: User;
  readonly record: UserRecord;
}

export interface UserJudgement extends JudgedUser {
  /** The change leaves the record as it is. */
  readonly unchanged: boolean;
  readonly moves: boolean;
  readonly needsEveryGateway: boolean;
  /** Where the user may be afterwards. A change of one of these would look for its writes before it is there. */
  readonly comesTo: readonly string[];
  /** The judgement holds as long as these stay as they are. */
  readonly restsOn: readonly string[];
}

/** The cohorts that a user may be in; `undefined` among them: in none. */
function cohortsOf(record: UserRecord, cohorts: readonly Cohort[]): readonly (Cohort | undefined)[] {
  const { pin, membership } = record;
  if (pin !== undefined) return [];
  if (membership !== undefined) return [cohorts.find(({ name }) => name === membership.cohort)];
  const byAttributes = attributeCohorts(cohorts);
  return defaultOf(cohorts) === undefined ? [...byAttributes, undefined] : byAttributes;
}

function namesOf(cohorts: readonly (Cohort | undefined)[]): readonly string[] {
  return cohorts.flatMap((cohort) => cohort?.name ?? []);
}

/**
 * Whether the user may be served by a gateway that does not fence itself: then every one has to agree that it moves.
 * Pinned users are fenced, whatever their cohort.
 */
export function servedUnfenced(record: UserRecord, cohorts: readonly Cohort[]): boolean {
  return cohortsOf(record, cohorts).some(
    (cohort) => cohort === undefined || cohort.stage === 'off' || cohort.stage === 'complete',
  );
}

/** @param cohorts in the order of their rules */
export function judgeUser(
  change: Pick<Change, 'kind' | 'cohort' | 'pin'>,
  { user, record }: JudgedUser,
  cohorts: readonly Cohort[],
): UserJudgement {
  const after = recordAfter(change, record);
  const comesTo = namesOf(cohortsOf(after, cohorts));
  return {
    user,
    record,
    unchanged: after === record || (after.pin === record.pin && after.membership === record.membership),
    moves: mayMove(ownersOf(user, record, cohorts), ownersOf(user, after, cohorts)),
    needsEveryGateway: servedUnfenced(record, cohorts),
    comesTo,
    restsOn: [...new Set([...namesOf(cohortsOf(record, cohorts)), ...comesTo])],
  };
}
