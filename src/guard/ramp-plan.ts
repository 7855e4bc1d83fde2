/** A plan by which a cohort's ramp grows, as types. Pure. */
import type { Ramp } from '../model.ts';

/** What must be shown before a step is taken. `undefined`: does not matter. No data is never enough. */
export interface RampGates {
  /** Every condition of the guard that applies is `healthy` or, with `guard: 'not-tripped'`, not tripped. */
  readonly guard: 'healthy' | 'not-tripped' | undefined;
  /** Upper confidence bound of the share of confirmed mismatches, 0 to 1, since the step before. */
  readonly mismatchShareMax: number | undefined;
  /** Reads compared since the step before. */
  readonly comparedMin: number | undefined;
  /** Writes that wait to be mirrored. */
  readonly mirrorBacklogMax: number | undefined;
}

export interface RampStep {
  readonly ramp: Ramp;
  /** How long the cohort stays there before its gates are looked at, milliseconds. */
  readonly bakeMs: number;
}

export interface RampPlan {
  /** 1 to 100, each larger than the one before. */
  readonly steps: readonly RampStep[];
  readonly gates: RampGates;
  /** Or a person lets it take each step. */
  readonly automatic: boolean;
}

/**
 * `baking`: the step is in force and its time not over. `gated`: it is over and a gate not met. `waiting`: for a person.
 * `stepping`: the next step's change is under way. `paused`: by a person, or by the guard's `hold`.
 */
export type RampStatus = 'baking' | 'gated' | 'waiting' | 'stepping' | 'paused' | 'done' | 'aborted';

export interface RampRun {
  /** UUID. */
  readonly id: string;
  readonly cohort: string;
  readonly plan: RampPlan;
  readonly status: RampStatus;
  /** 0-based: the step that is in force; -1 before the first. */
  readonly step: number;
  /** When the step came into force. */
  readonly stepAt: Date | undefined;
  /** Why it stands where it stands, for people: gates that are not met, who paused it, why it was aborted. */
  readonly note: string | undefined;
  /** A person has let the next step be taken. */
  readonly approved: boolean;
  readonly actor: string;
  readonly reason: string;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  /** Raised with every update; whoever updates names the one it knows. */
  readonly version: number;
}
