/** What the cutover needs of the record and of the map. `storage` and `state` keep these promises. */
import type { Backend, Cohort, Membership, User, UserRecord } from '../model.ts';
import type { Change, ChangeKind, Phase } from './change.ts';
import type { DirtyPolicy } from './control.ts';

/** Another change of the cohort or the user is open. */
export class ChangeConflictError extends Error {
  readonly openChange: string;
  /** The other one is a batch of this job, and soon over. */
  readonly job: string | undefined;
  constructor(openChange: string, job?: string) {
    super(`change ${openChange} of the same cohort or user is not over yet`);
    this.name = 'ChangeConflictError';
    this.openChange = openChange;
    this.job = job;
  }
}

/** A cohort is not any more what the change was judged by: it has to be judged anew. */
export class OutdatedError extends Error {
  override readonly name = 'OutdatedError';
  constructor(cohort: string) {
    super(`cohort ${cohort} was changed by somebody else meanwhile: try again`);
  }
}

/** The map has lost records of a change that were put into it: they have to be put again before the switch. */
export class RecordsLostError extends Error {
  override readonly name = 'RecordsLostError';
  constructor(change: string) {
    super(`the state map has lost records of change ${change}: they have to be put again`);
  }
}

/** The change has a newer controller, or is in another phase: this controller has to stop at once. */
export class ChangeLostError extends Error {
  constructor(change: string) {
    super(`change ${change} has another controller, or was moved on by one`);
    this.name = 'ChangeLostError';
  }
}

/** What a change has to itself while it is open. No two open changes claim one thing, but for what both share. */
export interface Claims {
  /** Cohorts that are held while a truth moves. */
  readonly held: readonly string[];
  /** Cohorts that are not held. */
  readonly own: readonly string[];
  /** Cohorts that others may share, and nobody may change. */
  readonly shared: readonly string[];
  /** Held while a truth moves. At most 5,000, in the order in which they become members. */
  readonly users: readonly User[];
}

export interface NewChange {
  readonly id: string;
  readonly kind: ChangeKind;
  readonly actor: string;
  readonly reason: string;
  readonly idempotencyKey: string | undefined;
  readonly movesTruth: boolean;
  readonly needsEveryGateway: boolean;
  readonly dirtyUsers: DirtyPolicy;
  readonly claims: Claims;
  /** The cohorts that are claimed, as they were when this was judged; one that is to be made is not among them. */
  readonly judged: readonly Cohort[];
  /** `undefined` for a pin. Members are added to it or leave it. */
  readonly cohort: string | undefined;
  /** The new definition, if it is about one. */
  readonly after?: Cohort | undefined;
  /** New definitions of other cohorts that it claims. */
  readonly others?: readonly Cohort[] | undefined;
  /** The names of all cohorts in the new order of their rules; it claims all of them. */
  readonly order?: readonly string[] | undefined;
  /** Of a pin. */
  readonly user?: User | undefined;
  readonly pin?: Backend | undefined;
  readonly job?: string | undefined;
}

/** What becomes of the users whose writes are in `new` only, found when the hold had drained. */
export interface Stranding {
  /** Their truth stays: they are pinned to `new` in the switch. At most 100,000. */
  readonly pinned: readonly User[];
  /** Of the users of the change: their records stay as they are. */
  readonly leftOut: readonly User[];
  /** They go back, and those writes are stranded. */
  readonly stranded: readonly User[];
}

export interface ChangePatch {
  readonly holdEpoch?: number;
  readonly switchEpoch?: number;
  readonly releaseEpoch?: number;
  readonly note?: string;
}

/** A user's record as a change replaces it. */
export interface UserSwitch {
  readonly user: User;
  readonly before: UserRecord;
  readonly after: UserRecord;
  /** Of the record `after`. */
  readonly version: number;
}

/** A cohort as a change leaves it. */
export interface CohortSwitch {
  readonly cohort: Cohort;
  readonly deleted: boolean;
}

export interface Author {
  readonly actor: string;
  readonly reason: string;
}

/** Registered from before it listens until it has stopped in order. */
export interface RegisteredGateway {
  readonly id: string;
  /** For people: host, process, worker. */
  readonly where: string;
  readonly registeredAt: Date;
}

/** The record's part: every call is one transaction. */
export interface ChangeStore {
  /**
   * Begins a change in phase `pending`, token 1, and claims what it claims. With a known idempotency key: returns
   * the first one's change. `before` is the cohort as the record has it.
   * @throws ChangeConflictError; OutdatedError when a claimed cohort is not as judged; Error when a claimed cohort
   *   does not exist, or when one that is to be deleted has members
   */
  openChange(change: NewChange): Promise<Change>;
  /**
   * Moves the change from one phase to the next, if `token` is still the current one. Into `switching` it also
   * writes the definitions and the users' records, in the same transaction: the point of no return. From `undoing`
   * back to `pending` the change has the next token. When it is over its claims are gone.
   * @throws ChangeLostError
   */
  moveChange(
    id: string,
    token: number,
    from: Phase,
    to: Phase,
    patch?: ChangePatch,
    stranding?: Stranding,
  ): Promise<Change>;
  /** Of a change that is open. */
  claimsOf(id: string): Promise<Claims>;
  /** The definitions that a change in `switching` has written. */
  definitionsOf(id: string): Promise<readonly CohortSwitch[]>;
  /** The records that a change has written, in key order. @param after the last one of the page before */
  usersOf(id: string, after: User | undefined, limit: number): Promise<readonly UserSwitch[]>;
  /** Of a change that is over or switched: whose writes were in `new` only, in key order. */
  dirtyOf(id: string, after: User | undefined, limit: number): Promise<readonly User[]>;
  /** Raises the heartbeat and notes what the change waits for. @throws ChangeLostError */
  beatChange(id: string, token: number, patch?: ChangePatch): Promise<void>;
  /** Takes a change over, if its heartbeat is still the one given; `undefined` if it is not, or the change is over. */
  takeChange(id: string, heartbeat: number): Promise<Change | undefined>;
  readChange(id: string): Promise<Change | undefined>;
  /** The one that was begun with this idempotency key. */
  changeOfKey(key: string): Promise<Change | undefined>;
  /** Not over. */
  openChanges(): Promise<readonly Change[]>;
  /** Newest first. @param before the id of the last one of the page before @param limit 1 to 500 */
  listChanges(before: string | undefined, limit: number, cohort?: string): Promise<readonly Change[]>;

  registerGateway(id: string, where: string): Promise<void>;
  /** It stopped in order, or a person vouches that it is gone. */
  deregisterGateway(id: string): Promise<void>;
  /** Adds to the audit what is no change of a cohort or a user. @param subject what it was done to */
  noteAction(action: 'rebuild' | 'evict', subject: string, author: Author): Promise<void>;
  registeredGateways(): Promise<readonly RegisteredGateway[]>;
}

export interface UndrainedSubject {
  /** A cohort, or `user ` and the user. */
  readonly subject: string;
  readonly writes: number;
  /** Of those, by users who are not known to have written to `new`. */
  readonly unsettled?: number;
  /** The names of the routes that they came by, the first three; not known of a user's. */
  readonly routes: readonly string[];
}

/** An entry of the audit that is about one user. */
export interface UserEvent {
  readonly at: Date;
  readonly actor: string;
  readonly reason: string;
  /** The kind of its change; `user` for a record that was replaced without one. */
  readonly kind: string;
  /** `undefined` until it is in force. */
  readonly epoch: number | undefined;
}

/** What the record knows of users. */
export interface UserRecords {
  /** The records of those that it knows. @param users at most 5,000 */
  readUsers(users: readonly User[]): Promise<ReadonlyMap<User, UserRecord>>;
  /** In key order. @param after the last one of the page before @param by only those who became members so */
  membersOf(
    cohort: string,
    after: User | undefined,
    limit: number,
    by?: Membership['by'],
  ): Promise<readonly { readonly user: User; readonly record: UserRecord }[]>;
  /** Newest first. */
  historyOf(user: User, limit: number): Promise<readonly UserEvent[]>;
}

/** What a gateway last said of itself in the map. */
export interface Lease {
  readonly gateway: string;
  /** Raised with each renewal. */
  readonly counter: number;
  /** The epoch that it has applied. */
  readonly applied: number;
  /** The epoch up to which it has also drained: no write decided before it is in flight for a held subject. */
  readonly drained: number;
  /** The same but for writes whose user the record knows as somebody who wrote to `new`. At least `drained`. */
  readonly settled: number;
  /** Of the part of its configuration that bears on truth. */
  readonly digest: string;
  /** What its drain waits for, the first five. */
  readonly undrained?: readonly UndrainedSubject[];
}

/** The map's part: each of the first six is one atomic script that fails when a newer token is there. */
export interface ControlMap {
  /** Makes `token` the change's; scripts with a lower one fail from now on. */
  claim(change: string, token: number): Promise<void>;
  /**
   * Holds the writes of cohorts and users, all in one epoch. Idempotent for a change: another epoch means that the
   * hold was lost meanwhile. @returns the epoch @throws ChangeLostError
   */
  hold(change: string, token: number, what: Pick<Claims, 'held' | 'users'>): Promise<number>;
  /**
   * Puts users' records in force that the record has, holds untouched; none that is newer is replaced. Repeating
   * it changes nothing. @param users at most 5,000 @throws ChangeLostError
   */
  putUsers(change: string, token: number, users: readonly UserSwitch[]): Promise<void>;
  /**
   * Puts the new definitions in force, holds untouched; a cohort that is new is held at once if the change moves a
   * truth. After all `putUsers` of the change: every one is in force at the epoch that this returns. Idempotent
   * for a change. @throws ChangeLostError; RecordsLostError when the map has lost what this process has put into it
   */
  switchTo(change: string, token: number, cohorts: readonly CohortSwitch[]): Promise<number>;
  /** Takes the change's hold away. Idempotent for a change. @throws ChangeLostError */
  release(change: string, token: number): Promise<number>;
  /** The change is over: forgets its token. */
  forget(change: string): Promise<void>;

  /** Brings into the record the marks of writes that only the map has; absent where the record is the map. */
  collectMarks?(): Promise<void>;

  leases(): Promise<readonly Lease[]>;
  /** @returns the epoch of the map at that moment: a change of it that did not see the lease is not later */
  renewLease(lease: Lease): Promise<number>;
  dropLease(gateway: string): Promise<void>;
  /** The epoch that is the latest in the map. */
  epoch(): Promise<number>;
  /**
   * Replaces the map by one that is made from the record, under the lock that rebuilds by themselves take too.
   * @throws ChangeRefusedError where the record is the map
   */
  rebuild(): Promise<{ readonly mapId: string; readonly epoch: number }>;
}
