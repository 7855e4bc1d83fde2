import type { Script } from '../harness/raw-backend.ts';

/** Takes the head of a request and never reads its body: the gateway's writes meet a closed window. */
export function stopReading(): Script {
  return async (exchange) => {
    exchange.pause();
    await exchange.gone;
  };
}
