/**
 * The users that this gateway knows: the bounded cache, and the reads under way for those it does not.
 *
 * The hazard is a read that races with a change: it left before the change, comes back after it, and would put
 * the old record back. Each record has a version, so of two records of a user the newer is known; a change
 * that comes while a read is under way is remembered at that read, which then answers with the newer of the
 * two. A read that began before everything was dropped (`reset`, `forgetProvisional`) is made again.
 */
import { TurnoutError } from '../errors.ts';
import type { User, UserRecord } from '../model.ts';
import { UserCache } from './user-cache.ts';
import { newerOf, type Versioned } from './versioned.ts';

export interface UserRead {
  readonly versioned: Versioned;
  /**
   * How long it may be kept: `cached` as long as changes to it are heard of; `provisional`, read from the
   * record while the map was unreachable, until the map answers again; `once` for this answer only.
   */
  readonly keep: 'cached' | 'provisional' | 'once';
}

export interface UserTableOptions {
  readonly cacheMax: number;
  /** Bound on reads under way; one more fails with `state_unknown`. */
  readonly loadsMax: number;
  /** Reads one user. Bounded in time by whoever provides it. */
  readonly read: (user: User) => Promise<UserRead>;
}

interface Load {
  readonly done: Promise<Versioned>;
  /** The newest change to this user that was applied since the read began. */
  newest: Versioned | undefined;
}

/** How often a read that was overtaken by a reset is made again before its answer is given uncached. */
const RELOADS_MAX = 3;

export class UserTable {
  readonly #options: UserTableOptions;
  readonly #cache: UserCache<Versioned>;
  readonly #loads = new Map<User, Load>();
  readonly #provisional = new Set<User>();
  #era = 0;
  hits = 0;
  misses = 0;

  constructor(options: UserTableOptions) {
    this.#options = options;
    this.#cache = new UserCache(options.cacheMax);
  }

  get size(): number {
    return this.#cache.size;
  }

  cached(user: User): UserRecord | undefined {
    const entry = this.#cache.get(user);
    if (entry === undefined) {
      this.misses++;
      return undefined;
    }
    this.hits++;
    return entry.record;
  }

  /** The cached record with its version, without counting as a use. */
  known(user: User): Versioned | undefined {
    return this.#cache.peek(user);
  }

  /**
   * The record of a user, read if it is not cached. Callers at the same time share one read.
   * @throws TurnoutError `state_unknown`; its cause says why.
   */
  async load(user: User): Promise<Versioned> {
    const entry = this.#cache.peek(user);
    if (entry !== undefined) return entry;
    const running = this.#loads.get(user);
    if (running !== undefined) return running.done;
    if (this.#loads.size >= this.#options.loadsMax) {
      throw new TurnoutError('state_unknown', {
        cause: new Error(`${this.#loads.size} users are being read already`),
      });
    }
    const load: Load = { done: Promise.resolve().then(() => this.#read(user, load)), newest: undefined };
    this.#loads.set(user, load);
    try {
      return await load.done;
    } finally {
      this.#loads.delete(user);
    }
  }

  async #read(user: User, load: Load): Promise<Versioned> {
    for (let attempt = 0; ; attempt++) {
      const era = this.#era;
      const { versioned, keep } = await this.#readOnce(user);
      // Read in the same turn as the cache is written below: nothing can come in between.
      const overtaken = era !== this.#era;
      if (overtaken && attempt < RELOADS_MAX) continue;
      const newest = newerOf(newerOf(load.newest, this.#cache.peek(user)), versioned);
      if (!overtaken && keep !== 'once') {
        this.#cache.set(user, newest);
        if (keep === 'provisional' && newest === versioned) this.#provisional.add(user);
      }
      return newest;
    }
  }

  async #readOnce(user: User): Promise<UserRead> {
    try {
      return await this.#options.read(user);
    } catch (cause) {
      if (cause instanceof TurnoutError) throw cause;
      throw new TurnoutError('state_unknown', { cause });
    }
  }

  /** Takes in a change that is in force. Users that nobody asked for here are not cached because of it. */
  apply(user: User, versioned: Versioned): void {
    const load = this.#loads.get(user);
    if (load !== undefined) load.newest = newerOf(load.newest, versioned);
    const entry = this.#cache.peek(user);
    if (entry === undefined) return;
    this.#cache.set(user, newerOf(entry, versioned));
    this.#provisional.delete(user);
  }

  /** Takes in what this gateway itself has just read or written. */
  learn(user: User, versioned: Versioned): void {
    const load = this.#loads.get(user);
    if (load !== undefined) load.newest = newerOf(load.newest, versioned);
    this.#cache.set(user, newerOf(this.#cache.peek(user), versioned));
    this.#provisional.delete(user);
  }

  /** Forgets one user. Reads under way are made again. */
  forget(user: User): void {
    this.#era++;
    this.#cache.delete(user);
    this.#provisional.delete(user);
  }

  /** Forgets what was read from the record: the map answers again, and it may know better. */
  forgetProvisional(): void {
    this.#era++;
    for (const user of this.#provisional) this.#cache.delete(user);
    this.#provisional.clear();
  }

  /** Forgets everybody. Reads under way are made again. */
  reset(): void {
    this.#era++;
    this.#provisional.clear();
    this.#cache.clear();
    // What was applied belongs to the map that is gone.
    for (const load of this.#loads.values()) load.newest = undefined;
  }
}
