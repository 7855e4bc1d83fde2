/** Who can be sent bytes: a raw client or an exchange at a raw backend. */
export interface ByteSink {
  send(bytes: string): Promise<void>;
}

/**
 * Sends bytes one at a time, so that something always comes and it never gets anywhere.
 *
 * @param everyMs pause between two bytes, milliseconds
 * @param until ends the trickle, the peer's end usually
 */
export async function trickle(
  sink: ByteSink,
  bytes: string,
  everyMs: number,
  until: Promise<unknown>,
): Promise<void> {
  let over = false;
  const ended = until.then(() => {
    over = true;
  });
  for (const byte of bytes) {
    if (over) return;
    await sink.send(byte);
    await pause(everyMs, ended);
  }
}

async function pause(ms: number, ended: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, ended]);
  clearTimeout(timer);
}
