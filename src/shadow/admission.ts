/**
 * Lets work in while there is room for it: so many reads at a time, a queue of twice that, and nothing while the
 * process or the backend has trouble of its own. What is not let in is told why.
 */
import type { Backend } from '../model.ts';
import type { ShadowSkip } from './report-sink.ts';

/** Something that sends one read or two. */
export interface Job {
  /** Whom it reads from: one backend, or both. */
  readonly from: readonly Backend[];
  /** Its deadline counts from here: the time of its admission, or earlier. Milliseconds. */
  readonly sinceMs: number;
  /** @param leftMs what is left of its deadline. Never rejects. */
  run(leftMs: number): Promise<void>;
  skip(reason: ShadowSkip): void;
}

export interface AdmissionParts {
  readonly bounds: () => { readonly concurrencyMax: number; readonly deadlineMs: number };
  /** Why nothing may be sent to this backend now, if so. */
  readonly trouble: (backend: Backend) => ShadowSkip | undefined;
  readonly now: () => number;
}

/** Jobs that wait, for each that may run. */
const QUEUE_FACTOR = 2;

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #queue: Job[] = [];
  readonly #running = new Set<Promise<void>>();
  #reads = 0;
  #stopped = false;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Reads that are under way. */
  get reads(): number {
    return this.#reads;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Runs the job, now or in its turn, or skips it. */
  submit(job: Job): void {
    const { concurrencyMax } = this.#parts.bounds();
    const trouble = this.#troubleOf(job);
    if (trouble !== undefined) job.skip(trouble);
    else if (this.#queue.length === 0 && this.#fits(job)) this.#start(job);
    else if (this.#queue.length < QUEUE_FACTOR * concurrencyMax) this.#queue.push(job);
    else job.skip('queue_full');
  }

  /** Skips what waits, and whatever comes from now on. */
  stop(): void {
    this.#stopped = true;
    for (const job of this.#queue.splice(0)) job.skip('stopping');
  }

  /** Resolves when nothing is under way. After `stop`. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #troubleOf({ from }: Job): ShadowSkip | undefined {
    if (this.#stopped) return 'stopping';
    for (const backend of from) {
      const trouble = this.#parts.trouble(backend);
      if (trouble !== undefined) return trouble;
    }
    return undefined;
  }

  /** A job of two reads fits where one read is allowed: it would never run otherwise. */
  #fits({ from }: Job): boolean {
    return this.#reads === 0 || this.#reads + from.length <= this.#parts.bounds().concurrencyMax;
  }

  #start(job: Job): void {
    this.#reads += job.from.length;
    const { deadlineMs } = this.#parts.bounds();
    const leftMs = deadlineMs - (this.#parts.now() - job.sinceMs);
    const running = job.run(leftMs).finally(() => {
      this.#running.delete(running);
      this.#reads -= job.from.length;
      this.#next();
    });
    this.#running.add(running);
  }

  #next(): void {
    for (let job = this.#queue[0]; job !== undefined && this.#fits(job); job = this.#queue[0]) {
      this.#queue.shift();
      const trouble = this.#troubleOf(job);
      if (trouble !== undefined) job.skip(trouble);
      else if (this.#parts.now() - job.sinceMs >= this.#parts.bounds().deadlineMs) job.skip('queue_deadline');
      else this.#start(job);
    }
  }
}
