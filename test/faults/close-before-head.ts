import type { Script } from '../harness/raw-backend.ts';

/** Takes the request and closes the connection in order, without a byte of an answer. */
export function closeBeforeHead(): Script {
  return (exchange) => {
    exchange.finish();
  };
}
