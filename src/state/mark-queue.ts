/**
 * Marks that Redis has and that are still to be noted in the record. That happens behind the requests, in batches;
 * then they leave Redis.
 *
 * While a mark waits here, a Redis that loses it does no harm: this gateway notes it. So a gateway does not say that
 * a hold has drained before the marks of its cohort have left this queue.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Mark, MarkStore } from '../cutover/write-marks-store.ts';
import type { User } from '../model.ts';
import { markMember } from './mark-member.ts';

export interface MarkQueueOptions {
  readonly store: Pick<MarkStore, 'addMarks'>;
  /** Takes marks out of Redis, if it answers. */
  readonly forget: (marks: readonly Mark[]) => Promise<void>;
  readonly log: Logger;
  /** Bound on marks that wait. */
  readonly waitingMax?: number;
}

const WAITING_MAX = 200_000;
const BATCH_MAX = 500;
const GATHER_MS = 100;
const RETRY_MS = 1_000;
/** How soon somebody who waits for the queue is served. */
const URGENT_MS = 2;

function change<K>(counts: Map<K, number>, key: K, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

export class MarkQueue {
  readonly #options: MarkQueueOptions;
  readonly #waitingMax: number;
  /** In the order in which they came. */
  readonly #waiting = new Map<string, Mark>();
  #underWay: readonly Mark[] = [];
  readonly #byCohort = new Map<string | undefined, number>();
  readonly #byUser = new Map<User, number>();
  #unplaced = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #watching: (() => void)[] = [];
  #closed = false;
  /** Given up here because the record was away for too long: Redis alone has them, until somebody collects them. */
  dropped = 0;

  constructor(options: MarkQueueOptions) {
    this.#options = options;
    this.#waitingMax = options.waitingMax ?? WAITING_MAX;
  }

  /** Those that are on their way to the record included. */
  get waiting(): number {
    return this.#waiting.size + this.#underWay.length;
  }

  /** Of users who had no membership, in whatever cohort. */
  get unplaced(): number {
    return this.#unplaced;
  }

  /** @param cohort `undefined` for pinned users */
  ofCohort(cohort: string | undefined): number {
    return this.#byCohort.get(cohort) ?? 0;
  }

  ofUser(user: User): number {
    return this.#byUser.get(user) ?? 0;
  }

  add(mark: Mark): void {
    const member = markMember(mark);
    if (this.#waiting.has(member)) return;
    if (this.#waiting.size >= this.#waitingMax) {
      // A tenth at a time, so that a long outage does not write a line for each user.
      const dropped = this.#take(Math.ceil(this.#waitingMax / 10));
      for (const each of dropped) this.#count(each, -1);
      this.dropped += dropped.length;
      this.#options.log.error(
        { event: 'marks_dropped', dropped: dropped.length, total: this.dropped },
        'marks of writes are in Redis only: the record has been unreachable for too long',
      );
    }
    this.#waiting.set(member, mark);
    this.#count(mark, 1);
    this.#schedule(this.#watching.length > 0 ? URGENT_MS : GATHER_MS);
  }

  #count({ user, cohort, unplaced }: Mark, by: 1 | -1): void {
    change(this.#byCohort, cohort, by);
    change(this.#byUser, user, by);
    if (unplaced) this.#unplaced += by;
  }

  #take(count: number): Mark[] {
    const taken: Mark[] = [];
    for (const [member, mark] of this.#waiting) {
      if (taken.length === count) break;
      taken.push(mark);
      this.#waiting.delete(member);
    }
    return taken;
  }

  /**
   * Hurries, and resolves when some of what waits has been noted. Never rejects, and may take as long as the record
   * is away.
   */
  noted(): Promise<void> {
    if (this.waiting === 0) return Promise.resolve();
    const noted = new Promise<void>((resolve) => this.#watching.push(resolve));
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#schedule(URGENT_MS);
    return noted;
  }

  #schedule(ms: number): void {
    if (this.#closed || this.#flushing !== undefined) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#begin();
    }, ms).unref();
  }

  #begin(): void {
    this.#flushing ??= this.#flush().then((done) => {
      this.#flushing = undefined;
      if (!done) this.#schedule(RETRY_MS);
      else if (this.#waiting.size > 0) this.#schedule(GATHER_MS);
    });
  }

  /** Whether nothing was left. */
  async #flush(): Promise<boolean> {
    while (this.#waiting.size > 0) if (!(await this.#flushBatch())) return false;
    return true;
  }

  async #flushBatch(): Promise<boolean> {
    const { store, forget, log } = this.#options;
    const batch = this.#take(BATCH_MAX);
    this.#underWay = batch;
    try {
      await store.addMarks(batch);
    } catch (err) {
      for (const mark of batch) {
        const member = markMember(mark);
        // Added again meanwhile: one of the two counts.
        if (this.#waiting.has(member)) this.#count(mark, -1);
        else this.#waiting.set(member, mark);
      }
      log.warn({ err, event: 'marks_delayed', waiting: this.#waiting.size }, 'marks wait for the record');
      return false;
    } finally {
      this.#underWay = [];
    }
    for (const mark of batch) this.#count(mark, -1);
    const watching = this.#watching;
    this.#watching = [];
    for (const resolve of watching) resolve();
    // One that stays there is collected by somebody, which changes nothing.
    await forget(batch).catch(() => undefined);
    return true;
  }

  /** Makes a last attempt of up to `ms`; what is left then is in Redis. */
  async close(ms: number): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    const last = (this.#flushing ?? Promise.resolve()).then(() => this.#flush());
    await Promise.race([last, sleep(ms, undefined, { ref: false })]);
  }
}
