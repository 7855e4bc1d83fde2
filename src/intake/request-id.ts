import { randomBytes } from 'node:crypto';

/** Random hex digits drawn in bulk: one call to the system's generator serves some hundred requests. */
class HexPool {
  #hex = '';
  #at = 0;

  /** @param digits 1 to 32 */
  take(digits: number): string {
    if (this.#at + digits > this.#hex.length) {
      this.#hex = randomBytes(4_096).toString('hex');
      this.#at = 0;
    }
    const taken = this.#hex.slice(this.#at, this.#at + digits);
    this.#at += digits;
    return taken;
  }
}

const pool = new HexPool();

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** The client's request id if it is 1 to 128 visible ASCII characters, else a new random one. */
export function requestIdOf(sent: string | undefined): string {
  return sent !== undefined && REQUEST_ID.test(sent) ? sent : pool.take(24);
}

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The client's `traceparent` (W3C Trace Context, level 1) if it is valid, else the head of a new trace. */
export function traceparentOf(sent: string | undefined): string {
  if (sent !== undefined && !sent.startsWith('ff') && TRACEPARENT.test(sent)) return sent;
  return `00-${pool.take(32)}-${pool.take(16)}-00`;
}
