/** Randomness that is the same on every machine for the same seed. */

/** sfc32 by Chris Doty-Humphrey (public domain), 128 bits of state. */
export class Random {
  #a = 0;
  #b = 0;
  #c: number;
  #counter = 1;

  /** @param seed a whole number */
  constructor(seed: number) {
    this.#c = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    for (let i = 0; i < 20; i += 1) this.#bits();
  }

  /** 0 to 1, without 1; 53 bits of it, because the ends of the distributions matter here. */
  next(): number {
    return (this.#bits() * 2 ** 21 + (this.#bits() >>> 11)) * 2 ** -53;
  }

  /** 0 to below n. */
  below(n: number): number {
    return Math.floor(((this.#bits() >>> 0) * n) / 2 ** 32);
  }

  #bits(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }
}

/** Draws from the Poisson distribution by its inverse; the guide says where to begin looking. */
export class Poisson {
  readonly #cumulative: Float64Array;
  readonly #guide: Uint32Array;

  /** @param mean 0 or more; for means of many thousands the tables grow large */
  constructor(mean: number) {
    const most = Math.ceil(mean + 12 * Math.sqrt(mean) + 25);
    const cumulative = new Float64Array(most + 1);
    let sum = 0;
    let logMass = -mean;
    for (let k = 0; k <= most; k += 1) {
      if (k > 0) logMass += Math.log(mean / k);
      sum += Math.exp(logMass);
      cumulative[k] = sum;
    }
    cumulative[most] = Number.POSITIVE_INFINITY;
    this.#cumulative = cumulative;
    this.#guide = new Uint32Array(most + 1);
    for (let at = 0, k = 0; at <= most; at += 1) {
      while ((cumulative[k] ?? 1) < at / (most + 1)) k += 1;
      this.#guide[at] = k;
    }
  }

  draw(random: Random): number {
    const u = random.next();
    let k = this.#guide[Math.floor(u * this.#guide.length)] ?? 0;
    while ((this.#cumulative[k] ?? 1) <= u) k += 1;
    return k;
  }
}
