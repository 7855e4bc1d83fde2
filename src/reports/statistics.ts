/**
 * What shares of reads say, and what they do not say yet. Pure; every formula with its source.
 */

/** z of a two-sided 95 % interval. */
const Z_TWO_SIDED = 1.959963984540054;
/** z of a one-sided 95 % bound. */
const Z_ONE_SIDED = 1.6448536269514722;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** `count` of `total`; a share of nothing is unknown: between 0 and 1. */
export interface Share extends Interval {
  readonly count: number;
  readonly total: number;
  /** 0 where `total` is 0. */
  readonly share: number;
}

/**
 * The score interval of a proportion (E. B. Wilson, Journal of the American Statistical Association 22, 1927): right
 * also for few reads and for shares of 0 and 1, where the textbook interval has no width.
 * @param count of `total`; more than `total` is taken for `total`
 */
export function wilson(count: number, total: number, z: number = Z_TWO_SIDED): Interval {
  if (total <= 0) return { low: 0, high: 1 };
  const share = Math.min(Math.max(count, 0), total) / total;
  const square = z * z;
  const centre = share + square / (2 * total);
  const spread = z * Math.sqrt((share * (1 - share)) / total + square / (4 * total * total));
  const divisor = 1 + square / total;
  return {
    // At the ends the formula gives 0 and 1 but for rounding.
    low: share === 0 ? 0 : Math.max(0, (centre - spread) / divisor),
    high: share === 1 ? 1 : Math.min(1, (centre + spread) / divisor),
  };
}

/** A share with its 95 % interval. */
export function shareOf(count: number, total: number): Share {
  const bounded = Math.min(Math.max(count, 0), Math.max(total, 0));
  return { count, total, share: total <= 0 ? 0 : bounded / total, ...wilson(bounded, total) };
}

/**
 * The lower bound of the difference of two independent proportions, one-sided at 95 %: method 10 of R. G. Newcombe
 * (Statistics in Medicine 17, 1998), made of the two Wilson intervals. A side without any read can have any share.
 */
export function differenceLowerBound(
  one: { readonly count: number; readonly total: number },
  other: { readonly count: number; readonly total: number },
): number {
  const [a, b] = [shareOf(one.count, one.total).share, shareOf(other.count, other.total).share];
  const low = wilson(one.count, one.total, Z_ONE_SIDED).low;
  const high = wilson(other.count, other.total, Z_ONE_SIDED).high;
  if (one.total <= 0 || other.total <= 0) return low - high;
  return a - b - Math.hypot(a - low, high - b);
}

/**
 * After `reads` without an event, the share of events is below this with 95 % confidence: the rule of three (J. A.
 * Hanley and A. Lippman-Hand, JAMA 249, 1983).
 */
export function ruleOfThree(reads: number): number {
  return reads <= 0 ? 1 : Math.min(1, 3 / reads);
}

/** Diffy's thresholds for a field that differs. */
export const RELATIVE_MIN = 0.2;
export const ABSOLUTE_MIN = 0.0003;

/**
 * `reported`: it differs more than noise explains. `unproven`: it looks so, and there are too few reads to say it.
 * `unconfirmed`: no difference of the group was there again when both sides were read once more. `noise`: repeated
 * reads of the authoritative backend differ alike.
 */
export const JUDGEMENTS = ['reported', 'unproven', 'unconfirmed', 'noise'] as const;
export type JudgementKind = (typeof JUDGEMENTS)[number];

export interface Judgement {
  readonly kind: JudgementKind;
  readonly because:
    | 'above_noise'
    | 'failure'
    | 'few_reads'
    | 'never_confirmed'
    | 'not_above_noise'
    | 'close_to_noise'
    | 'rare';
}

export interface Evidence {
  /** Reads whose answers differed in this way, whatever came of it. */
  readonly raw: number;
  readonly confirmed: number;
  readonly compared: number;
  /** Repeated reads of the authoritative backend that differed in this way. */
  readonly noise: number;
  readonly noiseReads: number;
  /** The group says that one side failed or did not answer in time. */
  readonly isFailure: boolean;
}

/**
 * Whether a group says something of the backends. Diffy's rule on shares (raw above noise, relative difference
 * over 20 %, absolute over 0.03 %), and beyond it the lower bound of the difference has to be above nothing. A failure
 * is no field that wavers: it is never too rare to be reported.
 */
export function judge(evidence: Evidence): Judgement {
  const raw = shareOf(evidence.raw, evidence.compared).share;
  const noise = shareOf(evidence.noise, evidence.noiseReads).share;
  if (evidence.noise > 0 && raw <= noise) return { kind: 'noise', because: 'not_above_noise' };
  if (evidence.noise > 0 && (raw - noise) / (raw + noise) <= RELATIVE_MIN) {
    return { kind: 'noise', because: 'close_to_noise' };
  }
  if (evidence.raw === 0) return { kind: 'unconfirmed', because: 'never_confirmed' };
  if (!evidence.isFailure && raw - noise <= ABSOLUTE_MIN) return { kind: 'noise', because: 'rare' };
  if (evidence.confirmed === 0) return { kind: 'unconfirmed', because: 'never_confirmed' };
  if (evidence.isFailure && evidence.noise === 0) return { kind: 'reported', because: 'failure' };
  const lower = differenceLowerBound(
    { count: evidence.raw, total: evidence.compared },
    { count: evidence.noise, total: evidence.noiseReads },
  );
  return lower > 0
    ? { kind: 'reported', because: 'above_noise' }
    : { kind: 'unproven', because: 'few_reads' };
}
