/**
 * What gateways count of their requests to the backends, second by second. Pure: the shapes that the counting, the
 * sums over gateways, the record of two weeks and the judgement have in common.
 */

import type { Bins } from './latency-bins.ts';

/** How often a gateway tells its counts and everybody judges, milliseconds; more often for a while after bad news. */
export const TICK_MS = 250;

/**
 * Into how many groups users are hashed. A condition has to hold without the worst of them too, so that one user whose
 * requests all fail moves nobody else.
 */
export const USER_GROUPS = 16;

/** Bins of latency in an octave: each is 9 % wide. */
export const BINS_PER_OCTAVE = 8;

/** The last bin begins at about 17 minutes; what is longer is counted there. Bin 0 is all below 1 ms. */
export const BINS_MAX = 161;

/** Counts of one user group, one gateway, or all of them. Of requests that were sent to one backend. */
export interface Counts {
  /** That are over, or whose answer has begun. */
  readonly requests: number;
  /** Of those: failed in one of the kinds that the configuration names. */
  readonly failed: number;
  /** That reached the age of `guard.meanLatencyMs` without an answer, at the moment at which they reached it. */
  readonly stalled: number;
  /** Of `requests`: had been counted as stalled before. */
  readonly late: number;
  /** Reads that were compared with the other backend's answer; counted at the backend `new`. */
  readonly compared: number;
  /** Confirmed mismatches; counted at the backend `new`. */
  readonly mismatched: number;
  /**
   * Milliseconds from the sending to the head of the answer, or to the moment at which it was given up: requests by
   * bin. Sums to `requests`.
   */
  readonly latency: Bins;
}

/** Why a request to a backend failed. */
export const FAILURE_KINDS = ['connect', 'timeout', 'reset', 'status', 'overload'] as const;
/** `status`: 5xx. `reset`: a connection lost, before or in the answer. `overload`: the gateway's own queue to it is full. */
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** One backend's part of a slot. The same requests, divided in two ways. */
export interface SideSlot {
  /** By number of the user group, `USER_GROUPS` at most; a group without requests may be absent. */
  readonly byGroup: ReadonlyMap<number, Counts>;
  /** By id of the gateway. */
  readonly byGateway: ReadonlyMap<string, Counts>;
  /** Failed requests by kind, also of kinds that the configuration does not count as failed. */
  readonly kinds: Readonly<Partial<Record<FailureKind, number>>>;
}

/** One cohort's second. */
export interface Slot {
  /** Seconds of the clock that stamps the gateways' counts as they come in: Redis's, or the process's own. */
  readonly second: number;
  readonly legacy: SideSlot;
  readonly new: SideSlot;
  /** Writes that wait to be mirrored; `undefined` where nobody knows. */
  readonly mirrorBacklog: number | undefined;
}

export const NO_COUNTS: Counts = Object.freeze({
  requests: 0,
  failed: 0,
  stalled: 0,
  late: 0,
  compared: 0,
  mismatched: 0,
  latency: new Map<number, number>(),
});

/** @param ms 0 or more */
export function latencyBin(ms: number): number {
  if (!(ms >= 1)) return 0;
  return Math.min(BINS_MAX - 1, 1 + Math.floor(Math.log2(ms) * BINS_PER_OCTAVE));
}

/** The least latency that falls into the bin, milliseconds. What is judged by it is never judged too slow. */
export function binFloorMs(bin: number): number {
  return bin === 0 ? 0 : 2 ** ((bin - 1) / BINS_PER_OCTAVE);
}
