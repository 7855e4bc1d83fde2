/**
 * What the reports need of the record. The storage room keeps it, on Postgres and embedded. Times are moments of the
 * caller's clock, in milliseconds since 1970, so that the record's clock decides nothing.
 */

import type { DifferenceKind } from '../comparison/difference.ts';
import type { RulesWritten } from '../comparison/rules-written.ts';
import type { Backend } from '../model.ts';
import type { ShadowVerdict } from '../shadow/report-sink.ts';
import type { Sample } from './sample.ts';

export const GROUP_STATUSES = ['open', 'acknowledged', 'ignored', 'resolved'] as const;
export type GroupStatus = (typeof GROUP_STATUSES)[number];

/** Stands for requests without a cohort where a cohort is named. */
export const NO_COHORT = '';

/** Where reads of more routes and cohorts than are counted one by one are counted. */
export const OTHER = '*other';

/** Reads of one route, cohort and direction that were compared. */
export interface PairCounts {
  readonly route: string;
  /** `NO_COHORT` for none. */
  readonly cohort: string;
  readonly authoritative: Backend;
  readonly compared: number;
  readonly matched: number;
  /** Of those that matched, the ones that needed a rule. */
  readonly covered: number;
  readonly transient: number;
  readonly confirmed: number;
  readonly flapping: number;
  readonly unconfirmed: number;
  /** A `LatencySketch`; empty for none. */
  readonly latency: Uint8Array;
}

/**
 * Everything else that is counted by route and cohort. `what`: `noise_reads`, `noise_differing`, `ungrouped` (reads with
 * a difference for which no group was kept), or `skip:` and the reason.
 */
export interface SideCounts {
  readonly route: string;
  readonly cohort: string;
  readonly what: string;
  readonly count: number;
}

/** What one process adds to one group. */
export interface GroupDelta {
  readonly id: string;
  readonly signature: string;
  readonly route: string;
  readonly kind: DifferenceKind;
  readonly pattern: string;
  /** The types of the two sides, `string>number`; of a status, the statuses. */
  readonly types: string;
  readonly weight: number;
  readonly raw: number;
  readonly confirmed: number;
  readonly transient: number;
  readonly flapping: number;
  readonly unconfirmed: number;
  readonly noise: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly lastConfirmed: number | undefined;
  /** Reads of the route that were compared, and repeated for noise, since the first of these, and are in the record. */
  readonly comparedBefore: number;
  readonly noiseReadsBefore: number;
  /** A `UserSketch`; empty for none. */
  readonly users: Uint8Array;
  readonly cohorts: CohortSpread;
}

/** By cohort, how often a group was seen there. */
export type CohortSpread = Readonly<Record<string, CohortCounts>>;
export interface CohortCounts {
  readonly raw: number;
  readonly confirmed: number;
  readonly noise: number;
}

export interface NewSample {
  readonly group: string;
  readonly at: number;
  readonly expiresAt: number;
  readonly verdict: ShadowVerdict;
  readonly sample: Uint8Array;
}

/** What one process has gathered since the last time. Applied whole or not at all, and once. */
export interface ReportBatch {
  readonly process: string;
  /** Counts up from 1 in each process; a batch that is repeated has its old number and changes nothing. */
  readonly sequence: number;
  readonly at: number;
  readonly pairs: readonly PairCounts[];
  readonly sides: readonly SideCounts[];
  /** At most `GROUPS_A_FLUSH`. */
  readonly groups: readonly GroupDelta[];
  readonly samples: readonly NewSample[];
}

export interface ReportBounds {
  readonly groupsMax: number;
  readonly samplesEachGroupMax: number;
  /** Of all samples together, as stored. */
  readonly sampleBytesMax: number;
  /** Rows of counts: beyond, the oldest hours are folded into days early, then the oldest days go. */
  readonly countRowsMax: number;
  readonly hourlyMs: number;
  readonly dailyMs: number;
  /** Entries of the audit of groups. */
  readonly eventsMax: number;
}

const DAY_MS = 86_400_000;

export const REPORT_BOUNDS: ReportBounds = Object.freeze({
  groupsMax: 5_000,
  samplesEachGroupMax: 5,
  sampleBytesMax: 256 * 1024 * 1024,
  countRowsMax: 500_000,
  hourlyMs: 90 * DAY_MS,
  dailyMs: 730 * DAY_MS,
  eventsMax: 100_000,
});

export interface BatchOutcome {
  /** New groups for which there was no room. */
  readonly refusedGroups: readonly string[];
  readonly refusedSamples: number;
  /** Of the groups of which the batch had samples, how many they have now. */
  readonly samples: ReadonlyMap<string, number>;
  /** Resolved ones that came back. */
  readonly reopened: readonly string[];
}

/** A group as the record has it. */
export interface GroupRow extends Omit<GroupDelta, 'comparedBefore' | 'noiseReadsBefore'> {
  /** Reads of the route that were compared, and repeated for noise, since its counts began. */
  readonly compared: number;
  readonly noiseReads: number;
  /** When its counts began: when it was first seen, or last reopened. */
  readonly countedFrom: number;
  readonly status: GroupStatus;
  readonly statusSince: number;
  readonly ignoredUntil: number | undefined;
  readonly owner: string | undefined;
  readonly note: string | undefined;
  readonly reopened: number;
  readonly reopenedAt: number | undefined;
  readonly samples: number;
}

export interface StoredSample {
  readonly at: number;
  readonly expiresAt: number;
  readonly verdict: ShadowVerdict;
  readonly sample: Sample;
}

export interface GroupEvent {
  readonly at: number;
  readonly actor: string;
  readonly action: GroupAction['action'] | 'reopened' | 'ignore_ended' | 'verify';
  readonly from: GroupStatus;
  readonly to: GroupStatus;
  readonly detail: string | undefined;
}

/** What a person does with a group. */
export type GroupAction =
  | { readonly action: 'acknowledge'; readonly owner?: string; readonly note?: string }
  | { readonly action: 'assign'; readonly owner: string | undefined; readonly note?: string }
  | { readonly action: 'ignore'; readonly until: number; readonly note?: string }
  | { readonly action: 'resolve'; readonly note?: string }
  | { readonly action: 'reopen'; readonly note?: string };

/** The next compared reads of a route are to say whether a group is gone. */
export interface Watch {
  readonly armedAt: number;
  readonly actor: string;
  /** Reads of the route that were compared since. */
  readonly reads: number;
  /** Of those, the ones with the difference. */
  readonly seen: number;
}

export interface StoredRules {
  readonly route: string;
  /** One number for all routes; grows with each change. */
  readonly version: number;
  /** `undefined`: the configuration's are in force again. */
  readonly rules: RulesWritten | undefined;
  readonly actor: string;
  readonly reason: string;
  readonly at: number;
}

/** Of one route and cohort over some time. */
export interface CoverageRow {
  readonly route: string;
  readonly cohort: string;
  readonly pairs: readonly PairCounts[];
  /** By `what`, see `SideCounts`. */
  readonly sides: ReadonlyMap<string, number>;
}

/** Everything that was ever compared of one route and cohort. */
export interface ComparisonTotal {
  readonly route: string;
  readonly cohort: string;
  readonly compared: number;
  readonly noiseReads: number;
}

/** The counts of one hour, or of one day where hours were folded. */
export interface CountedReads {
  readonly at: number;
  readonly route: string;
  readonly compared: number;
  readonly noiseReads: number;
}

export interface ReportStore {
  /** 32 bytes, the same for every process on this record; made by whoever asks first. Hashes users for counting. */
  reportKey(): Promise<Uint8Array>;
  /** One transaction. */
  applyReportBatch(batch: ReportBatch, bounds: ReportBounds): Promise<BatchOutcome>;
  /**
   * Throws away what is expired, folds old hours, ends ignores; a bounded piece of each.
   * @returns whether it was due, and nobody else did it within `everyMs`
   */
  reportUpkeep(at: number, everyMs: number, bounds: ReportBounds): Promise<boolean>;
  /** By status in effect at that moment. */
  countMismatchGroups(at: number): Promise<ReadonlyMap<GroupStatus, number>>;

  /** Every group: there are no more than `groupsMax`. @param route, cohort of these only */
  listMismatchGroups(at: number, route?: string, cohort?: string): Promise<readonly GroupRow[]>;
  readMismatchGroup(at: number, id: string): Promise<GroupRow | undefined>;
  /** Not expired ones, newest first. */
  mismatchSamples(at: number, group: string): Promise<readonly StoredSample[]>;
  /** Of every group of a route, with the group's id. At most `limit`, a few of each group. */
  mismatchSamplesOf(
    at: number,
    route: string,
    limit: number,
  ): Promise<readonly (StoredSample & { readonly group: string })[]>;
  /** Newest first, at most `limit`. */
  mismatchEvents(group: string, limit: number): Promise<readonly GroupEvent[]>;
  /** @returns the group as it is now; `undefined` if there is none */
  changeMismatchGroup(
    id: string,
    at: number,
    actor: string,
    action: GroupAction,
  ): Promise<GroupRow | undefined>;
  /** Adds to the audit without changing the group. */
  noteMismatchEvent(id: string, at: number, actor: string, action: 'verify', detail: string): Promise<void>;
  /** Begins a watch, or begins it anew. */
  armMismatchWatch(id: string, at: number, actor: string): Promise<void>;
  mismatchWatch(id: string): Promise<Watch | undefined>;

  /** By route and cohort, from `from` to before `to`; hours that were folded count where their day begins. */
  coverageCounts(from: number, to: number, cohort?: string): Promise<readonly CoverageRow[]>;
  comparisonTotals(): Promise<readonly ComparisonTotal[]>;
  /** Of one cohort, by hour and route, oldest first. */
  countedReads(cohort: string, from: number): Promise<readonly CountedReads[]>;

  /** Grows with each change of rules; 0 before the first. */
  comparisonRulesVersion(): Promise<number>;
  /** The latest of each route. */
  comparisonRules(): Promise<readonly StoredRules[]>;
  /** Newest first, at most `limit`. */
  comparisonRulesHistory(route: string, limit: number): Promise<readonly StoredRules[]>;
  /**
   * @param rules `undefined`: back to the configuration's
   * @param expectedVersion the version that the caller has seen; with another one in force nothing is saved
   * @returns the version in force then
   */
  saveComparisonRules(
    route: string,
    rules: RulesWritten | undefined,
    at: number,
    actor: string,
    reason: string,
    expectedVersion?: number,
  ): Promise<{ readonly isSaved: boolean; readonly version: number }>;
}

/** Rows of groups in one batch: what bounds the rate at which the record is written. */
export const GROUPS_A_FLUSH = 500;
