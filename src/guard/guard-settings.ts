/** What the guard is told by the configuration: complete, with times in milliseconds. */
import type { Condition, GuardAction, Metric } from './condition.ts';
import type { RampPlan } from './ramp-plan.ts';
import { FAILURE_KINDS, type FailureKind } from './slot.ts';

export const HOOK_EVENTS = ['trip', 'in-force', 'cleared', 'ramp'] as const;
/**
 * `trip`: a condition tripped. `in-force`: its cohort is back everywhere. `cleared`: a person cleared it. `ramp`: a plan
 * took a step, stopped or ended.
 */
export type HookEvent = (typeof HOOK_EVENTS)[number];

/** Who is told what happens. */
export interface HookSettings {
  /** `http` or `https`. May carry a secret in its path: never logged whole. */
  readonly url: string;
  /** Key of the signature; without one nothing is signed. */
  readonly secret: string | undefined;
  readonly events: readonly HookEvent[];
}

/** Reads that failed at `new` and are answered by `legacy`. */
export interface FallbackSettings {
  readonly enabled: boolean;
  /** Of the reads in flight, 0 to 1. */
  readonly share: number;
  /** So many at a time, however few reads are in flight. */
  readonly inFlightMin: number;
  /** How long one waits for its turn. */
  readonly waitMs: number;
}

export interface GuardSettings {
  readonly conditions: readonly Condition[];
  /** Of the rates that people are shown, and of conditions that name no other. */
  readonly windowMs: number;
  /** A request of this age without an answer counts as stalled. */
  readonly stalledMs: number;
  /** A warning and a `hold` are not repeated within it. */
  readonly cooldownMs: number;
  /** What counts as failed. */
  readonly failures: readonly FailureKind[];
  readonly fallback: FallbackSettings;
  readonly hooks: readonly HookSettings[];
  /** Plans by name, for whoever starts one. */
  readonly ramps: Readonly<Record<string, RampPlan>>;
}

/** What the configuration says of the guard. What is absent has its default. */
export interface GuardWritten {
  readonly windowMs: number;
  readonly errorRate: number;
  readonly meanLatencyMs: number;
  readonly minRequests: number;
  readonly action: GuardAction;
  readonly cooldownMs?: number;
  readonly failures?: readonly FailureKind[];
  /** All of them; else those that follow from the short keys. */
  readonly conditions?: readonly Condition[];
  readonly fallback?: FallbackSettings;
  readonly hooks?: readonly HookSettings[];
  readonly ramps?: Readonly<Record<string, RampPlan>>;
}

const COOLDOWN_MS = 600_000;
const FALLBACK: FallbackSettings = Object.freeze({
  enabled: true,
  share: 0.2,
  inFlightMin: 3,
  waitMs: 1_000,
});
/** How much worse than `legacy` the backend `new` may be while `legacy` itself is beyond a threshold. */
const ERRORS_OVER_LEGACY = 1.5;
const LATENCY_OVER_LEGACY = 1.2;
/** A share of requests without an answer after `meanLatencyMs`. */
const STALLED_OVER = 0.5;
const WINDOWS = Object.freeze({ over: 3, of: 5 });
const CONFIDENCE = 0.99;

/** The keys of the guard that every condition has as its defaults, and that three conditions are made of. */
export type ShortKeys = Pick<
  GuardWritten,
  'windowMs' | 'errorRate' | 'meanLatencyMs' | 'minRequests' | 'action'
>;

/** A condition as people write it. What is absent has the guard's own value. */
export interface ConditionWritten extends Partial<Omit<Condition, 'metric'>> {
  readonly metric: Metric;
}

/** @param written `name` is the metric's, `windowMs`, `minRequests` and `action` are the guard's where they are absent */
export function completeCondition(written: ConditionWritten, keys: ShortKeys): Condition {
  return {
    name: written.name ?? written.metric,
    metric: written.metric,
    over: written.over,
    overLegacy: written.overLegacy,
    windowMs: written.windowMs ?? keys.windowMs,
    minRequests: written.minRequests ?? keys.minRequests,
    windows: written.windows ?? WINDOWS,
    confidence: written.confidence ?? CONFIDENCE,
    action: written.action ?? keys.action,
    cohorts: written.cohorts,
  };
}

/** What the short keys make a condition of, each by the metric's name. */
export const SHORT_METRICS = [
  'errorRate',
  'meanLatencyMs',
  'stalledShare',
] as const satisfies readonly Metric[];

/** The conditions that follow from the short keys. */
export function shortConditions(keys: ShortKeys): readonly Condition[] {
  const condition = (metric: Metric, over: number, overLegacy: number | undefined): Condition =>
    completeCondition({ metric, over, overLegacy }, keys);
  return [
    condition('errorRate', keys.errorRate, ERRORS_OVER_LEGACY),
    condition('meanLatencyMs', keys.meanLatencyMs, LATENCY_OVER_LEGACY),
    condition('stalledShare', STALLED_OVER, undefined),
  ];
}

/** Those of the short keys and the written ones; a written one of every cohort replaces that of its metric. */
export function allConditions(keys: ShortKeys, written: readonly ConditionWritten[]): readonly Condition[] {
  const replaced = new Set(written.flatMap(({ metric, cohorts }) => (cohorts === undefined ? [metric] : [])));
  return [
    ...shortConditions(keys).filter(({ metric }) => !replaced.has(metric)),
    ...written.map((condition) => completeCondition(condition, keys)),
  ];
}

/** @param written what the configuration has under `guard` */
export function guardSettings(written: GuardWritten): GuardSettings {
  return {
    conditions: written.conditions ?? shortConditions(written),
    windowMs: written.windowMs,
    stalledMs: written.meanLatencyMs,
    cooldownMs: written.cooldownMs ?? COOLDOWN_MS,
    failures: written.failures ?? FAILURE_KINDS,
    fallback: written.fallback ?? FALLBACK,
    hooks: written.hooks ?? [],
    ramps: written.ramps ?? {},
  };
}
