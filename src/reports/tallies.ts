/** What one process has counted and not told the record yet, by route, cohort and direction. */
import type { Backend } from '../model.ts';
import type { ComparedRead, NoiseRead, ShadowSkip, ShadowVerdict } from '../shadow/report-sink.ts';
import { LatencySketch } from './latency-sketch.ts';
import { NO_COHORT, OTHER, type PairCounts, type SideCounts } from './report-store.ts';

/** Combinations that are counted one by one between two flushes; the rest goes to `OTHER`. */
const COMBINATIONS_MAX = 1_000;

interface Pair {
  readonly route: string;
  readonly cohort: string;
  readonly authoritative: Backend;
  compared: number;
  covered: number;
  readonly verdicts: Record<ShadowVerdict, number>;
  readonly latency: LatencySketch;
}

interface Side {
  readonly route: string;
  readonly cohort: string;
  readonly what: string;
  count: number;
}

/** How many reads of a route this process has compared since it started, and how many of those the record has. */
export interface Progress {
  readonly compared: number;
  readonly noiseReads: number;
}

const NONE: Progress = Object.freeze({ compared: 0, noiseReads: 0 });

export class Tallies {
  #pairs = new Map<string, Pair>();
  #sides = new Map<string, Side>();
  /** By route, since the start of the process. As many as there are routes. */
  readonly #seen = new Map<string, Progress>();

  compared(read: ComparedRead): void {
    const pair = this.#pair(read.route, read.cohort ?? NO_COHORT, read.authoritative);
    pair.compared += 1;
    pair.verdicts[read.verdict] += 1;
    if (read.verdict === 'matched' && read.comparison.coveredBy.length > 0) pair.covered += 1;
    const { authoritativeMs, secondaryMs } = read;
    if (authoritativeMs !== undefined && secondaryMs !== undefined) {
      pair.latency.observe(authoritativeMs, secondaryMs);
    }
    const seen = this.seen(read.route);
    this.#note(read.route, { ...seen, compared: seen.compared + 1 });
  }

  noise(read: NoiseRead): void {
    this.count(read.route, read.cohort, 'noise_reads');
    if (read.comparison.differences.length > 0) this.count(read.route, read.cohort, 'noise_differing');
    const seen = this.seen(read.route);
    this.#note(read.route, { ...seen, noiseReads: seen.noiseReads + 1 });
  }

  skipped(route: string, cohort: string | undefined, reason: ShadowSkip): void {
    this.count(route, cohort, `skip:${reason}`);
  }

  count(route: string, cohort: string | undefined, what: string): void {
    const side = this.#side(route, cohort ?? NO_COHORT, what);
    side.count += 1;
  }

  seen(route: string): Progress {
    return this.#seen.get(route) ?? NONE;
  }

  #note(route: string, progress: Progress): void {
    if (this.#seen.has(route) || this.#seen.size < COMBINATIONS_MAX) this.#seen.set(route, progress);
  }

  #pair(route: string, cohort: string, authoritative: Backend): Pair {
    const key = `${authoritative}\0${cohort}\0${route}`;
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    if (this.#pairs.size >= COMBINATIONS_MAX && route !== OTHER)
      return this.#pair(OTHER, OTHER, authoritative);
    const pair: Pair = {
      route,
      cohort,
      authoritative,
      compared: 0,
      covered: 0,
      verdicts: { matched: 0, transient: 0, confirmed: 0, flapping: 0, unconfirmed: 0 },
      latency: new LatencySketch(),
    };
    this.#pairs.set(key, pair);
    return pair;
  }

  #side(route: string, cohort: string, what: string): Side {
    const key = `${what}\0${cohort}\0${route}`;
    const known = this.#sides.get(key);
    if (known !== undefined) return known;
    if (this.#sides.size >= COMBINATIONS_MAX * 4 && route !== OTHER) return this.#side(OTHER, OTHER, what);
    const side = { route, cohort, what, count: 0 };
    this.#sides.set(key, side);
    return side;
  }

  get isEmpty(): boolean {
    return this.#pairs.size === 0 && this.#sides.size === 0;
  }

  /** Everything counted since the last call. */
  take(): { readonly pairs: readonly PairCounts[]; readonly sides: readonly SideCounts[] } {
    const pairs = [...this.#pairs.values()].map(({ verdicts, latency, ...pair }) => ({
      ...pair,
      ...verdicts,
      latency: latency.pairs === 0 ? new Uint8Array() : latency.encode(),
    }));
    const sides = [...this.#sides.values()];
    this.#pairs = new Map();
    this.#sides = new Map();
    return { pairs, sides };
  }
}
