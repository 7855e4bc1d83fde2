/**
 * A metric held against a threshold, as the question whether the mean of a variable between 0 and 1 is over m:
 *
 * - a share: 1 for a bad request, else 0; m is the threshold;
 * - a quantile p: 1 for a request that is slower than the threshold, else 0; m is 1 - p;
 * - a mean latency: the latency capped at ten times the threshold, as a part of the cap; m is 0.1.
 */
import { isShareOver } from './bounds.ts';
import { BETS, isMoneyAtLeast, logWin, MEAN_SHARE, stakesFor } from './evidence.ts';
import { capFor, QUANTILES, type RequestMetric, requestsOf, shareOf, slowerThan } from './measure.ts';
import { BINS_MAX } from './slot.ts';
import { FLOORS, type Tally } from './tally.ts';

/** What a yardstick reads off some requests. All of it can be added up, and parts can be taken off again. */
export class Reading {
  n = 0;
  /** Bad ones; of a mean latency, those slower than the threshold. */
  bad = 0;
  /** Sum of (x - m): over 0 when the mean is over the threshold. */
  excess = 0;
  /** What the bets win on them, as logarithms. */
  readonly wins = new Float64Array(BETS);
  #factors: Float64Array | undefined;

  /** What the bets make of 1. To be asked for when nothing is added any more. */
  get factors(): Float64Array {
    this.#factors ??= this.wins.map(Math.exp);
    return this.#factors;
  }

  /** To be called after the fields were set anew. */
  touch(): this {
    this.#factors = undefined;
    return this;
  }

  /** @param factor 1 adds, -1 takes off */
  add(other: Reading, factor: 1 | -1 = 1): this {
    this.n += factor * other.n;
    this.bad += factor * other.bad;
    this.excess += factor * other.excess;
    for (let bet = 0; bet < BETS; bet += 1) {
      this.wins[bet] = (this.wins[bet] ?? 0) + factor * (other.wins[bet] ?? 0);
    }
    return this.touch();
  }
}

export interface Yardstick {
  /** Whether it looks at the bins of a tally. */
  readonly usesLatency: boolean;
  /** @param into is overwritten, where reading must cost no memory */
  read(tally: Tally, into?: Reading): Reading;
  /** Whether the requests together show, at this confidence, that it is over the threshold. */
  isOver(reading: Reading, confidence: number): boolean;
}

/** No share is shown to be over 1, and against a share of 0 there would be no bets. */
const [SHARE_MIN, SHARE_MAX] = [1e-6, 1 - 1e-9];

/**
 * @param threshold 0 or more, in the metric's unit
 * @param least the lowest threshold that the metric is held against anywhere near: chooses the stakes, so that evidence
 * against a higher one is never more than against this
 */
export function yardstickFor(metric: RequestMetric, threshold: number, least: number): Yardstick {
  const key = `${metric} ${threshold} ${least}`;
  const known = MADE.get(key);
  if (known !== undefined) return known;
  if (MADE.size >= MADE_MAX) MADE.clear();
  const made = makeYardstick(metric, threshold, least);
  MADE.set(key, made);
  return made;
}

/** A memory of results only: tables take longer to make than to use, and thresholds seldom change. */
const MADE = new Map<string, Yardstick>();
const MADE_MAX = 64;

function makeYardstick(metric: RequestMetric, threshold: number, least: number): Yardstick {
  switch (metric) {
    case 'errorRate':
    case 'stalledShare':
    case 'mismatchShare':
      return shareYardstick(withinShares(threshold), withinShares(least), false, (tally) =>
        shareOf(metric, tally),
      );
    case 'p50LatencyMs':
    case 'p90LatencyMs':
    case 'p99LatencyMs': {
      const m = 1 - QUANTILES[metric];
      return shareYardstick(m, m, true, (tally) => ({
        bad: slowerThan(tally, threshold),
        n: tally.requests,
      }));
    }
    case 'meanLatencyMs':
      return meanYardstick(threshold);
    default:
      return metric satisfies never;
  }
}

function withinShares(threshold: number): number {
  return Math.min(SHARE_MAX, Math.max(SHARE_MIN, threshold));
}

function shareYardstick(
  m: number,
  least: number,
  usesLatency: boolean,
  share: (tally: Tally) => { bad: number; n: number },
): Yardstick {
  const stakes = stakesFor(least);
  const ifBad = stakes.map((stake) => logWin(stake, 1, m));
  const ifGood = stakes.map((stake) => logWin(stake, 0, m));
  return {
    usesLatency,
    read(tally, into = new Reading()) {
      const { bad, n } = share(tally);
      into.n = n;
      into.bad = bad;
      into.excess = bad - m * n;
      for (let bet = 0; bet < BETS; bet += 1) {
        into.wins[bet] = bad * (ifBad[bet] ?? 0) + (n - bad) * (ifGood[bet] ?? 0);
      }
      return into.touch();
    },
    isOver: ({ bad, n }, confidence) => n > 0 && isShareOver(bad, n, m, confidence),
  };
}

function meanYardstick(thresholdMs: number): Yardstick {
  const capMs = capFor(thresholdMs);
  const stakes = stakesFor(MEAN_SHARE);
  const values = Float64Array.from({ length: BINS_MAX }, (_, bin) => Math.min(1, (FLOORS[bin] ?? 0) / capMs));
  // By bin, then by bet.
  const wins = Float64Array.from({ length: BINS_MAX * BETS }, (_, at) =>
    logWin(stakes[at % BETS] ?? 0, values[Math.floor(at / BETS)] ?? 0, MEAN_SHARE),
  );
  return {
    usesLatency: true,
    read(tally, into = new Reading()) {
      into.n = requestsOf('meanLatencyMs', tally);
      into.bad = slowerThan(tally, thresholdMs);
      into.excess = 0;
      into.wins.fill(0);
      for (let bin = tally.low; bin < tally.high; bin += 1) {
        const count = tally.bins[bin] ?? 0;
        if (count === 0) continue;
        into.excess += count * ((values[bin] ?? 0) - MEAN_SHARE);
        for (let bet = 0; bet < BETS; bet += 1) {
          into.wins[bet] = (into.wins[bet] ?? 0) + count * (wins[bin * BETS + bet] ?? 0);
        }
      }
      return into.touch();
    },
    isOver: ({ n, wins: won }, confidence) => n > 0 && isMoneyAtLeast(won, -Math.log(1 - confidence)),
  };
}
