import type { ErrorCode } from '../errors.ts';
import type { Exchange } from '../intake/exchange.ts';
import type { Outcome, Telemetry } from '../telemetry/telemetry.ts';

/**
 * The one place where a request is classified and counted: by the gateway's own error if it met one, else by
 * the class of the backend's status.
 *
 * @param status what the client got; 0 for nothing
 * @param nowMs of the clock that the exchange was started by
 */
export function accountExchange(
  exchange: Exchange,
  status: number,
  failure: ErrorCode | undefined,
  telemetry: Pick<Telemetry, 'cell' | 'sampled' | 'access'>,
  nowMs: number,
): void {
  const { startedMs, forwardedMs, waitedMs, requestClass, backend, route } = exchange;
  const outcome = failure ?? outcomeOf(status);
  const overheadMs = Math.max(0, (forwardedMs === 0 ? nowMs : forwardedMs) - startedMs - waitedMs);
  telemetry
    .cell(route?.name ?? 'none', exchange.decision?.cohort, backend, requestClass)
    .record(outcome, nowMs - startedMs, overheadMs);
  if (!telemetry.sampled()) return;
  telemetry.access({
    requestId: exchange.requestId,
    method: exchange.method,
    path: exchange.target.split('?', 1)[0] ?? '',
    status,
    outcome,
    route: route?.name,
    cohort: exchange.decision?.cohort,
    backend,
    class: requestClass,
    durationMs: nowMs - startedMs,
    overheadMs,
    ...(exchange.fallback ? { fallback: true } : {}),
  });
}

function outcomeOf(status: number): Outcome {
  if (status >= 500) return '5xx';
  if (status >= 400) return '4xx';
  if (status >= 300) return '3xx';
  return status >= 200 ? '2xx' : '1xx';
}
