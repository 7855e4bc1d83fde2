/**
 * Writes that were sent and never answered: the client left, a deadline passed, the connection broke. The backend
 * may still be at work on such a write, so for a while it counts as in flight, and no hold drains without it.
 */
import type { CountedWrite, WriteCount } from '../intake/counted-write.ts';
import type { User } from '../model.ts';

interface Lingering {
  readonly count: WriteCount;
  readonly user: User;
  readonly untilMs: number;
}

/** Holds as many as a gateway ends without an answer within the time that they linger for. */
export class LingeringWrites {
  /** The oldest first. */
  #lingering: Lingering[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #now: () => number;

  /** @param now a monotonic clock, milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return this.#lingering.length;
  }

  /**
   * Takes over the count of a write whose exchange has ended. Nothing happens for one that is not counted.
   *
   * @param forMs how long the backend may still be at work
   */
  add(write: CountedWrite, user: User | undefined, forMs: number): void {
    const { countedIn } = write;
    if (countedIn === undefined || user === undefined) return;
    write.countedIn = undefined;
    this.#lingering.push({ count: countedIn, user, untilMs: this.#now() + forMs });
    this.#wait();
  }

  #wait(): void {
    const [first] = this.#lingering;
    if (first === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#look(), Math.max(1, first.untilMs - this.#now()));
    this.#timer.unref();
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#now();
    // A reload may have changed the time, so that the oldest is not always the first to go: each waits its turn.
    const kept = this.#lingering.findIndex(({ untilMs }) => untilMs > now);
    const over = kept < 0 ? this.#lingering : this.#lingering.slice(0, kept);
    this.#lingering = kept < 0 ? [] : this.#lingering.slice(kept);
    for (const { count, user } of over) count.leave(user);
    this.#wait();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
