/** What shadow reads tell the reports. Nothing here waits, and nothing here throws. */
import type { Comparison } from '../comparison/difference.ts';
import type { Observation } from '../comparison/observation.ts';
import type { Backend, User } from '../model.ts';

/**
 * `confirmed`: the same differences again when both sides were read once more. `transient`: equal then. `flapping`:
 * other differences then. `unconfirmed`: it could not be read again.
 */
export type ShadowVerdict = 'matched' | 'transient' | 'confirmed' | 'flapping' | 'unconfirmed';

/** Why a shadow read that was due did not take place. */
export const SHADOW_SKIPS = [
  'concurrency',
  'queue_full',
  'queue_deadline',
  'event_loop_lag',
  'breaker_open',
  'backend_overloaded',
  'body_too_large',
  'request_body_too_large',
  'not_whole',
  'moving',
  'stopping',
  'not_comparable',
] as const;
export type ShadowSkip = (typeof SHADOW_SKIPS)[number];

/** The read that was repeated. Credentials are not in it. */
export interface ShadowRequest {
  readonly method: string;
  /** As it was sent. */
  readonly target: string;
  /** Name, value, name, value …; without credentials. */
  readonly headers: readonly string[];
}

/** One shadow read that is over. Frozen. */
export interface ComparedRead {
  readonly route: string;
  readonly cohort: string | undefined;
  readonly user: User | undefined;
  /** The side that served the user; the other one is the secondary. */
  readonly authoritative: Backend;
  readonly request: ShadowRequest;
  readonly verdict: ShadowVerdict;
  /** The pair that the differences are of: of a confirmed one, the second. */
  readonly answers: { readonly authoritative: Observation; readonly secondary: Observation };
  /** Of the first pair; of a confirmed one, those that were in both. */
  readonly comparison: Comparison;
  /** Milliseconds from sending to the whole answer, of the first pair; `undefined` for one that failed. */
  readonly authoritativeMs: number | undefined;
  readonly secondaryMs: number | undefined;
}

/** The authoritative side was asked twice: what differs is noise. */
export interface NoiseRead {
  readonly route: string;
  readonly cohort: string | undefined;
  readonly comparison: Comparison;
}

export interface ReportSink {
  compared(read: ComparedRead): void;
  noise(read: NoiseRead): void;
  skipped(route: string, cohort: string | undefined, reason: ShadowSkip): void;
}
