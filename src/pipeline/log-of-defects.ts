import { TurnoutError } from '../errors.ts';
import type { Exchange } from '../intake/exchange.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** Logs the errors that no stage foresaw. */
export function logOfDefects(log: Telemetry['log']): (exchange: Exchange, error: unknown) => void {
  return (exchange, error) => {
    if (error instanceof TurnoutError && error.code !== 'internal') return;
    const { requestId } = exchange;
    log.error({ event: 'defect', requestId, err: error }, 'a request met a defect of the gateway');
  };
}
