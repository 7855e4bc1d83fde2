import type { AttemptBook } from '../intake/counted-attempt.ts';
import type { Exchange } from '../intake/exchange.ts';
import type { Backend } from '../model.ts';
import type { RequestBody } from './request-body.ts';

/** What it takes to count what is sent. */
export interface AttemptPolicy {
  /** Where attempts are counted; `undefined`: nowhere. */
  readonly attempts: AttemptBook | undefined;
  readonly now: () => number;
}

/**
 * The request is handed to a backend: notes when, and has it counted where its cohort's fate may depend on it. A route
 * with a backend of its own goes there whatever the cohort's stage.
 *
 * @param body a body that the client is still sending: until it is whole, the backend keeps nobody waiting
 */
export function beginAttempt(
  exchange: Exchange,
  backend: Backend,
  policy: AttemptPolicy,
  body: RequestBody | undefined,
): void {
  const nowMs = policy.now();
  // What a first backend took before it failed is not the gateway's own.
  if (exchange.forwardedMs === 0) exchange.forwardedMs = nowMs;
  countAttempt(exchange, backend, policy, nowMs);
  const { attempt } = exchange;
  if (body === undefined || attempt === undefined) return;
  attempt.uploading();
  body.once('end', () => attempt.sent());
}

/** Counts a request that the gateway has no room for, to be failed next. */
export function beginRefused(exchange: Exchange, backend: Backend, policy: AttemptPolicy): void {
  countAttempt(exchange, backend, policy, policy.now());
}

function countAttempt(exchange: Exchange, backend: Backend, policy: AttemptPolicy, nowMs: number): void {
  const { decision, route, user } = exchange;
  if (policy.attempts === undefined || route?.backend !== undefined) return;
  if (decision?.cohort === undefined || user === undefined) return;
  exchange.attempt = policy.attempts.begin(decision.cohort, backend, user, nowMs);
}
