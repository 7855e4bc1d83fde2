/**
 * Who wrote to `new` since its truth moved there, for whoever moves a truth back. ARCHITECTURE.md, section 'Who
 * wrote since the switch', has the states and the crash points.
 */
import type { Cohort, User, UserRecord } from '../model.ts';
import type { MarkedUser } from './write-marks-store.ts';

/**
 * What is known of one user's writes to `new`: `none`, `some`, or `unknown`, where a cohort was in `complete`.
 */
export type Writes = 'none' | 'some' | 'unknown';

export interface DirtyUsers {
  /** In the order of their keys. */
  readonly users: readonly MarkedUser[];
  /** There are more than were asked for. */
  readonly more: boolean;
}

/** A user's record before a change and after it. */
export interface UserMove {
  readonly user: User;
  readonly before: UserRecord;
  readonly after: UserRecord;
}

/**
 * Each answer holds what was marked when it was asked for. After a hold has drained nobody can add to it, so that
 * is everything. What is given here of cohorts is what the record says.
 */
export interface WriteMarks {
  /**
   * Users that wrote to `new` and whose truth may hang on one of these cohorts: members, and users without a
   * membership whom their attributes could put there. Pinned ones are not among them. Some of them may be
   * outside of the ramp. Of a cohort that is not tracked (`isTracked`) it says nothing.
   *
   * @param limit 1 to 100,001
   * @throws when a store does not answer
   */
  dirtyOf(cohorts: readonly string[], limit: number): Promise<DirtyUsers>;
  /**
   * What is known of each of these users, at most 5,000, by their records as they are now. A user whose truth is in
   * `legacy` may have old marks: ask only for those in `new`.
   * @throws when a store does not answer
   */
  writesOf(
    users: readonly { readonly user: User; readonly record: UserRecord }[],
  ): Promise<ReadonlyMap<User, Writes>>;
  /**
   * How many members that the record knows are in `new` and would leave it without losing anything if the cohort went
   * back. Exact; but of a ramp by percent with more than 100,000 members it is worked out from that many. May
   * take seconds.
   * @returns 0 for a cohort that is not tracked: there nobody is known to be clean
   * @throws when a store does not answer
   */
  cleanMembers(cohort: Cohort): Promise<number>;
  /**
   * Keeps what is known of users whose records a change has replaced and whose truth stayed in `new`: pinned or not
   * any more, in another cohort. To be called with every user of the change when all gateways have applied it,
   * before it is over; idempotent. At most 5,000 at a time.
   * @throws when a store does not answer
   */
  carry(moves: readonly UserMove[]): Promise<void>;
}
