/**
 * Evidence by betting: against the claim that a variable between 0 and 1 has a mean of at most m, somebody bets a part
 * of what they have on every observation. If the claim is true they do not gain in the mean, whatever the variable's
 * distribution, so that much money is evidence: that it ever reaches A has a probability of at most 1/A (Ville, 1939).
 * It may be looked at after every observation. See Waudby-Smith and Ramdas (2024) for bounds made of it, and Shin,
 * Ramdas and Rinaldo (2024) for the detector of changes.
 */
import { findRoot } from './bounds.ts';

/** Between how many stakes the money is divided at the start. */
export const BETS = 8;

/** The largest stake, as a part of what is there: an observation of 0 leaves a tenth. */
const STAKE_MAX = 0.9;

/**
 * Stakes from those that win most when everything is bad, to those that win most when the mean is a quarter over m.
 * A stake c turns 1 into 1 + c * (x / m - 1).
 * @param m more than 0, less than 1
 */
export function stakesFor(m: number): readonly number[] {
  const least = Math.min(STAKE_MAX / 2, (0.25 * m) / (1 - m));
  const ratio = (least / STAKE_MAX) ** (1 / (BETS - 1));
  return Array.from({ length: BETS }, (_, bet) => STAKE_MAX * ratio ** bet);
}

/** What a bet's money becomes with one observation, as a logarithm. @param x 0 to 1 @param m as the stake's */
export function logWin(stake: number, x: number, m: number): number {
  return Math.log1p(stake * (x / m - 1));
}

/** The logarithm of the money of all bets, which began with equal parts of 1. */
export function logMoney(logs: Float64Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const log of logs) if (log > most) most = log;
  if (!Number.isFinite(most)) return most;
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - most);
  return most + Math.log(sum / logs.length);
}

/** Whether `logMoney` is at least this. Mostly it is not, and that is seen at a glance: it is never over the most. */
export function isMoneyAtLeast(logs: Float64Array, bar: number): boolean {
  for (const log of logs) if (log >= bar) return logMoney(logs) >= bar;
  return false;
}

/**
 * When did it begin? Nobody knows, so a new bettor with 1 starts with every slot, and all their money is added up
 * (Shiryaev and Roberts). In the mean it has at most grown by 1 a slot while the claim is true, whatever is done in
 * between; so the mean time until it reaches A is at least A slots.
 */
export class Evidence {
  /** What all bettors have with each stake. */
  readonly #money = new Float64Array(BETS);

  /** @param factors of each stake, what becomes of 1 with the slot's observations: e to the sum of their `logWin` */
  add(factors: Float64Array): void {
    const money = this.#money;
    for (let bet = 0; bet < BETS; bet += 1) {
      const next = (1 + (money[bet] ?? 0)) * (factors[bet] ?? 1);
      money[bet] = next < MONEY_MAX ? next : MONEY_MAX;
    }
  }

  isAtLeast(logBar: number): boolean {
    return this.log >= logBar;
  }

  /** Logarithm of the money of all bettors. Minus infinity before the first slot; what is enormous is cut at 570. */
  get log(): number {
    let sum = 0;
    for (const money of this.#money) sum += money;
    return Math.log(sum / BETS);
  }
}

/** More than anybody asks for, and less than a number can hold. To cut it makes the evidence smaller, never larger. */
const MONEY_MAX = 1e248;

/** Observations, many of them equal. */
export interface Sample {
  /** 0 to 1. */
  readonly values: Float64Array;
  /** How often each was seen. */
  readonly counts: Float64Array;
}

/**
 * A lower bound of the mean, sound for every distribution on 0 to 1: the largest m against which the bets have won
 * 1 / (1 - confidence).
 * @returns 0 to 1; 0 without observations
 */
export function meanLower(sample: Sample, confidence: number): number {
  const mean = meanOf(sample);
  if (!(mean > 0)) return 0;
  const bar = -Math.log(1 - confidence);
  // The stakes do not depend on m here, so that the money falls as m grows.
  const stakes = stakesFor(MEAN_SHARE);
  const logs = new Float64Array(BETS);
  const over = (m: number): number => {
    for (let bet = 0; bet < BETS; bet += 1) logs[bet] = sumOf(sample, stakes[bet] ?? 0, (x) => x / m - 1);
    return logMoney(logs) - bar;
  };
  // At the mean itself no bet has won.
  const least = mean * 1e-6;
  return over(least) <= 0 ? 0 : findRoot(over, least, mean, PRECISION);
}

/** The other way: bets on less than m. @returns 0 to 1; 1 without observations */
export function meanUpper(sample: Sample, confidence: number): number {
  const mean = meanOf(sample);
  if (Number.isNaN(mean) || mean >= 1) return 1;
  const bar = -Math.log(1 - confidence);
  const stakes = stakesFor(MEAN_SHARE);
  const logs = new Float64Array(BETS);
  const over = (m: number): number => {
    for (let bet = 0; bet < BETS; bet += 1) {
      logs[bet] = sumOf(sample, stakes[bet] ?? 0, (x) => (m - x) / (1 - m));
    }
    return logMoney(logs) - bar;
  };
  const most = 1 - (1 - mean) * 1e-6;
  return over(most) <= 0 ? 1 : findRoot(over, mean, most, PRECISION);
}

/** Latencies are capped at so many times their threshold, which makes the threshold this share of the cap. */
export const MEAN_SHARE = 0.1;

/** Of a bound, relative: for people, who read three digits. */
const PRECISION = 1e-5;

function sumOf({ values, counts }: Sample, stake: number, gain: (x: number) => number): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i += 1) {
    const count = counts[i] ?? 0;
    if (count > 0) sum += count * Math.log(1 + stake * gain(values[i] ?? 0));
  }
  return sum;
}

function meanOf({ values, counts }: Sample): number {
  let [sum, n] = [0, 0];
  for (let i = 0; i < counts.length; i += 1) {
    n += counts[i] ?? 0;
    sum += (counts[i] ?? 0) * (values[i] ?? 0);
  }
  return sum / n;
}
