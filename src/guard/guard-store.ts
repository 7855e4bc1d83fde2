/**
 * What the guard needs of the record. The storage room keeps these promises, on Postgres and embedded. Every call is one
 * transaction. All moments are of the record's one clock; what lies between two of them is given as elapsed time, so
 * that it can be used beside another clock.
 */
import type { Cohort, Ramp, Stage } from '../model.ts';
import type { Condition, Figures, GuardAction } from './condition.ts';
import type { GuardAuthor, Trip } from './guard-control.ts';
import type { HookEvent } from './guard-settings.ts';
import type { RampPlan, RampRun, RampStatus } from './ramp-plan.ts';

/** A cohort that is there, in the order of the rules. */
export interface WatchedCohort {
  readonly cohort: Cohort;
  /** Another text with every change of its definition that came into force, and with every trip that was cleared. */
  readonly since: string;
  /** How long ago the latest of these was, milliseconds; `undefined`: there was none. */
  readonly sinceMs: number | undefined;
  /** How long ago members were last taken out, milliseconds. */
  readonly leftMs: number | undefined;
}

export interface NewTrip {
  /** UUID. */
  readonly id: string;
  readonly cohort: string;
  readonly condition: Condition;
  /** What is done about it; not the condition's own action where that cannot be done. */
  readonly action: GuardAction;
  readonly path: Trip['path'];
  readonly figures: Figures;
  readonly stage: Stage;
  /** How long ago the first of the failures was counted, milliseconds. */
  readonly firstBadMs: number | undefined;
  readonly note: string | undefined;
}

/** A trip as those who work on it see it. */
export interface TripRow extends Trip {
  /** How often its change was undone. */
  readonly attempt: number;
}

export interface NewRamp {
  /** UUID. */
  readonly id: string;
  readonly cohort: string;
  readonly plan: RampPlan;
  /** The stage in which it is walked, and the ramp that the cohort has. */
  readonly stage: Stage;
  readonly from: Ramp;
  /** The step that is in force already; -1: none. */
  readonly step: number;
}

/** A run as those who work on it see it. */
export interface RampRow extends RampRun {
  /** The stage that the cohort has to have. */
  readonly stage: Stage;
  /** The ramp that it has to have while no step is under way. */
  readonly from: Ramp;
  /** How long somebody has watched it since the step, milliseconds. */
  readonly bakedMs: number;
  /** Reads that were compared since the step, and confirmed mismatches. */
  readonly compared: number;
  readonly mismatched: number;
  /** Up to and with this second of the slots' clock; `undefined`: nothing yet. */
  readonly countedTo: number | undefined;
  /** How often the change of the next step was undone. */
  readonly attempt: number;
  /** When it began, or was last resumed. */
  readonly goesSince: Date;
}

/** What is `undefined` stays, but for `note`: it belongs to what is written with it. */
export interface RampPatch {
  readonly status?: RampStatus;
  readonly step?: number;
  readonly stage?: Stage;
  readonly from?: Ramp;
  /** The step came into force just now: what was counted begins anew. */
  readonly begins?: boolean;
  readonly resumed?: boolean;
  readonly bakedMs?: number;
  readonly compared?: number;
  readonly mismatched?: number;
  readonly countedTo?: number;
  readonly attempt?: number;
  readonly approved?: boolean;
  readonly note: string | undefined;
}

/** Something that people are to be told. */
export interface Notice {
  readonly id: string;
  readonly event: HookEvent;
  readonly cohort: string;
  readonly at: Date;
  /** What it is about, as it is now. */
  readonly trip: Trip | undefined;
  /** As it was then. */
  readonly ramp: RampRun | undefined;
  /** How often somebody has begun to tell it, this time included. */
  readonly takes: number;
}

export interface GuardStore {
  guardCohorts(): Promise<readonly WatchedCohort[]>;

  /**
   * Notes a trip: the compare-and-set of the guard. @param tell whether people are to be told
   * @returns `undefined` when the cohort has an uncleared rollback, or, for another action, when the same condition has
   *   acted in it and is not to be repeated yet
   */
  addTrip(trip: NewTrip, tell: boolean): Promise<TripRow | undefined>;
  /** Notes what became of it, while it is at that attempt, not in force and not cleared. @returns whether it was so */
  noteTrip(
    id: string,
    attempt: number,
    patch: { readonly change?: string; readonly note?: string },
  ): Promise<boolean>;
  /** Its change was undone: the next attempt has another key. @returns the trip; `undefined` when it is elsewhere */
  retryTrip(id: string, attempt: number, note: string): Promise<TripRow | undefined>;
  /** The cohort is back everywhere, since then or since now. Once. @returns whether this call did it */
  settleTrip(id: string, at: Date | undefined, note: string | undefined, tell: boolean): Promise<boolean>;
  /** It cannot go back: from now on a trip that holds. @returns whether this call did it */
  holdInstead(id: string, note: string): Promise<boolean>;
  /** Ends warnings and holds that are older than the cooldown: the next one is told again. */
  endQuietTrips(cooldownMs: number): Promise<void>;
  /** Uncleared rollbacks, and warnings and holds that are not repeated yet. */
  openTrips(): Promise<readonly TripRow[]>;
  /** The latest one of each cohort that is there. */
  latestTrips(): Promise<readonly TripRow[]>;
  /** The uncleared rollback of a cohort. */
  heldBy(cohort: string): Promise<string | undefined>;
  /** Newest first. @param limit 1 to 500 @throws RangeError for a `before` that does not exist */
  listTrips(before: string | undefined, limit: number, cohort?: string): Promise<readonly TripRow[]>;
  readTrip(id: string): Promise<TripRow | undefined>;
  /** Clears what is open in the cohort, and adds it to the audit. @returns the latest one; `undefined`: nothing was open */
  clearTrips(cohort: string, author: GuardAuthor, tell: boolean): Promise<TripRow | undefined>;

  /** @returns `undefined` when one is under way, or an uncleared rollback holds the cohort */
  addRamp(ramp: NewRamp, author: GuardAuthor, tell: boolean): Promise<RampRow | undefined>;
  /** Changes a run that is at that version. @param by whose order it is; audited @returns `undefined` when it is not */
  changeRamp(
    id: string,
    version: number,
    patch: RampPatch,
    tell: boolean,
    by?: GuardAuthor,
  ): Promise<RampRow | undefined>;
  /** Not over. */
  openRamps(): Promise<readonly RampRow[]>;
  /** Newest first. @param limit 1 to 500 */
  listRamps(cohort: string, limit: number): Promise<readonly RampRow[]>;

  /** Takes what nobody is telling, the oldest first: not taken, or taken so long ago and not told. */
  takeNotices(limit: number, silentMs: number): Promise<readonly Notice[]>;
  /** It was told, or given up: with what came of it. */
  endNotice(id: string, outcome: string): Promise<void>;
  /** Throws away old ones. */
  pruneNotices(olderMs: number): Promise<void>;
}
