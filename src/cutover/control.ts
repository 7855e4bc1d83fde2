/** What the admin room may ask of the cutover. One `Control` lives in the single process or in the primary. */
import type { Backend, Cohort, Ramp, Rule, Stage, User, UserRecord } from '../model.ts';
import type { Change } from './change.ts';

/**
 * What becomes of users whose writes are in `new` only when a change would move their truth back to `legacy`.
 *
 * `drain`: wait until the writes are mirrored, within `cutover.drainMaxMs`, then as `keep`. `keep`: those users stay
 * in `new`, pinned, and are listed. `force`: everybody goes back, and those writes are stranded.
 */
export type DirtyPolicy = 'drain' | 'keep' | 'force';

/** Who asks for a change, and why; part of every request. */
export interface ChangeAuthor {
  readonly actor: string;
  readonly reason: string;
  /** Refused unless the map's epoch is this one. */
  readonly expectedEpoch: number | undefined;
  /** 1 to 128 visible ASCII characters. A second request with the key of a first gets the first one's change. */
  readonly idempotencyKey: string | undefined;
}

/** What an operator wants of a cohort. */
export interface StageRequest extends ChangeAuthor {
  readonly cohort: string;
  readonly stage: Stage;
  /** `undefined`: the ramp stays as it is. */
  readonly ramp: Ramp | undefined;
  /** For users whose truth would go back. */
  readonly dirtyUsers: DirtyPolicy;
  /** Refused, with ChangeRefusedError, unless the cohort has this stage and this ramp. */
  readonly onlyFrom?: Pick<Cohort, 'stage' | 'ramp'>;
}

export interface RollbackRequest extends ChangeAuthor {
  readonly cohort: string;
  readonly dirtyUsers: DirtyPolicy;
}

/** What a rollback would do now; nothing is held while this is found out. */
export interface RollbackPreview {
  readonly cohort: string;
  readonly epoch: number;
  readonly stage: Stage;
  /** The stage that a rollback leads to. */
  readonly to: Stage;
  /**
   * Whether every write since the switch is known. Not for a cohort that has been in `complete`: there only `force`
   * goes back.
   */
  readonly tracked: boolean;
  /** Members that the record knows and that would go back without losing anything; explicit ones and placed ones. */
  readonly clean: number;
  /** How many users wrote to `new` since the switch. */
  readonly dirty: number;
  /** The first 1,000 of them, in key order. */
  readonly dirtyUsers: readonly User[];
}

/** What a cohort is made with. It begins in `off`. */
export interface CohortRequest extends ChangeAuthor {
  readonly name: string;
  readonly rule: Rule | undefined;
  readonly isDefault: boolean;
  readonly migration: 'cohort' | 'per-user';
  readonly mirror: boolean;
  readonly ramp: Ramp;
}

/** What is `undefined` stays as it is. */
export interface CohortEdit extends ChangeAuthor {
  readonly cohort: string;
  /** `null` takes the rule away. */
  readonly rule: Rule | null | undefined;
  readonly isDefault: boolean | undefined;
  readonly migration: 'cohort' | 'per-user' | undefined;
  readonly mirror: boolean | undefined;
  /** 0-based place in the order in which rules are tried. */
  readonly position: number | undefined;
  readonly dirtyUsers: DirtyPolicy;
}

export interface CohortDeletion extends ChangeAuthor {
  readonly cohort: string;
  readonly dirtyUsers: DirtyPolicy;
}

export interface PinRequest extends ChangeAuthor {
  readonly user: User;
  /** `undefined` takes the pin away. */
  readonly backend: Backend | undefined;
  /** `keep` and `drain` refuse a pin to `legacy` of a user with writes in `new`. */
  readonly dirtyUsers: DirtyPolicy;
}

/** One line of an upload. */
export interface MemberLine {
  /** 1-based. */
  readonly line: number;
  readonly user: User;
}

export interface MembersRequest extends Omit<ChangeAuthor, 'idempotencyKey'> {
  readonly cohort: string;
  readonly action: 'add' | 'remove';
  readonly dirtyUsers: DirtyPolicy;
}

export interface MembersProgress {
  /** Everything up to this line is in force, or was refused. */
  readonly line: number;
  /** Since the job began, as all counts here. */
  readonly changed: number;
  /** Already as wanted. */
  readonly unchanged: number;
  /** Those that came since the progress before this one. */
  readonly refused: readonly { readonly line: number; readonly user: User; readonly reason: string }[];
  /** The epoch of the latest batch; `undefined` while nothing had to change. */
  readonly epoch: number | undefined;
}

export interface ReassignRequest extends Omit<ChangeAuthor, 'idempotencyKey'> {
  readonly cohort: string;
  readonly dirtyUsers: DirtyPolicy;
}

/** What is known of one user. */
export interface UserView {
  readonly user: User;
  readonly record: UserRecord;
  /** Whether the user wrote to `new` since its truth moved there. */
  readonly dirty: boolean;
  /** Newest first, at most 20. */
  readonly history: readonly {
    readonly at: Date;
    readonly actor: string;
    readonly reason: string;
    readonly kind: string;
    readonly epoch: number | undefined;
  }[];
}

/**
 * `live`: its lease moves. `silent`: not any more, or not yet. `fenced`: silent for so long that it must refuse
 * writes of cohorts that are under way.
 */
export type GatewayVerdict = 'live' | 'silent' | 'fenced';

export interface GatewayView {
  readonly id: string;
  /** For people: host, process, worker. */
  readonly where: string;
  readonly verdict: GatewayVerdict;
  /** Since its lease was last seen to move, milliseconds of this process. */
  readonly silentMs: number;
  /** `undefined` for a gateway that has no lease. */
  readonly applied: number | undefined;
  readonly drained: number | undefined;
  readonly digest: string | undefined;
}

/** There is no such cohort. */
export class UnknownCohortError extends Error {
  override readonly name = 'UnknownCohortError';
  readonly cohort: string;
  constructor(cohort: string) {
    super(`there is no cohort ${cohort}`);
    this.cohort = cohort;
  }
}

/** The map has moved on from the epoch that the request expects. */
export class EpochMismatchError extends Error {
  override readonly name = 'EpochMismatchError';
  readonly epoch: number;
  constructor(expected: number, epoch: number) {
    super(`the state map is at epoch ${epoch}, not at ${expected}`);
    this.epoch = epoch;
  }
}

/** There is a cohort of that name already. */
export class CohortExistsError extends Error {
  override readonly name = 'CohortExistsError';
  constructor(cohort: string) {
    super(`there is a cohort ${cohort} already`);
  }
}

/** The request makes no sense in the state that things are in; the message says why and what to do. */
export class ChangeRefusedError extends Error {
  override readonly name = 'ChangeRefusedError';
}

/** The change would strand writes of these users, and its policy does not allow that. */
export class WritesStrandedError extends Error {
  override readonly name = 'WritesStrandedError';
  readonly users: readonly User[];
  constructor(users: readonly User[]) {
    super(
      `writes of ${users.length} users are in new only: force the change, or leave those users where they are`,
    );
    this.users = users;
  }
}

/** Nobody knows who wrote to `new` since the switch, so that only `force` can go back. */
export class WritesUnknownError extends Error {
  override readonly name = 'WritesUnknownError';
  constructor(cohort: string) {
    super(`cohort ${cohort} has been complete: who wrote since is not known, and only force can go back`);
  }
}

export interface Control {
  /**
   * Changes a cohort's stage and ramp. Resolves when the change is over, when it has been `pending` for a
   * second (its `note` says for whom it waits), or after half a minute as it stands; it goes on meanwhile.
   * @throws ChangeConflictError, EpochMismatchError, UnknownCohortError; the store's own error when a store is
   *   unreachable
   */
  changeStage(request: StageRequest): Promise<Change>;
  /** As `changeStage`. Leads to `shadow`. @throws ChangeRefusedError, WritesUnknownError */
  rollback(request: RollbackRequest): Promise<Change>;
  /** @throws UnknownCohortError, ChangeRefusedError */
  previewRollback(cohort: string): Promise<RollbackPreview>;
  /** As `changeStage`. @throws CohortExistsError */
  createCohort(request: CohortRequest): Promise<Change>;
  /** As `changeStage`. @throws ChangeRefusedError */
  editCohort(request: CohortEdit): Promise<Change>;
  /** As `changeStage`; its members are taken out first, batch by batch. @throws ChangeRefusedError */
  deleteCohort(request: CohortDeletion): Promise<Change>;
  /** As `changeStage`. @throws WritesStrandedError */
  pin(request: PinRequest): Promise<Change>;
  /**
   * Adds members to a cohort or takes them out, in batches, each a change of its own. Every progress that was given is durable;
   * to repeat lines changes nothing. Ends with the last progress.
   * @throws what a change throws, in the iteration
   */
  changeMembers(request: MembersRequest, lines: AsyncIterable<MemberLine>): AsyncIterable<MembersProgress>;
  /** Takes away the memberships that rules gave, in batches: the next request of each such user is placed anew. */
  reassign(request: ReassignRequest): AsyncIterable<MembersProgress>;
  /** Members in the order of their keys. @param after the last one of the page before @param limit 1 to 1,000 */
  members(
    cohort: string,
    after: User | undefined,
    limit: number,
  ): Promise<readonly { readonly user: User; readonly record: UserRecord }[]>;
  user(user: User): Promise<UserView>;
  /** Replaces the map by one that is made from the record. @returns its identity and first epoch */
  rebuild(
    author: Pick<ChangeAuthor, 'actor' | 'reason'>,
  ): Promise<{ readonly mapId: string; readonly epoch: number }>;
  /** Not over, the oldest first. */
  openChanges(): Promise<readonly Change[]>;
  /** Newest first. @param before the id of the last one of the page before @param limit 1 to 500 */
  changes(before: string | undefined, limit: number, cohort?: string): Promise<readonly Change[]>;
  change(id: string): Promise<Change | undefined>;
  /**
   * Of a change that is switched: whose writes were in `new` only, in key order. They stayed there, or, under `force`,
   * were stranded. @param after the last one of the page before @param limit 1 to 1,000
   */
  dirtyOf(change: string, after: User | undefined, limit: number): Promise<readonly User[]>;
  /** Every gateway that is registered or has a lease. */
  gateways(): Promise<readonly GatewayView[]>;
  /** A person vouches that this gateway is gone; audited. False when there is no such gateway. */
  evictGateway(id: string, author?: Pick<ChangeAuthor, 'actor' | 'reason'>): Promise<boolean>;
  /** As the record has them, in the order of their rules. */
  cohorts(): Promise<readonly Cohort[]>;
  /**
   * Waits a little for the changes that run here, then stops waiting and recovering. What is open then is finished or
   * undone by whoever recovers it.
   */
  close(): Promise<void>;
}
