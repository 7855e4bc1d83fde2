/** What the admin room may ask of the cutover. One `Control` lives in the single process or in the primary. */
import type { Cohort, Ramp, Stage } from '../model.ts';
import type { Change } from './change.ts';

/** What an operator wants of a cohort. */
export interface StageRequest {
  readonly cohort: string;
  readonly stage: Stage;
  /** `undefined`: the ramp stays as it is. */
  readonly ramp: Ramp | undefined;
  readonly actor: string;
  readonly reason: string;
  /** Refused unless the map's epoch is this one. */
  readonly expectedEpoch: number | undefined;
  /** 1 to 128 visible ASCII characters. A second request with the key of a first gets the first one's change. */
  readonly idempotencyKey: string | undefined;
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

export interface Control {
  /**
   * Changes a cohort's stage and ramp. Resolves when the change is over, when it has been `pending` for a
   * second (its `note` says for whom it waits), or after half a minute as it stands; it goes on meanwhile.
   * @throws ChangeConflictError, EpochMismatchError, UnknownCohortError; the store's own error when a store is
   *   unreachable
   */
  changeStage(request: StageRequest): Promise<Change>;
  /** Newest first. @param before the id of the last one of the page before @param limit 1 to 500 */
  changes(before: string | undefined, limit: number, cohort?: string): Promise<readonly Change[]>;
  change(id: string): Promise<Change | undefined>;
  /** Every gateway that is registered or has a lease. */
  gateways(): Promise<readonly GatewayView[]>;
  /** A person vouches that this gateway is gone. False when there is no such gateway. */
  evictGateway(id: string): Promise<boolean>;
  /** As the record has them, in the order of their rules. */
  cohorts(): Promise<readonly Cohort[]>;
  /**
   * Waits a little for the changes that run here, then stops waiting and recovering. What is open then is finished or
   * undone by whoever recovers it.
   */
  close(): Promise<void>;
}
