/**
 * Slows down whoever guesses tokens. Each address has a bucket of refused logins that refills with time;
 * while it is empty the address gets 429, whatever it presents: otherwise a guess would still be answered.
 * A client with an outdated token that asks now and then never empties its bucket.
 */

const BURST = 10;
const REFILL_EACH_MS = 1_000;
/** Addresses remembered; the one that has been quiet the longest goes first. */
const ADDRESSES_MAX = 1_000;

export class FailedLogins {
  /** By address: how many refusals are left, and when that was true. In the order of the last refusal. */
  readonly #buckets = new Map<string, { left: number; atMs: number }>();
  readonly #nowMs: () => number;

  /** @param nowMs a monotonic clock. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  #left(address: string): number {
    const bucket = this.#buckets.get(address);
    if (bucket === undefined) return BURST;
    return Math.min(BURST, bucket.left + (this.#nowMs() - bucket.atMs) / REFILL_EACH_MS);
  }

  /** Whether the address may present a token now. */
  allowed(address: string): boolean {
    return this.#left(address) >= 1;
  }

  failed(address: string): void {
    const left = this.#left(address) - 1;
    this.#buckets.delete(address);
    this.#buckets.set(address, { left, atMs: this.#nowMs() });
    if (this.#buckets.size <= ADDRESSES_MAX) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
