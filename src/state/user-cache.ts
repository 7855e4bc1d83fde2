/**
 * A bounded cache of user records in two generations. New and recently used entries are in `young`; when it is
 * full it becomes `old`, and what was old and not asked for since is forgotten. So a hit is one lookup in a
 * `Map` (two for the first hit after a turn), without the linked list that an exact LRU keeps in order; the
 * measurement is in bench/micro/user-cache.ts.
 */
import type { User } from '../model.ts';

export class UserCache<Entry extends object> {
  #young = new Map<User, Entry>();
  #old = new Map<User, Entry>();
  readonly #generationMax: number;

  /** @param max bound on entries, at least 2; between half of it and all of it is kept */
  constructor(max: number) {
    this.#generationMax = Math.max(1, Math.floor(max / 2));
  }

  get(user: User): Entry | undefined {
    const entry = this.#young.get(user);
    if (entry !== undefined) return entry;
    const aged = this.#old.get(user);
    if (aged !== undefined) {
      this.#old.delete(user);
      this.set(user, aged);
    }
    return aged;
  }

  /** As `get`, without counting as a use. */
  peek(user: User): Entry | undefined {
    return this.#young.get(user) ?? this.#old.get(user);
  }

  set(user: User, entry: Entry): void {
    if (this.#young.size >= this.#generationMax && !this.#young.has(user)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(user, entry);
    // Else a newer entry could leave with its generation and the older one come back from the other.
    this.#old.delete(user);
  }

  delete(user: User): void {
    this.#young.delete(user);
    this.#old.delete(user);
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
