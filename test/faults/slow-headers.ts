import type { Script } from '../harness/raw-backend.ts';
import { trickle } from './trickle.ts';

/** Sends an endless head, a byte every `everyMs` milliseconds, until the gateway leaves. */
export function slowHeaders(everyMs: number): Script {
  return async (exchange) => {
    const head = `HTTP/1.1 200 OK\r\n${'X-Padding: 0123456789\r\n'.repeat(200)}`;
    await trickle(exchange, head, everyMs, exchange.gone);
    await exchange.gone;
  };
}
