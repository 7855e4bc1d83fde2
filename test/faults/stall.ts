import type { Script } from '../harness/raw-backend.ts';

/** Sends the first bytes of an answer, none at all by default, and then nothing until the gateway leaves. */
export function stall(bytes = ''): Script {
  return async (exchange) => {
    await exchange.send(bytes);
    await exchange.gone;
  };
}
