/** What the cutover needs of the record and of the map. `storage` and `state` keep these promises. */
import type { Cohort } from '../model.ts';
import type { Change, ChangeRequest, Phase } from './change.ts';

/** Another change of the cohort is open. */
export class ChangeConflictError extends Error {
  readonly openChange: string;
  constructor(openChange: string) {
    super(`change ${openChange} of this cohort is not over yet`);
    this.name = 'ChangeConflictError';
    this.openChange = openChange;
  }
}

/** The change has a newer controller, or is in another phase: this controller has to stop at once. */
export class ChangeLostError extends Error {
  constructor(change: string) {
    super(`change ${change} has another controller, or was moved on by one`);
    this.name = 'ChangeLostError';
  }
}

export interface NewChange extends ChangeRequest {
  readonly id: string;
  readonly movesTruth: boolean;
  readonly needsEveryGateway: boolean;
}

export interface ChangePatch {
  readonly holdEpoch?: number;
  readonly switchEpoch?: number;
  readonly releaseEpoch?: number;
  readonly note?: string;
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
   * Begins a change in phase `pending`, token 1. With a known idempotency key: returns the first one's change.
   * `before` is the cohort as the record has it.
   * @throws ChangeConflictError; Error when the cohort does not exist
   */
  openChange(change: NewChange): Promise<Change>;
  /**
   * Moves the change from one phase to the next, if `token` is still the current one. Into `switching` it also
   * writes the new cohort, in the same transaction: the point of no return.
   * @throws ChangeLostError
   */
  moveChange(id: string, token: number, from: Phase, to: Phase, patch?: ChangePatch): Promise<Change>;
  /** Raises the heartbeat and notes what the change waits for. @throws ChangeLostError */
  beatChange(id: string, token: number, patch?: ChangePatch): Promise<void>;
  /** Takes a change over, if its heartbeat is still the one given; `undefined` if it is not, or the change is over. */
  takeChange(id: string, heartbeat: number): Promise<Change | undefined>;
  readChange(id: string): Promise<Change | undefined>;
  /** Not over. */
  openChanges(): Promise<readonly Change[]>;
  /** Newest first. @param before the id of the last one of the page before @param limit 1 to 500 */
  listChanges(before: string | undefined, limit: number, cohort?: string): Promise<readonly Change[]>;

  registerGateway(id: string, where: string): Promise<void>;
  /** It stopped in order, or a person vouches that it is gone. */
  deregisterGateway(id: string): Promise<void>;
  registeredGateways(): Promise<readonly RegisteredGateway[]>;
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
  /** Of the part of its configuration that bears on truth. */
  readonly digest: string;
}

/** The map's part: each of the first five is one atomic script that fails when a newer token is there. */
export interface ControlMap {
  /** Makes `token` the change's; scripts with a lower one fail from now on. */
  claim(change: string, token: number): Promise<void>;
  /** Holds the writes of a cohort. Idempotent for a change. @returns the epoch @throws ChangeLostError */
  hold(change: string, token: number, cohort: string): Promise<number>;
  /** Puts the new definition in force, holds untouched. Idempotent for a change. @throws ChangeLostError */
  switchCohort(change: string, token: number, cohort: Cohort): Promise<number>;
  /** Takes the change's hold away. Idempotent for a change. @throws ChangeLostError */
  release(change: string, token: number): Promise<number>;
  /** The change is over: forgets its token. */
  forget(change: string): Promise<void>;

  leases(): Promise<readonly Lease[]>;
  renewLease(lease: Lease): Promise<void>;
  dropLease(gateway: string): Promise<void>;
  /** The epoch that is the latest in the map. */
  epoch(): Promise<number>;
}
