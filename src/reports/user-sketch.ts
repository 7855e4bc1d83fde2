/**
 * How many users a group has touched, without keeping any: HyperLogLog (P. Flajolet and others, 2007) with 1,024
 * registers over a keyed hash, a standard error of 3.25 %. Small numbers are counted by the empty registers
 * (linear counting), which is exact but for collisions. Two sketches merge without loss.
 *
 * Stored sparse, two bytes for each register in use, until that is longer than all of them.
 */
import { createHmac } from 'node:crypto';
import type { User } from '../model.ts';

const INDEX_BITS = 10;
const REGISTERS = 1 << INDEX_BITS;
/** Of the 54 bits that are left: enough for more users than there are people. */
const RANK_BITS = 32;
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

/** One standard error of an estimate, as a share of it. */
export const USERS_ERROR = 1.04 / Math.sqrt(REGISTERS);

const SPARSE = 1;
const DENSE = 2;

export class UserSketch {
  /** By register, the highest rank seen; 0 for none. */
  readonly #ranks = new Uint8Array(REGISTERS);

  /** @param key of the record: sketches under two keys cannot be merged */
  add(user: User, key: Uint8Array): void {
    const digest = createHmac('sha256', key).update(user).digest();
    const index = digest.readUInt16BE(0) & (REGISTERS - 1);
    const rank = Math.min(Math.clz32(digest.readUInt32BE(2)), RANK_BITS - 1) + 1;
    this.#raise(index, rank);
  }

  #raise(index: number, rank: number): void {
    if (rank > (this.#ranks[index] ?? 0)) this.#ranks[index] = rank;
  }

  merge(bytes: Uint8Array): void {
    if (bytes[0] === SPARSE) {
      for (let at = 1; at + 1 < bytes.length; at += 2) {
        const word = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
        this.#raise(word >> 6, word & 63);
      }
    } else if (bytes[0] === DENSE) {
      for (let index = 0; index < REGISTERS; index += 1) this.#raise(index, bytes[index + 1] ?? 0);
    }
  }

  /** @returns at most 1,025 bytes; none for nobody */
  encode(): Uint8Array {
    const used = [...this.#ranks.entries()].filter(([, rank]) => rank > 0);
    if (used.length === 0) return new Uint8Array();
    if (used.length * 2 < REGISTERS) {
      const sparse = Buffer.alloc(1 + used.length * 2);
      sparse[0] = SPARSE;
      used.forEach(([index, rank], at) => sparse.writeUInt16BE((index << 6) | rank, 1 + at * 2));
      return sparse;
    }
    const dense = new Uint8Array(1 + REGISTERS);
    dense[0] = DENSE;
    dense.set(this.#ranks, 1);
    return dense;
  }

  /** About how many users were added; 0 for none. */
  estimate(): number {
    let empty = 0;
    let sum = 0;
    for (const rank of this.#ranks) {
      if (rank === 0) empty += 1;
      sum += 2 ** -rank;
    }
    const raw = (ALPHA * REGISTERS * REGISTERS) / sum;
    const isSmall = raw <= 2.5 * REGISTERS && empty > 0;
    return Math.round(isSmall ? REGISTERS * Math.log(REGISTERS / empty) : raw);
  }
}

/** @returns both as one; either may be empty */
export function mergeUsers(one: Uint8Array, other: Uint8Array): Uint8Array {
  const sketch = new UserSketch();
  sketch.merge(one);
  sketch.merge(other);
  return sketch.encode();
}

export function estimateUsers(bytes: Uint8Array): number {
  const sketch = new UserSketch();
  sketch.merge(bytes);
  return sketch.estimate();
}
