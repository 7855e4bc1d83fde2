import { type Listed, Roster } from './roster.ts';

/** Something that makes progress, or does not. */
export class Watched implements Listed {
  listedAt = -1;
  /** Set by whoever moves bytes; cleared at each look. */
  moved = true;
  idleSinceMs = 0;
  readonly limitMs: number;
  readonly onStall: () => void;

  constructor(limitMs: number, onStall: () => void) {
    this.limitMs = limitMs;
    this.onStall = onStall;
  }
}

/**
 * Finds the bodies that have stopped moving. One timer looks at all of them, so that a body costs a flag for
 * each chunk and no timer of its own. A stall is noticed within an eighth of the limit after the limit.
 */
export class StallWatch {
  readonly #watched = new Roster<Watched>();
  readonly #intervalMs: number;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param limitMs the shortest limit that will be watched
   * @param now a monotonic clock, milliseconds
   */
  constructor(limitMs: number, now: () => number) {
    this.#intervalMs = Math.max(10, Math.min(1_000, Math.floor(limitMs / 8)));
    this.#now = now;
  }

  add(watched: Watched): void {
    watched.moved = true;
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.look(), this.#intervalMs).unref();
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0 || this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** One look at everything that is watched. */
  look(): void {
    const now = this.#now();
    for (const watched of this.#watched.all()) {
      if (watched.moved) {
        watched.moved = false;
        watched.idleSinceMs = now;
      } else if (now - watched.idleSinceMs >= watched.limitMs) {
        this.remove(watched);
        watched.onStall();
      }
    }
  }
}
