/** What shadow reads tell the reports. Nothing here waits, and nothing here throws. */
import type { Comparison } from '../comparison/difference.ts';
import type { Observation } from '../comparison/observation.ts';
import type { Backend, User } from '../model.ts';

/**
 * `confirmed`: the same differences again when both sides were read once more. `transient`: equal then. `flapping`:
 * other differences then. `unconfirmed`: it could not be read again.
 */
export type ShadowVerdict = 'matched' | 'transient' | 'confirmed' | 'flapping' | 'unconfirmed';

/** Why a shadow read that was due did not take place, or could not be confirmed. */
export const SHADOW_SKIPS = [
  /** Enough differences of this kind are being confirmed already. */
  'concurrency',
  'queue_full',
  /** It waited for its turn until its deadline had passed. */
  'queue_deadline',
  'event_loop_lag',
  'breaker_open',
  /** The pool of connections to that backend is full. */
  'backend_overloaded',
  /** The answer of either side is over `shadow.bodyBytesMax`. */
  'body_too_large',
  /** That backend's answers on this route were too large, one after the other: it is left alone there for a while. */
  'large_answers',
  'request_body_too_large',
  /** All bodies together that are kept for shadow reads have reached their bound. */
  'memory',
  /** The user did not get a whole answer of the backend. */
  'not_whole',
  /** The user is being moved, or was, so that the two sides changed places or one of them is none. */
  'moving',
  'stopping',
  /** The comparison can say nothing of the two answers. */
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
  /** Why, of a verdict `unconfirmed`. */
  readonly unconfirmedBecause?: ShadowSkip;
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
  /** Whose two answers they are. */
  readonly authoritative: Backend;
  readonly comparison: Comparison;
}

/**
 * Is told at the end of each read that was chosen. The bodies of the answers belong to the sender: whoever keeps
 * something of them copies it in the same turn.
 */
export interface ReportSink {
  compared(read: ComparedRead): void;
  noise(read: NoiseRead): void;
  skipped(route: string, cohort: string | undefined, reason: ShadowSkip): void;
}
