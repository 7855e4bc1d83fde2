import type { RawClient } from '../harness/raw-client.ts';
import type { RawBody } from '../harness/wire-message.ts';

/**
 * Reads a body in sips: the client's window is open for one piece at a time.
 *
 * @param pauseMs how long the client does not read between two pieces, milliseconds
 * @returns the number of bytes read
 */
export async function readSlowly(client: RawClient, body: RawBody, pauseMs: number): Promise<number> {
  for (;;) {
    client.resume();
    const piece = await body.read();
    if (piece === undefined) return body.bytes;
    client.pause();
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, pauseMs);
    await promise;
  }
}
