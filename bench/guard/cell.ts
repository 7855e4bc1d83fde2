/** One kind of days: what is measured, how many requests there are, how they fare, and what trouble there is. */
import type { Condition } from '../../src/guard/condition.ts';
import { shortConditions } from '../../src/guard/guard-settings.ts';
import { latencyBin } from '../../src/guard/slot.ts';
import type { Tally } from '../../src/guard/tally.ts';
import { heavyTailed } from './latencies.ts';

export const SIMULATED_METRICS = ['errorRate', 'meanLatencyMs'] as const;
export type SimulatedMetric = (typeof SIMULATED_METRICS)[number];

/** `gateway`: of three gateways one has only bad requests. `user`: one user has this share of all, and only bad ones. */
export type Trouble =
  | { readonly kind: 'none' }
  | { readonly kind: 'gateway' }
  | { readonly kind: 'user'; readonly share: number };

export const TROUBLES: readonly Trouble[] = [
  { kind: 'none' },
  { kind: 'gateway' },
  { kind: 'user', share: 0.1 },
  { kind: 'user', share: 0.3 },
];

export interface Cell {
  readonly metric: SimulatedMetric;
  /** Requests a second in the mean of a day. */
  readonly rate: number;
  /** Value of the metric for the requests without trouble, as a part of its threshold. */
  readonly value: number;
  readonly trouble: Trouble;
}

/** What the default conditions say, and the values of days on which nobody is to be called. */
export const HARMLESS: Readonly<Record<SimulatedMetric, number>> = { errorRate: 0.5, meanLatencyMs: 0.8 };
export const THRESHOLDS: Readonly<Record<SimulatedMetric, number>> = { errorRate: 0.05, meanLatencyMs: 1000 };
export const RATES = [2, 20, 200] as const;

export function harmlessCells(): readonly Cell[] {
  return SIMULATED_METRICS.flatMap((metric) =>
    TROUBLES.flatMap((trouble) => RATES.map((rate) => ({ metric, rate, value: HARMLESS[metric], trouble }))),
  );
}

/** The condition that the guard has without any configuration. */
export function conditionFor(metric: SimulatedMetric): Condition {
  const condition = shortConditions({
    windowMs: 30_000,
    errorRate: THRESHOLDS.errorRate,
    meanLatencyMs: THRESHOLDS.meanLatencyMs,
    minRequests: 50,
    action: 'rollback',
  }).find((one) => one.metric === metric);
  if (condition === undefined) throw new RangeError(`no condition for ${metric}`);
  return condition;
}

/** How requests end: kinds of them, with probabilities whose sum is 1. */
export interface Outcomes {
  readonly shares: readonly number[];
  add(tally: Tally, outcome: number, requests: number): void;
}

const QUICK_BIN = latencyBin(20);
/** Of slow requests where there is trouble: twice the cap of the mean. */
const SLOW_BIN = latencyBin(20 * THRESHOLDS.meanLatencyMs);

/** @param value of the metric, as a part of its threshold */
export function outcomesOf(metric: SimulatedMetric, value: number): Outcomes {
  if (metric === 'errorRate') {
    const failing = Math.min(1, value * THRESHOLDS.errorRate);
    return {
      shares: [1 - failing, failing],
      add(tally, outcome, requests) {
        addToBin(tally, QUICK_BIN, requests);
        if (outcome === 1) tally.failed += requests;
      },
    };
  }
  const { bins, shares } = heavyTailed(value * THRESHOLDS.meanLatencyMs);
  return {
    shares,
    add: (tally, outcome, requests) => addToBin(tally, bins[outcome] ?? 0, requests),
  };
}

/** All of them bad. */
export function badOutcomes(metric: SimulatedMetric): Outcomes {
  return {
    shares: [1],
    add(tally, _outcome, requests) {
      addToBin(tally, metric === 'errorRate' ? QUICK_BIN : SLOW_BIN, requests);
      if (metric === 'errorRate') tally.failed += requests;
    },
  };
}

function addToBin(tally: Tally, bin: number, requests: number): void {
  if (requests === 0) return;
  tally.requests += requests;
  tally.bins[bin] = (tally.bins[bin] ?? 0) + requests;
  if (bin < tally.low) tally.low = bin;
  if (bin >= tally.high) tally.high = bin + 1;
}
