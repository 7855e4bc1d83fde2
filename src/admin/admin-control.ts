/**
 * What the admin API needs of the cutover: to read cohorts, changes and gateways, to begin a change, and to
 * strike a gateway off. Whoever runs the gateway wires it; the calls may cross a process.
 */
import type { Change, ChangeRequest } from '../cutover/change.ts';
import type { Cohort } from '../model.ts';

export interface CohortNow {
  readonly cohort: Cohort;
  /** Its writes wait. */
  readonly held: boolean;
}

export interface CohortsNow {
  /** The epoch of the map at which this was so. */
  readonly epoch: number;
  /** In the order in which their rules are tried. */
  readonly cohorts: readonly CohortNow[];
}

/**
 * `live`: its lease moves. `silent`: it did a moment ago. `fenced`: silent for so long that it has fenced itself.
 * `unknown`: not watched for long enough to say.
 */
export type Liveness = 'live' | 'silent' | 'fenced' | 'unknown';

/** A registered gateway and what it last said of itself in the map. */
export interface GatewayNow {
  readonly id: string;
  /** For people: host, process, worker. */
  readonly where: string;
  readonly registeredAt: Date;
  readonly liveness: Liveness;
  /** The epoch that it has applied, and the one up to which it has drained; absent when it has no lease. */
  readonly applied: number | undefined;
  readonly drained: number | undefined;
  /** Of the part of its configuration that bears on truth. */
  readonly digest: string | undefined;
}

/** A store does not answer, so nothing can be changed now. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

export class CohortUnknown extends Error {
  override readonly name = 'CohortUnknown';
}

/** The map has another epoch than the one that was expected. */
export class EpochMismatch extends Error {
  override readonly name = 'EpochMismatch';
  readonly epoch: number;

  constructor(epoch: number) {
    super(`the map is at epoch ${epoch}`);
    this.epoch = epoch;
  }
}

/** Every call is bounded in time, and throws StoreUnavailable when a store that it needs does not answer. */
export interface AdminControl {
  cohorts(): Promise<CohortsNow>;
  /**
   * Begins a change and returns it at once, or, for a known idempotency key, the change which that key began.
   *
   * @throws CohortUnknown, EpochMismatch; ChangeConflictError of the cutover while another one is open
   */
  begin(request: ChangeRequest): Promise<Change>;
  /** The change when it is over, or as it is after `waitMs`; `undefined` when there is none with this id. */
  awaitChange(id: string, waitMs: number): Promise<Change | undefined>;
  /** Not over, oldest first. */
  openChanges(): Promise<readonly Change[]>;
  /** Newest first. @param before the id of the last one of the page before @param limit 1 to 500 */
  listChanges(before: string | undefined, limit: number, cohort?: string): Promise<readonly Change[]>;
  gateways(): Promise<readonly GatewayNow[]>;
  /** Strikes a gateway off the registry: nobody waits for it any more. @returns whether it was there */
  evict(id: string): Promise<boolean>;
}
