/**
 * What does a hit in the user cache cost, and what a feed of new users? The cache of the gateway (two
 * generations of a `Map`) beside lru-cache and the clock algorithm, in one process, rounds interleaved, the
 * median quoted. Time is the CPU time of this process, so that a busy machine disturbs it less. The hits are
 * measured twice: over a few users, whose entries are in the processor's caches, and over all, whose are not.
 *
 *     node bench/micro/user-cache.ts
 */
import { LRUCache } from 'lru-cache';
import { ABSENT_RECORD } from '../../src/model.ts';
import { UserCache } from '../../src/state/user-cache.ts';
import { UserTable } from '../../src/state/user-table.ts';
import type { Versioned } from '../../src/state/versioned.ts';

const USERS = 100_000;
const LOOKUPS = 1_000_000;
const ROUNDS = 9;
const HOT_USERS = 2_000;

interface Cache {
  get(user: string): Versioned | undefined;
  set(user: string, entry: Versioned): unknown;
}

/** Second chance: entries in a ring, a bit for "used", a hand that clears bits until it finds one unset. */
class ClockCache implements Cache {
  readonly #slots = new Map<string, { user: string; entry: Versioned; used: boolean }>();
  readonly #ring: { user: string; entry: Versioned; used: boolean }[] = [];
  readonly #max: number;
  #hand = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get(user: string): Versioned | undefined {
    const slot = this.#slots.get(user);
    if (slot === undefined) return undefined;
    slot.used = true;
    return slot.entry;
  }

  set(user: string, entry: Versioned): void {
    const slot = { user, entry, used: false };
    this.#slots.set(user, slot);
    if (this.#ring.length < this.#max) {
      this.#ring.push(slot);
      return;
    }
    for (;;) {
      const old = this.#ring[this.#hand];
      if (old === undefined || !old.used) {
        if (old !== undefined) this.#slots.delete(old.user);
        this.#ring[this.#hand] = slot;
        this.#hand = (this.#hand + 1) % this.#max;
        return;
      }
      old.used = false;
      this.#hand = (this.#hand + 1) % this.#max;
    }
  }
}

/** As requests bring them: strings of their own, not the objects that are the keys. */
function userStrings(count: number, from: number): string[] {
  return Array.from({ length: count }, (_, n) => Buffer.from(`customer-${from + n}`).toString());
}

/** Few users make many of the requests: the square of an even draw. */
function pick(state: { seed: number }, count: number): number {
  state.seed = (Math.imul(state.seed, 1_664_525) + 1_013_904_223) >>> 0;
  const even = state.seed / 2 ** 32;
  return Math.floor(even * even * count);
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const entry: Versioned = { record: ABSENT_RECORD, version: 1 };
const table = new UserTable({
  cacheMax: USERS * 2,
  loadsMax: 1,
  read: async () => ({ versioned: entry, keep: 'cached' }),
});
const whole: Cache = {
  get: (user) => (table.cached(user) === undefined ? undefined : entry),
  set: (user, value) => table.learn(user, value),
};
const caches: Record<string, Cache> = {
  'two generations': new UserCache<Versioned>(USERS * 2),
  'two generations, as the gateway asks': whole,
  'lru-cache': new LRUCache<string, Versioned>({ max: USERS }),
  clock: new ClockCache(USERS),
};

const known = userStrings(USERS, 0);
const asked = userStrings(USERS, 0);
for (const cache of Object.values(caches)) for (const user of known) cache.set(user, entry);

/** CPU nanoseconds that one of `count` runs of `work` takes. */
function cost(count: number, work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1_000) / count;
}

function lookUp(name: string, cache: Cache, users: number, seed: number): number {
  const state = { seed };
  const order = Uint32Array.from({ length: LOOKUPS }, () => pick(state, users));
  let found = 0;
  const each = cost(LOOKUPS, () => {
    for (let n = 0; n < LOOKUPS; n++) if (cache.get(asked[order[n] ?? 0] ?? '') !== undefined) found++;
  });
  if (found !== LOOKUPS) throw new Error(`${name}: ${LOOKUPS - found} of ${LOOKUPS} were not found`);
  return each;
}

const results = new Map<string, { hot: number[]; all: number[]; fresh: number[] }>();
let fresh = USERS;
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, cache] of Object.entries(caches)) {
    const hot = lookUp(name, cache, HOT_USERS, round + 1);
    const all = lookUp(name, cache, USERS, round + 1);
    const newcomers = userStrings(20_000, fresh);
    fresh += newcomers.length;
    const perNew = cost(newcomers.length, () => {
      for (const user of newcomers) cache.set(user, entry);
    });
    // Back to the users that are asked for, for the next round.
    for (const user of known) cache.set(user, entry);
    if (round === 0) continue; // Warm-up.
    const own = results.get(name) ?? { hot: [], all: [], fresh: [] };
    own.hot.push(hot);
    own.all.push(all);
    own.fresh.push(perNew);
    results.set(name, own);
  }
}

console.log(`median of ${ROUNDS - 1} rounds of ${LOOKUPS} lookups, node ${process.version}; CPU ns each`);
console.log(`${''.padEnd(38)}  hit of ${HOT_USERS}  hit of ${USERS}  new user`);
for (const [name, { hot, all, fresh: perNew }] of results) {
  const cell = (values: number[], width: number): string => median(values).toFixed(0).padStart(width);
  console.log(`${name.padEnd(38)} ${cell(hot, 12)} ${cell(all, 14)} ${cell(perNew, 9)}`);
}
