/** The conditions of the guard and what is judged by them, as types. Pure. */

export const METRICS = [
  'errorRate',
  'meanLatencyMs',
  'p50LatencyMs',
  'p90LatencyMs',
  'p99LatencyMs',
  'stalledShare',
  'mismatchShare',
  'mirrorBacklog',
] as const;
export type Metric = (typeof METRICS)[number];

export const GUARD_ACTIONS = ['rollback', 'hold', 'warn'] as const;
/** `rollback`: the cohort goes back. `hold`: its ramp stops. `warn`: people are told. */
export type GuardAction = (typeof GUARD_ACTIONS)[number];

/** At least one of `over` and `overLegacy` is there. With both, both must be exceeded. */
export interface Condition {
  /** Unique; for people. The metric's name unless the configuration gives one. */
  readonly name: string;
  readonly metric: Metric;
  /** In the metric's own unit: a share of 0 to 1, milliseconds, a number of writes. */
  readonly over: number | undefined;
  /** A factor of what `legacy` has in the same window. */
  readonly overLegacy: number | undefined;
  readonly windowMs: number;
  /** Fewer requests to `new` in a window prove nothing. The fast path has a bar of its own instead. */
  readonly minRequests: number;
  /** Trips when in `over` of the last `of` windows the bound at `confidence` is beyond the threshold. */
  readonly windows: { readonly over: number; readonly of: number };
  /** One-sided; 0.5 to 0.9999. */
  readonly confidence: number;
  readonly action: GuardAction;
  /** `undefined`: every cohort. */
  readonly cohorts: readonly string[] | undefined;
}

/**
 * `healthy`: shown to be below the threshold, by the latest window or by all of them. `uncertain`: neither shown to be
 * below nor above it. `no-data`: fewer than `minRequests`. `tripped`: shown to be over it.
 */
export type Verdict = 'healthy' | 'uncertain' | 'no-data' | 'tripped';

/** What a judgement rests on; kept with a trip for good. JSON as it is. */
export interface Figures {
  /** What was measured of `new` in the latest window; `undefined` without requests. */
  readonly value: number | undefined;
  /** Bounds of it at the condition's confidence. */
  readonly lower: number | undefined;
  readonly upper: number | undefined;
  readonly legacyValue: number | undefined;
  /** What `value` had to exceed, as `legacy` stands: at least `over`. */
  readonly threshold: number | undefined;
  /** Of which the metric is measured, in the latest window: of mismatches, the reads that were compared. */
  readonly requests: number;
  readonly legacyRequests: number;
  /** Windows over the threshold among the last ones. */
  readonly windowsOver: number;
  /** Natural logarithm of the evidence of the fast path: 0 is none; it trips at `EVIDENCE_BAR`; cut at 570. */
  readonly evidence: number;
  /** Failed requests by kind, in the latest window. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Gateways that reported in the latest window. */
  readonly gateways: readonly string[];
  /** Who was left out because without it the condition does not hold: nobody, one gateway, or user groups. */
  readonly apart: { readonly gateway?: string; readonly userGroups?: readonly number[] } | undefined;
}

export interface Judgement {
  readonly condition: Condition;
  readonly verdict: Verdict;
  /** By which path it tripped. */
  readonly path: 'overwhelming' | 'windows' | undefined;
  readonly figures: Figures;
}
