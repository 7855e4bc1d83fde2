import type { Script } from '../harness/raw-backend.ts';

/** Answers with bytes that are no HTTP at all, and leaves the connection open. */
export function garbage(): Script {
  return async (exchange) => {
    await exchange.send('\x15\x03\x01\x00\x02\x02\x50 what is this?\r\n\r\n');
    await exchange.gone;
  };
}
