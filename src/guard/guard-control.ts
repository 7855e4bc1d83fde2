/** What the admin room may ask of the guard. One lives where the `Control` lives. */
import type { Stage } from '../model.ts';
import type { Condition, Figures, GuardAction, Judgement } from './condition.ts';
import type { RampPlan, RampRun } from './ramp-plan.ts';
import type { Counts, FailureKind } from './slot.ts';

export interface GuardAuthor {
  readonly actor: string;
  readonly reason: string;
}

/** The record of one trip. */
export interface Trip {
  /** UUID. */
  readonly id: string;
  readonly cohort: string;
  /** The condition as it was. */
  readonly condition: Condition;
  readonly action: GuardAction;
  readonly path: 'overwhelming' | 'windows';
  readonly figures: Figures;
  readonly stage: Stage;
  /** When the first of the failures that tripped it was counted, as far as its slots tell. */
  readonly firstBadAt: Date | undefined;
  readonly trippedAt: Date;
  /** The change that went back; `undefined` for other actions, and until it is open. */
  readonly change: string | undefined;
  /** When the change was in force everywhere. */
  readonly inForceAt: Date | undefined;
  /** In words, when the cohort did not go back: why not. It is tried again until it does. */
  readonly note: string | undefined;
  readonly clearedAt: Date | undefined;
  readonly clearedBy: string | undefined;
  readonly notifiedAt: Date | undefined;
}

/** `armed`: judged. `idle`: nobody is served by `new`. `tripped`: goes nowhere until a person clears it. `cooling`: a warning is not repeated yet. */
export type GuardPhase = 'armed' | 'idle' | 'tripped' | 'cooling';

/** One backend in the last seconds, for charts and people. */
export interface SideRates {
  /** One second each, oldest first, the last 120 at most; a second without counts is absent. */
  readonly seconds: readonly {
    readonly second: number;
    readonly requests: number;
    readonly failed: number;
    readonly meanLatencyMs: number | undefined;
    readonly p50LatencyMs: number | undefined;
    readonly p99LatencyMs: number | undefined;
  }[];
  /** Of the guard's window. */
  readonly window: Omit<Counts, 'latency'>;
  readonly kinds: Readonly<Partial<Record<FailureKind, number>>>;
}

export interface CohortGuard {
  readonly cohort: string;
  readonly stage: Stage;
  readonly phase: GuardPhase;
  readonly judgements: readonly Judgement[];
  /** The trip that holds it, or the latest one. */
  readonly trip: Trip | undefined;
  readonly ramp: RampRun | undefined;
  readonly legacy: SideRates;
  readonly new: SideRates;
  readonly mirrorBacklog: number | undefined;
}

export interface DryRunRequest {
  readonly cohort: string;
  readonly from: Date;
  /** At most 14 days after `from`. */
  readonly to: Date;
  /** `undefined`: those in force. */
  readonly conditions: readonly Condition[] | undefined;
}

export interface DryRun {
  readonly cohort: string;
  readonly conditions: readonly Condition[];
  /** Of how many seconds of the time there are counts. */
  readonly slots: number;
  readonly from: Date | undefined;
  readonly to: Date | undefined;
  /** At most 1,000; after each one the condition is quiet for the cooldown. */
  readonly trips: readonly {
    readonly at: Date;
    readonly condition: string;
    readonly path: 'overwhelming' | 'windows';
    readonly figures: Figures;
  }[];
}

/** The cohort tripped, and a person has to clear it first. */
export class GuardTrippedError extends Error {
  override readonly name = 'GuardTrippedError';
  readonly trip: string;
  constructor(cohort: string, trip: string) {
    super(`the guard took cohort ${cohort} back: clear trip ${trip} before it goes live again`);
    this.trip = trip;
  }
}

/** The request makes no sense as things are; the message says why and what to do. */
export class GuardRefusedError extends Error {
  override readonly name = 'GuardRefusedError';
}

export interface GuardControl {
  /** Of every cohort, in the order of the map. Without I/O but for trips and ramps. */
  status(cohort?: string): Promise<readonly CohortGuard[]>;
  /** Newest first. @param before the id of the last one of the page before @param limit 1 to 500 */
  trips(before: string | undefined, limit: number, cohort?: string): Promise<readonly Trip[]>;
  trip(id: string): Promise<Trip | undefined>;
  /** A person has seen to it: the cohort may go live again. @throws GuardRefusedError when nothing is tripped */
  clear(cohort: string, author: GuardAuthor): Promise<Trip>;
  /** @throws GuardRefusedError for a period of over 14 days */
  dryRun(request: DryRunRequest): Promise<DryRun>;

  /** @throws GuardRefusedError when one is under way, or the plan does not fit the cohort; GuardTrippedError */
  startRamp(cohort: string, plan: RampPlan, author: GuardAuthor): Promise<RampRun>;
  pauseRamp(cohort: string, author: GuardAuthor): Promise<RampRun>;
  resumeRamp(cohort: string, author: GuardAuthor): Promise<RampRun>;
  /** Ends the plan; the cohort stays where it is. */
  abortRamp(cohort: string, author: GuardAuthor): Promise<RampRun>;
  /** Lets a plan that waits for a person take its next step, once its bake time is over and its gates are met. */
  approveRamp(cohort: string, author: GuardAuthor): Promise<RampRun>;
  /** Newest first, ended ones too. */
  ramps(cohort: string, limit: number): Promise<readonly RampRun[]>;

  /** Called after each tick in which something was judged. @returns stops it */
  onTick(listener: () => void): () => void;
  close(): Promise<void>;
}

/** Who a user-visible failure belongs to; used where fallback reads are counted. */
export type FallbackOutcome = 'served' | 'failed' | 'over-budget' | 'dirty' | 'unknown';
