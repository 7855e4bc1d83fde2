import type { Script } from '../harness/raw-backend.ts';

/** Sends the first `count` bytes of an answer and closes the connection in order. */
export function closeAfterBytes(answer: string, count: number): Script {
  return async (exchange) => {
    await exchange.send(answer.slice(0, count));
    exchange.finish();
  };
}
