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

/** The record's part: every call is one transaction. */
export interface MarkStore {
  /** Adds marks, at most 1,000; those that are there stay. One of a cohort that was deleted is left out. */
  addMarks(marks: readonly Mark[]): Promise<void>;
  /**
   * Users with a mark in one of the scopes that are not pinned, and are members of one of the cohorts or of none; of
   * each scope the first `limit` by their keys.
   *
   * @param members numbers of cohorts
   * @param unplacedOnly only marks of users who had no membership
   */
  markedUsers(
    scopes: readonly MarkScope[],
    members: readonly number[],
    unplacedOnly: boolean,
    limit: number,
  ): Promise<readonly MarkedUser[]>;
  /** Every mark of these users, old eras included; at most 5,000 users. */
  marksOf(users: readonly User[]): Promise<readonly StoredMark[]>;
  /** Takes the marks of the scope `PINNED_SCOPE` away from these users. */
  dropPinMarks(users: readonly User[]): Promise<void>;
  /** Removes up to `limit` marks whose era is over. @returns how many were removed */
  pruneMarks(limit: number): Promise<number>;
}
