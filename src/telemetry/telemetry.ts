/**
 * What the rooms may tell the world: counters that cost nanoseconds on the data path, and named log events.
 * Only this room knows how they are exported.
 */
import type { Logger } from 'pino';
import type { ErrorCode } from '../errors.ts';
import type { FallbackOutcome } from '../guard/guard-control.ts';
import type { Backend, RequestClass } from '../model.ts';

/** How a request ended: the class of the status that the backend sent, or the gateway's own error code. */
export type Outcome = '1xx' | '2xx' | '3xx' | '4xx' | '5xx' | ErrorCode;

/** The counters of one combination of labels. Looked up once for a combination, then reused. */
export interface RequestCell {
  /**
   * @param durationMs from the request's head to the end of the answer, milliseconds
   * @param overheadMs the part of it spent in the gateway before the request was handed to the backend,
   *   waiting for a connection excluded
   */
  record(outcome: Outcome, durationMs: number, overheadMs: number): void;
}

/** One line of the access log. No query, no user, no header: those may be secret or personal. */
export interface AccessEntry {
  readonly requestId: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The status that the client got; 0 when it got none. */
  readonly status: number;
  readonly outcome: Outcome;
  readonly route: string | undefined;
  readonly cohort: string | undefined;
  readonly backend: Backend | undefined;
  readonly class: RequestClass;
  readonly durationMs: number;
  readonly overheadMs: number;
  /** `legacy` answered because `new` had failed; absent otherwise. */
  readonly fallback?: true;
}

export interface Telemetry {
  readonly log: Logger;
  /** `cohort` and `backend` are `undefined` for a request that never got so far. Bounded: see `cells.ts`. */
  cell(
    route: string,
    cohort: string | undefined,
    backend: Backend | undefined,
    requestClass: RequestClass,
  ): RequestCell;
  /** Two identity sources named different users; the first listed won. */
  identityConflict(): void;
  /** An identity source was present and could not be used. `reason` is one of a fixed list. */
  identityRejected(reason: string): void;
  /** A request was sent a second time: the backend had closed the idle connection it was sent on. */
  retried(backend: Backend): void;
  /** A tunnel was closed because its user is being moved, or was moved. */
  tunnelClosed(backend: Backend): void;
  /** A shadow read is over. `verdict` is one of a fixed list. Bounded: see `shadow-counts.ts`. */
  shadowRead(route: string, cohort: string | undefined, verdict: string): void;
  /** A shadow read that was due did not take place. `reason` is one of a fixed list. */
  shadowSkipped(reason: string): void;
  /** What became of a read that failed at `new`. Bounded: see `fallback-counts.ts`. */
  fallbackRead(cohort: string | undefined, outcome: FallbackOutcome): void;
  /** One write waits at the gateway (+1), or no longer does (-1). */
  heldWrites(delta: 1 | -1): void;
  /** How long one write was held, milliseconds. */
  held(ms: number): void;
  /** Whether this request is in the access log's sample. Ask once for a request; costs a comparison when off. */
  sampled(): boolean;
  /** Writes one line of the access log. Only for a request that was `sampled`. */
  access(entry: AccessEntry): void;
}
