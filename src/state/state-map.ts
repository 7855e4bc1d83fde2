/**
 * What the rest of the gateway knows of the migration-state map. Two forms keep this promise, in memory over
 * an embedded record and in Redis; the same tests run against both.
 */
import type { ControlMap } from '../cutover/stores.ts';
import type { Writes } from '../cutover/write-marks.ts';
import type { Cohort, Snapshot, User, UserRecord } from '../model.ts';

/**
 * `attached`: the map answers. `detached`: it does not, the last known state is served.
 * `fenced`: it has not answered for `cutover.selfFenceAfterMs`; this gateway no longer knows who owns a user
 * in a cohort that is under way.
 */
export type Attachment = 'attached' | 'detached' | 'fenced';

export type StateChange =
  /** Cohorts or holds changed: `StateMap.snapshot` is a new one. */
  | { readonly kind: 'snapshot' }
  /** One user's record changed. */
  | { readonly kind: 'user'; readonly user: User }
  /** Every cached record was dropped: the feed was lost, or the map was replaced. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'attachment'; readonly attachment: Attachment };

export interface StateStatus {
  readonly kind: 'embedded' | 'redis';
  readonly attachment: Attachment;
  /** Elapsed since the map last answered, milliseconds; 0 while attached. */
  readonly detachedMs: number;
  readonly mapId: string;
  readonly epoch: number;
  readonly cachedUsers: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  /** Why it is not attached, for people. */
  readonly problem: string | undefined;
  /** Placements by rule that the record has not noted yet, and those that it never will. Redis form only. */
  readonly placements?: { readonly waiting: number; readonly lost: number };
  readonly marks?: MarkStatus;
}

/** Where a write to `new` is marked: in this cohort's era. */
export type MarkPlace = Pick<Cohort, 'name' | 'era'>;

/** Notes which users wrote to `new`. A place that is `undefined` stands for users that are pinned to `new`. */
export interface WriteMarker {
  /** Whether the user is known to be marked there; without I/O. False only costs a round trip. */
  isMarked(user: User, place: MarkPlace | undefined): boolean;
  /**
   * Marks the user: in the map, or while that does not answer in the record. When it resolves the mark is there to
   * stay. To mark a user twice changes nothing.
   *
   * @param unplaced the user has no membership
   * @throws TurnoutError `state_unknown` when neither store answers in time
   */
  mark(user: User, place: MarkPlace | undefined, unplaced: boolean): Promise<void>;
  /**
   * Resolves with true once this gateway has applied every change that any gateway had applied when it was called; with
   * false when that cannot be known, or takes longer than half a second. Never rejects.
   */
  caughtUp(): Promise<boolean>;
  /**
   * What any gateway has marked of the user's writes to `new` that were acknowledged before the call. `none`: whatever
   * the user has written is in `legacy` too, if its cohort is tracked. When in doubt `some` or `unknown`. To be called
   * after `caughtUp`. Never rejects, and takes half a second at the most.
   *
   * @param place where the user is now
   * @param cohorts all that there are
   */
  wrote(user: User, place: MarkPlace, cohorts: readonly MarkPlace[]): Promise<Writes>;
  /** Marks that the record does not have yet: of a cohort, of a user, of users without a membership. */
  unrecorded(cohort: string): number;
  unrecordedOf(user: User): number;
  readonly unrecordedUnplaced: number;
  /** Hurries, and resolves when some more are recorded. */
  recorded(): Promise<void>;
}

/** Placements by rule that were acted on while the record failed, and that it does not have yet. */
export interface UnrecordedPlacements {
  readonly unrecorded: number;
  /** Resolves when some more are recorded; at once when there are none. */
  recorded(): Promise<void>;
}

/** What a gateway's marks cost. */
export interface MarkStatus {
  /** Users marked in the map, and in the record without it. */
  readonly inMap: number;
  readonly inRecord: number;
  /** Writes that were refused because neither store answered. */
  readonly failed: number;
  /** Not in the record yet. */
  readonly waiting: number;
  /** Users that are known to be marked. */
  readonly remembered: number;
}

export interface StateMap {
  /** Cohorts and holds at the latest epoch this gateway has applied. Only after `start`. */
  readonly snapshot: Snapshot;
  readonly attachment: Attachment;

  /**
   * Connects, seeds the cohorts that the map does not have, loads the snapshot and follows the change feed.
   * Rejects with an `Error` in words for an operator when that is impossible within the start-up bound.
   */
  start(): Promise<void>;
  close(): Promise<void>;

  /** The user's record if it is cached (`ABSENT_RECORD` for a user known to have none), without I/O. */
  cached(user: User): UserRecord | undefined;

  /**
   * Reads a user that is not cached: from the map, or, while the map is unreachable, from the record.
   * Concurrent calls for one user share one read.
   * @throws TurnoutError `state_unknown` when neither answers in time.
   */
  load(user: User): Promise<UserRecord>;

  /**
   * Records that a rule placed the user in a cohort, unless the user has a membership already, and returns
   * the record that is in force: perhaps another gateway was first.
   * @throws TurnoutError `state_unknown` when it cannot be recorded.
   */
  place(user: User, cohort: string): Promise<UserRecord>;

  /**
   * Replaces one user's record, in the record first and then in the map, and announces it on the change feed.
   * @returns the epoch of the change.
   */
  putUser(user: User, record: UserRecord): Promise<number>;

  /** Absent where a placement is in the record before anybody acts on it. */
  readonly unrecordedPlacements?: UnrecordedPlacements;

  /** Absent in a map that keeps no marks; then nobody knows who wrote to `new`. */
  readonly marks?: WriteMarker;

  /** The embedded form only: how its cohorts are changed. Of Redis, `createControlMap` makes one anywhere. */
  readonly control?: ControlMap & { close(): void };

  /** Calls `listener` after each change was applied; returns the function that stops it. */
  onChange(listener: (change: StateChange) => void): () => void;

  status(): StateStatus;
}
