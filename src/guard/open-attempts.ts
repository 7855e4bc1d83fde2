/**
 * The attempts that have no answer yet, in the order in which they were sent: so that those which have waited for too
 * long stand in front, and one look at each tick finds them all, without a timer for a request.
 */
import type { ErrorCode } from '../errors.ts';
import { failureKind } from './failure-kind.ts';
import type { SideCounts } from './side-counts.ts';
import { type FailureKind, TICK_MS } from './slot.ts';

/** Timers of a process that is there come so much later at most, milliseconds. */
const LATE_MS = 50;

export interface CountingSettings {
  /** Which kinds count as failed. The others are told by kind only. */
  readonly failures: readonly FailureKind[];
  /** At which age a request without an answer counts as stalled, milliseconds. */
  readonly stalledAfterMs: number;
}

/**
 * `open`: stands in the list. `stalled`: was counted as stalled, and waits on. `uploading`: its client is still sending
 * the body. `counted`: as a request; its answer may still break off. `done`: nothing is expected.
 */
type AttemptState = 'open' | 'stalled' | 'uploading' | 'counted' | 'done';

export class OpenAttempts {
  settings: CountingSettings;
  readonly #clock: () => number;
  /** What this process has not had of the clock's time: it was paused, or busy with something else. */
  #lostMs = 0;
  #tickedMs = Number.POSITIVE_INFINITY;
  #first: Attempt | undefined;
  #last: Attempt | undefined;

  constructor(settings: CountingSettings, now: () => number) {
    this.settings = settings;
    this.#clock = now;
  }

  /** Of the process's own time, which stands still while the process does: no backend is slow because its gateway is. */
  now(): number {
    return this.ownTime(this.#clock());
  }

  /**
   * Never goes back. Behind a pause, answers are read before the tick that is late: it stands still for them too.
   *
   * @param nowMs of the clock
   */
  ownTime(nowMs: number): number {
    return Math.min(nowMs, this.#tickedMs + TICK_MS + LATE_MS) - this.#lostMs;
  }

  /**
   * The tick that is due `TICK_MS` after the one before. What it comes too late, this process was not there. A `sweep` may
   * come between two ticks: it is none.
   */
  ticked(): void {
    const nowMs = this.#clock();
    this.#lostMs += Math.max(0, nowMs - this.#tickedMs - TICK_MS - LATE_MS);
    this.#tickedMs = nowMs;
  }

  append(attempt: Attempt): void {
    const last = this.#last;
    attempt.previous = last;
    if (last === undefined) this.#first = attempt;
    else last.next = attempt;
    this.#last = attempt;
  }

  remove(attempt: Attempt): void {
    const { previous, next } = attempt;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    attempt.previous = undefined;
    attempt.next = undefined;
  }

  /** Counts those as stalled that have come of age. Each is looked at once. */
  sweep(): void {
    const bornBeforeMs = this.now() - this.settings.stalledAfterMs;
    let attempt = this.#first;
    while (attempt !== undefined && attempt.sentMs <= bornBeforeMs) {
      attempt.stall();
      attempt = this.#first;
    }
  }
}

/** One sending of a request. Keeps the promises of `CountedAttempt` in the intake. */
export class Attempt {
  readonly #attempts: OpenAttempts;
  readonly #side: SideCounts;
  readonly #group: number;
  #state: AttemptState = 'open';
  sentMs: number;
  previous: Attempt | undefined = undefined;
  next: Attempt | undefined = undefined;

  constructor(attempts: OpenAttempts, side: SideCounts, group: number, sentMs: number) {
    this.#attempts = attempts;
    this.#side = side;
    this.#group = group;
    this.sentMs = sentMs;
    attempts.append(this);
  }

  uploading(): void {
    if (this.#state !== 'open') return;
    this.#attempts.remove(this);
    this.#state = 'uploading';
  }

  sent(): void {
    if (this.#state !== 'uploading') return;
    this.#state = 'open';
    this.sentMs = this.#attempts.now();
    this.#attempts.append(this);
  }

  answered(status: number): void {
    if (this.#isCounted) return;
    this.#count();
    if (status >= 500) this.#fail('status');
  }

  over(code: ErrorCode | undefined): void {
    if (this.#state === 'done') return;
    if (!this.#isCounted) this.#count();
    const kind = code === undefined ? undefined : failureKind(code);
    if (kind !== undefined) this.#fail(kind);
    this.#state = 'done';
  }

  get #isCounted(): boolean {
    return this.#state === 'counted' || this.#state === 'done';
  }

  /** For the list: it is of age. */
  stall(): void {
    this.#attempts.remove(this);
    this.#state = 'stalled';
    this.#side.stalled(this.#group);
  }

  #count(): void {
    const attempts = this.#attempts;
    const ms = attempts.now() - this.sentMs;
    // Of age, and not seen by a sweep yet.
    if (this.#state === 'open' && ms >= attempts.settings.stalledAfterMs) this.stall();
    const isLate = this.#state === 'stalled';
    if (this.#state === 'open') attempts.remove(this);
    this.#state = 'counted';
    this.#side.request(this.#group, ms, isLate);
  }

  /** A request fails once. */
  #fail(kind: FailureKind): void {
    this.#state = 'done';
    this.#side.failure(this.#group, kind, this.#attempts.settings.failures.includes(kind));
  }
}
