/** How counts get from the gateways to those who judge, as types. `state` keeps these promises, with Redis or without. */
import type { Counts, FailureKind } from './slot.ts';

/** How far back a reader that starts is told, as far as it is kept, milliseconds. */
export const TOLD_MS = 600_000;

/** One cohort's counts at one backend in one telling of one gateway. */
export interface SideReport {
  readonly byGroup: ReadonlyMap<number, Counts>;
  readonly kinds: Readonly<Partial<Record<FailureKind, number>>>;
}

/** What a gateway tells at once; nothing is told of a cohort without requests. */
export interface GatewayReport {
  readonly gateway: string;
  readonly cohorts: ReadonlyMap<string, { readonly legacy?: SideReport; readonly new?: SideReport }>;
}

export interface StampedReport extends GatewayReport {
  /** When it came in, milliseconds of the one clock that stamps all of them. Never earlier than the one before. */
  readonly atMs: number;
}

/**
 * The cost is one entry a gateway and telling, whatever the rate of requests. Bounded: old entries are dropped. A gateway
 * that cannot reach it drops its counts, and counts that it did.
 */
export interface SlotFeed {
  /** A gateway without requests publishes too, with no cohorts, once a second: so a missing one is seen. */
  publish(report: GatewayReport): Promise<void>;
  /** What came in since the last call, in order; the first call gives the last 10 minutes as far as they are kept. */
  read(): Promise<readonly StampedReport[]>;
  /**
   * For whoever reads in the process that published: calls back when it has told bad news, which can be read now. Of other
   * processes nothing is said. @returns ends it
   */
  onBadNews(listener: () => void): () => void;
  close(): void;
}
