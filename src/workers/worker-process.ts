/** One worker process, seen from the primary. */
import cluster, { type Worker } from 'node:cluster';
import { randomUUID } from 'node:crypto';
import type { Address, ConfigModel } from '../config/model.ts';
import type { Family } from '../telemetry/families.ts';
import type { WorkerState } from '../telemetry/worker-metrics.ts';
import type { Answer, FromWorker, Question, ToWorker } from './messages.ts';

/** Beyond its grace a worker gets this long to close its stores; then it is killed. */
const MARGIN_MS = 5_000;

/** Why a worker could not start; `code` is the system's, such as `EADDRINUSE`. */
export class WorkerStartError extends Error {
  override readonly name = 'WorkerStartError';
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

/** The worker did not answer in time, or ended before it could. */
export class WorkerSilent extends Error {
  override readonly name = 'WorkerSilent';
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * Settings of the C library's allocator, which are read when a process starts. The bodies that pass through are buffers
 * of up to 64 KiB outside of V8's heap: left alone, they are spread over an arena for each thread and hardly ever given
 * back. Measured under load, bodies of 64 KiB included, side by side: 194 MB resident without them, 175 with them.
 */
const MALLOC = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '1048576' };

export class WorkerProcess {
  /** The number of its place among the workers, as text. */
  readonly worker: string;
  /** Under which it is registered. */
  readonly gatewayId = randomUUID();
  readonly startedMs = performance.now();
  /** Rejects with `WorkerStartError` when it ends before it serves. */
  readonly ready: Promise<Address>;
  readonly exited: Promise<Exit>;
  state: Extract<WorkerState, 'starting' | 'ready' | 'draining'> | 'gone' = 'starting';
  /** The figures it last told; its final ones once it has drained. */
  families: readonly Family[] = [];
  readonly #process: Worker;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  /** Forks a process. `cluster.setupPrimary` has said which file it runs. */
  constructor(worker: string, config: ConfigModel) {
    this.worker = worker;
    this.#process = cluster.fork(MALLOC);
    this.exited = this.#followEnd();
    this.ready = this.#followStart();
    // Whoever waits for it learns of it; nobody has to.
    this.ready.catch(() => {});
    this.#send({ type: 'start', worker, gatewayId: this.gatewayId, config });
  }

  get pid(): number {
    return this.#process.process.pid ?? 0;
  }

  /** Waits for the end of the process and of what it said: its last message may come after its exit. */
  async #followEnd(): Promise<Exit> {
    const worker = this.#process;
    const ended = new Promise<Exit>((resolve) => {
      worker.once('exit', (code: number | null, signal: string | null) => resolve({ code, signal }));
      worker.on('error', () => {
        // No process at all. Of one that is there, this was a write that it did not live to read.
        if (worker.process.pid === undefined) resolve({ code: null, signal: null });
      });
    });
    const silent = new Promise<void>((resolve) => {
      if (worker.process.pid === undefined) resolve();
      worker.once('disconnect', () => resolve());
    });
    const exit = await ended;
    this.state = 'gone';
    await silent;
    for (const settle of this.#waiting.values()) {
      settle({ kind: 'failure', message: 'the worker ended', code: undefined });
    }
    return exit;
  }

  #followStart(): Promise<Address> {
    return new Promise((resolve, reject) => {
      this.#process.on('message', (message: FromWorker) => {
        switch (message.type) {
          case 'ready':
            if (this.state === 'starting') this.state = 'ready';
            resolve(message.address);
            return;
          case 'failed':
            reject(new WorkerStartError(message.message, message.code));
            return;
          case 'answer':
            // Here, in the order of the messages: the final figures of `drained` must not be overwritten.
            if (message.answer.kind === 'families') this.families = message.answer.families;
            this.#waiting.get(message.id)?.(message.answer);
            return;
          case 'drained':
            this.families = message.families;
            return;
          default: {
            const never: never = message;
            return never;
          }
        }
      });
      void this.exited.then(({ code, signal }) =>
        reject(
          new WorkerStartError(`the worker ended before it served (${signal ?? `code ${code}`})`, undefined),
        ),
      );
    });
  }

  #send(message: ToWorker): void {
    if (this.#process.isConnected()) this.#process.send(message);
  }

  /** @throws WorkerSilent when there is no answer within `timeoutMs` */
  ask(question: Question, timeoutMs: number): Promise<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.state === 'gone') {
        reject(new WorkerSilent(`worker ${this.worker} has ended`));
        return;
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new WorkerSilent(`worker ${this.worker} did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answer);
      });
      this.#send({ type: 'ask', id, question });
    });
  }

  /** Lets it finish what it has, bounded by `graceMs` and a margin; resolves when the process has ended. */
  async drain(graceMs: number): Promise<Exit> {
    if (this.state !== 'gone') {
      this.state = 'draining';
      this.#send({ type: 'drain', graceMs });
    }
    const timer = setTimeout(() => this.kill(), graceMs + MARGIN_MS);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it at once, with whatever it has in flight. */
  kill(): void {
    this.#process.process.kill('SIGKILL');
  }
}
