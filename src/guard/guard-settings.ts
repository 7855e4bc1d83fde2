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

/** The conditions that follow from the short keys. */
function shortConditions(written: GuardWritten): readonly Condition[] {
  const { windowMs, minRequests, action, errorRate, meanLatencyMs } = written;
  const condition = (metric: Metric, over: number, overLegacy: number | undefined): Condition => ({
    name: metric,
    metric,
    over,
    overLegacy,
    windowMs,
    minRequests,
    windows: WINDOWS,
    confidence: CONFIDENCE,
    action,
    cohorts: undefined,
  });
  return [
    condition('errorRate', errorRate, ERRORS_OVER_LEGACY),
    condition('meanLatencyMs', meanLatencyMs, LATENCY_OVER_LEGACY),
    condition('stalledShare', STALLED_OVER, undefined),
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
