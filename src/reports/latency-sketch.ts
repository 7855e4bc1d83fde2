/**
 * How long the two backends took for the same reads. Buckets whose bounds grow by a tenth, so that a quantile is right
 * within 5 % of its value, from 0.05 ms to about ten minutes; sketches merge without loss. The pairs are
 * kept as a distribution of their differences too, which two distributions side by side do not give.
 */

const GROWTH = 1.1;
const LOG_GROWTH = Math.log(GROWTH);
const LOWEST_MS = 0.05;
const BUCKETS = 172;

/** The parts of one sketch, in the order in which they are stored. */
const PARTS = ['authoritative', 'secondary', 'slower', 'faster'] as const;
type Part = (typeof PARTS)[number];

const FORMAT = 1;

function bucketOf(ms: number): number {
  if (!(ms > LOWEST_MS)) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / LOWEST_MS) / LOG_GROWTH));
}

/** The value in the middle of a bucket, by ratio. */
function valueOf(bucket: number): number {
  return bucket === 0 ? LOWEST_MS : LOWEST_MS * GROWTH ** (bucket - 0.5);
}

export interface Quantiles {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

export interface LatencyFigures {
  /** Reads that both sides answered. */
  readonly pairs: number;
  readonly authoritative: Quantiles & { readonly meanMs: number };
  readonly secondary: Quantiles & { readonly meanMs: number };
  /** Secondary minus authoritative of one read; negative where the secondary was faster. */
  readonly difference: Quantiles;
}

export class LatencySketch {
  readonly #counts: Readonly<Record<Part, Float64Array>> = {
    authoritative: new Float64Array(BUCKETS),
    secondary: new Float64Array(BUCKETS),
    slower: new Float64Array(BUCKETS),
    faster: new Float64Array(BUCKETS),
  };
  #pairs = 0;
  #authoritativeMs = 0;
  #secondaryMs = 0;

  /** One read that both sides answered; milliseconds. */
  observe(authoritativeMs: number, secondaryMs: number): void {
    this.#pairs += 1;
    this.#authoritativeMs += authoritativeMs;
    this.#secondaryMs += secondaryMs;
    this.#count('authoritative', bucketOf(authoritativeMs), 1);
    this.#count('secondary', bucketOf(secondaryMs), 1);
    const difference = secondaryMs - authoritativeMs;
    this.#count(difference >= 0 ? 'slower' : 'faster', bucketOf(Math.abs(difference)), 1);
  }

  #count(part: Part, bucket: number, times: number): void {
    const counts = this.#counts[part];
    counts[bucket] = (counts[bucket] ?? 0) + times;
  }

  get pairs(): number {
    return this.#pairs;
  }

  /** Numbers of seven bits a byte: format, pairs, both sums in microseconds, then each part's buckets in use. */
  encode(): Uint8Array {
    const bytes: number[] = [FORMAT];
    for (const number of [this.#pairs, this.#authoritativeMs * 1_000, this.#secondaryMs * 1_000]) {
      pushNumber(bytes, Math.round(number));
    }
    for (const part of PARTS) {
      const used = [...this.#counts[part].entries()].filter(([, count]) => count > 0);
      pushNumber(bytes, used.length);
      for (const [bucket, count] of used) {
        pushNumber(bytes, bucket);
        pushNumber(bytes, count);
      }
    }
    return Uint8Array.from(bytes);
  }

  /** @throws RangeError for bytes that are none of `encode` */
  merge(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const numbers = new Numbers(bytes);
    if (numbers.next() !== FORMAT) throw new RangeError('a latency sketch of another format');
    this.#pairs += numbers.next();
    this.#authoritativeMs += numbers.next() / 1_000;
    this.#secondaryMs += numbers.next() / 1_000;
    for (const part of PARTS) {
      for (let left = numbers.next(); left > 0; left -= 1) {
        const bucket = numbers.next();
        this.#count(part, bucket, numbers.next());
      }
    }
  }

  /** `undefined` without a pair. */
  figures(): LatencyFigures | undefined {
    const pairs = this.#pairs;
    if (pairs === 0) return undefined;
    const { authoritative, secondary, slower, faster } = this.#counts;
    const ascending = (counts: Float64Array): Step[] =>
      [...counts].map((count, bucket) => ({ value: valueOf(bucket), count }));
    const differences = [
      ...[...faster].map((count, bucket) => ({ value: -valueOf(bucket), count })).reverse(),
      ...ascending(slower),
    ];
    return {
      pairs,
      authoritative: { ...quantiles(ascending(authoritative)), meanMs: this.#authoritativeMs / pairs },
      secondary: { ...quantiles(ascending(secondary)), meanMs: this.#secondaryMs / pairs },
      difference: quantiles(differences),
    };
  }
}

interface Step {
  readonly value: number;
  readonly count: number;
}

function quantiles(steps: readonly Step[]): Quantiles {
  const total = steps.reduce((sum, { count }) => sum + count, 0);
  const at = (share: number): number => {
    let left = Math.max(1, Math.ceil(share * total));
    for (const { value, count } of steps) {
      left -= count;
      if (left <= 0) return value;
    }
    return 0;
  };
  return { p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99) };
}

function pushNumber(bytes: number[], number: number): void {
  let rest = number;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

class Numbers {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): number {
    let number = 0;
    let factor = 1;
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new RangeError('a latency sketch that is cut');
      this.#at += 1;
      number += (byte % 128) * factor;
      if (byte < 128) return number;
      factor *= 128;
    }
  }
}

/** @returns both as one; either may be empty */
export function mergeLatencies(one: Uint8Array, other: Uint8Array): Uint8Array {
  const sketch = new LatencySketch();
  sketch.merge(one);
  sketch.merge(other);
  return sketch.encode();
}
