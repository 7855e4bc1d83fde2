import type { ErrorCode } from '../errors.ts';
import type { Backend, User } from '../model.ts';

/**
 * One sending of a request to a backend, as somebody counts it. A request that is sent a second time, to the other
 * backend, has a second attempt; the first one has to be over before.
 */
export interface CountedAttempt {
  /** The client is still sending the body: from here on until `sent` the backend is not to blame. */
  uploading(): void;
  /** The backend's to answer now: the whole request was handed over. */
  sent(): void;
  /** The head of the backend's final answer has come. Counts the request. Only the first call matters. */
  answered(status: number): void;
  /**
   * Nothing more is expected of the backend: counts a request that was not answered, and one whose answer broke off.
   * Only the first call matters, and nothing does after it.
   *
   * @param code how it failed; whose fault that was is known by the code. `undefined` for one that did not fail
   */
  over(code: ErrorCode | undefined): void;
}

/** Counts attempts. Costs the data path some ten nanoseconds each, and no timer. */
export interface AttemptBook {
  /** @param nowMs when the request is handed over, by the gateway's monotonic clock */
  begin(cohort: string, backend: Backend, user: User, nowMs: number): CountedAttempt;
}
