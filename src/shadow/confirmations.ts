/**
 * Which differences are waiting to be read again, and a bound on them: each costs the authoritative backend a read
 * that no user asked for. A difference that everybody meets does not keep the rare ones from being confirmed.
 */

/** Of one signature, waiting or under way. */
const PER_SIGNATURE_MAX = 4;

export class Confirmations {
  readonly #max: () => number;
  readonly #bySignature = new Map<string, number>();
  readonly #timers = new Map<NodeJS.Timeout, () => void>();
  #count = 0;

  /** @param max of all signatures together */
  constructor(max: () => number) {
    this.#max = max;
  }

  get count(): number {
    return this.#count;
  }

  /** @returns whether there is room for it; then `leave` has to be called once, with the same signatures */
  enter(signatures: ReadonlySet<string>): boolean {
    if (this.#count >= this.#max()) return false;
    const isNew = [...signatures].some((each) => (this.#bySignature.get(each) ?? 0) < PER_SIGNATURE_MAX);
    if (!isNew) return false;
    this.#count += 1;
    for (const each of signatures) this.#bySignature.set(each, (this.#bySignature.get(each) ?? 0) + 1);
    return true;
  }

  leave(signatures: ReadonlySet<string>): void {
    this.#count -= 1;
    for (const each of signatures) {
      const left = (this.#bySignature.get(each) ?? 0) - 1;
      if (left > 0) this.#bySignature.set(each, left);
      else this.#bySignature.delete(each);
    }
  }

  /** Runs `then` after the delay, or `stopped` when this side stops before. */
  after(delayMs: number, then: () => void, stopped: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, delayMs);
    this.#timers.set(timer, stopped);
  }

  stop(): void {
    for (const [timer, stopped] of this.#timers) {
      clearTimeout(timer);
      stopped();
    }
    this.#timers.clear();
  }
}
