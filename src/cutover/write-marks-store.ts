/** What the marks need of the record. `storage` keeps these promises. */
import type { Cohort, User, UserRecord } from '../model.ts';

/** One user wrote to `new`. */
export interface Mark {
  readonly user: User;
  /** The cohort that the write was decided by; `undefined` for a user that is pinned to `new`. */
  readonly cohort: string | undefined;
  /** Of that cohort; 0 for a pinned user. */
  readonly era: number;
  /** Only the attributes of the request put the user into the cohort: the next request may be another cohort's. */
  readonly unplaced: boolean;
}

/** Where marks are kept: a cohort's number and era. */
export interface MarkScope {
  readonly number: number;
  readonly era: number;
}

/** The marks of users that are pinned to `new`. No cohort has the number 0. */
export const PINNED_SCOPE: MarkScope = Object.freeze({ number: 0, era: 0 });

export interface StoredMark extends MarkScope {
  readonly user: User;
  readonly unplaced: boolean;
}

/** A mark as somebody reads it who knows cohorts by their names. */
export interface NamedMark {
  /** `undefined` for a pinned user, and for a cohort that was deleted. */
  readonly cohort: string | undefined;
  readonly era: number;
  readonly unplaced: boolean;
}

/** What the record knows of one user's writes. */
export interface UserMarks {
  readonly marks: readonly NamedMark[];
  /** An open change has the user to itself: what it may have to carry along is perhaps not marked yet. */
  readonly changing: boolean;
}

/** A cohort as the record has it. */
export interface MarkedCohort {
  readonly number: number;
  readonly cohort: Cohort;
  readonly deleted: boolean;
}

export interface MarkedUser {
  readonly user: User;
  /** `ABSENT_RECORD` for a user that the record knows nothing else of. */
  readonly record: UserRecord;
}

export interface MarkedUsersQuery {
  /** Numbers of cohorts. */
  readonly members: readonly number[];
  /** Also users who are members of no cohort. */
  readonly withoutToo: boolean;
  readonly limit: number;
}

/** Which members are counted. */
export interface MemberFilter {
  /** Only those whose own data was moved. */
  readonly migratedOnly: boolean;
  /** Only explicit ones with an ordinal below this. */
  readonly ordinalBelow: number | undefined;
}

/** The record's part: every call is one transaction. */
export interface MarkStore {
  /** Adds marks, at most 1,000; those that are there stay. One of a cohort that was deleted is left out. */
  addMarks(marks: readonly Mark[]): Promise<void>;
  /**
   * Users with a mark in one of the scopes that are not pinned, and are members of one of the cohorts; of each scope
   * the first `limit` by their keys.
   */
  markedUsers(scopes: readonly MarkScope[], query: MarkedUsersQuery): Promise<readonly MarkedUser[]>;
  /**
   * Users who wrote while they had no membership, in other cohorts than these and in whatever era, that are not pinned,
   * and whom a rule has made members of one of the cohorts since; any `limit`.
   */
  strayedUsers(query: MarkedUsersQuery): Promise<readonly MarkedUser[]>;
  /**
   * How many members of the scope's cohort pass the filter, are not pinned, and have no mark: none in the scope, and
   * none of those that `strayedUsers` finds. May take seconds.
   */
  unmarkedMembers(scope: MarkScope, filter: MemberFilter): Promise<number>;
  /** Every mark of these users, old eras included; at most 5,000 users. */
  marksOf(users: readonly User[]): Promise<readonly StoredMark[]>;
  /** The same by name, all of one moment, and of every user that was asked for; at most 5,000. */
  namedMarks(users: readonly User[]): Promise<ReadonlyMap<User, UserMarks>>;
  /** Takes the marks of the scope `PINNED_SCOPE` away from these users. */
  dropPinMarks(users: readonly User[]): Promise<void>;
  /**
   * Removes up to `limit` marks whose era is over. A user who had no membership and is in `new` in another cohort by
   * now is marked there instead. @returns how many were removed
   */
  pruneMarks(limit: number): Promise<number>;
}
