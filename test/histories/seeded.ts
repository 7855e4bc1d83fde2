/** Randomness that a seed repeats. */

/** FNV-1a. */
function hash(text: string, basis: number): number {
  let word = basis | 0;
  for (const char of text) word = Math.imul(word ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return word;
}

export class Seeded {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /**
   * One for an actor of its own: what it draws does not depend on how often others draw. That is what makes a
   * run repeatable as far as processes are.
   */
  fork(name: string): Seeded {
    return new Seeded(hash(name, this.#state ^ 0x811c9dc5));
  }

  /** 0 to below 1. Mulberry32 (Tommy Ettinger, public domain). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let word = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  /** @throws RangeError for an empty list */
  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new RangeError('there is nothing to pick from');
    return found;
  }

  /** One of the names, as often as their weights say. */
  weighted<T extends string>(weights: { readonly [K in T]: number }): T {
    const entries = Object.entries<number>(weights);
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const name in weights) {
      left -= weights[name];
      if (left < 0) return name;
    }
    throw new RangeError('there is nothing to pick from');
  }
}
