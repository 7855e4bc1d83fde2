/**
 * Which users are known to be marked, so that only the first write of each costs a round trip. Bounded; to forget
 * one costs another round trip and nothing else.
 */
import type { User } from '../model.ts';
import type { MarkPlace } from './state-map.ts';
import { UserCache } from './user-cache.ts';

/** One object for a place, however many users are marked there. */
interface Marked {
  readonly cohort: string | undefined;
  readonly era: number;
}

export class MarkMemory {
  readonly #users: UserCache<Marked>;
  readonly #places = new Map<string | undefined, Marked>();

  /** @param max bound on users */
  constructor(max: number) {
    this.#users = new UserCache(max);
  }

  get size(): number {
    return this.#users.size;
  }

  /** Allocates nothing. */
  has(user: User, place: MarkPlace | undefined): boolean {
    const marked = this.#users.get(user);
    if (marked === undefined) return false;
    return place === undefined
      ? marked.cohort === undefined
      : marked.cohort === place.name && marked.era === place.era?.number;
  }

  add(user: User, cohort: string | undefined, era: number): void {
    let marked = this.#places.get(cohort);
    if (marked === undefined || marked.era !== era) {
      marked = { cohort, era };
      this.#places.set(cohort, marked);
    }
    this.#users.set(user, marked);
  }

  /** The user's record changed: the mark of a pin goes with the pin. */
  recordChanged(user: User): void {
    const marked = this.#users.peek(user);
    if (marked !== undefined && marked.cohort === undefined) this.#users.delete(user);
  }

  clear(): void {
    this.#users.clear();
    this.#places.clear();
  }
}
