/**
 * Keeps the wanted number of workers serving one port.
 *
 * How they share the port: every worker accepts from one listening socket (`SCHED_NONE`). Measured with four
 * workers under 40 clients with fresh connections, killing eight workers in turn and then replacing eight:
 *
 * - one shared socket: a connection that no worker has taken waits for the next one; only connections that the
 *   killed worker had taken were reset. 2,000 connections spread 724, 442, 420, 414; a burst of 64 kept-alive
 *   ones on an idle machine 32, 14, 9, 9;
 * - round robin by the primary (`SCHED_RR`): an even spread (16 each), but each worker that ended, even in
 *   order, took one connection with it that hung until the client gave up, and every connection costs the
 *   primary a turn;
 * - a socket for each worker (`SO_REUSEPORT`): 22, 17, 16, 9, but the connections that wait in the queue of a
 *   worker that ends are reset, two and a half times as many as with a shared socket.
 *
 * No lost connection was worth more than an even spread, which load itself mends: a busy worker accepts less.
 *
 * A place is `starting`, `ready` or `draining` with its process, or `waiting` for the next try.
 */
import cluster from 'node:cluster';
import type { Logger } from 'pino';
import type { Address, ConfigModel } from '../config/model.ts';
import type { Family } from '../telemetry/families.ts';
import { lastingFamilies, mergeFamilies } from '../telemetry/merge-families.ts';
import { backOffMs, STABLE_MS } from './back-off.ts';
import type { Question } from './messages.ts';
import { type Exit, WorkerProcess } from './worker-process.ts';

const RELOAD_MS = 5_000;

export interface SupervisorOptions {
  readonly config: ConfigModel;
  /** At least 1. */
  readonly workers: number;
  /** The first file of a worker process. */
  readonly entry: string;
  readonly log: Logger;
  /** Told of each worker process that has ended, in whatever way. */
  readonly onGone?: (process: WorkerProcess) => void;
  /** 0 to 1, blurs the back-off. */
  readonly random?: () => number;
}

/** A place among the workers; it keeps its number while processes come and go. */
interface Place {
  readonly worker: string;
  /** `undefined` while it waits for the next try. */
  process: WorkerProcess | undefined;
  failures: number;
  retry: NodeJS.Timeout | undefined;
}

/** In a line of the primary's log, whose own `worker` and `pid` are the primary's. */
function nameOf({ worker, pid }: WorkerProcess): { ofWorker: string; workerPid: number } {
  return { ofWorker: worker, workerPid: pid };
}

export class Supervisor {
  readonly #log: Logger;
  readonly #random: () => number;
  readonly #onGone: (process: WorkerProcess) => void;
  readonly #places: Place[];
  /** Being replaced: they serve what they have. */
  readonly #leaving = new Set<WorkerProcess>();
  #config: ConfigModel;
  #address: Address;
  #past: readonly Family[] = [];
  #stopping = false;
  #replacing: Promise<boolean> | undefined;

  constructor(options: SupervisorOptions) {
    const { config, workers, entry, log, random = Math.random, onGone = () => {} } = options;
    this.#config = config;
    this.#address = config.listen;
    this.#log = log;
    this.#random = random;
    this.#onGone = onGone;
    this.#places = Array.from({ length: workers }, (_, index) => ({
      worker: String(index + 1),
      process: undefined,
      failures: 0,
      retry: undefined,
    }));
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({ exec: entry, args: [], serialization: 'advanced' });
  }

  /** Where the workers listen. */
  get address(): Address {
    return this.#address;
  }

  get config(): ConfigModel {
    return this.#config;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  get wanted(): number {
    return this.#places.length;
  }

  /** Processes that are there now, those that leave included. */
  get processes(): readonly WorkerProcess[] {
    const placed = this.#places.flatMap(({ process }) => (process === undefined ? [] : [process]));
    return [...placed, ...this.#leaving];
  }

  /** Places whose process died and was not started again yet. */
  get waiting(): number {
    return this.#places.filter(({ process }) => process === undefined).length;
  }

  /** What workers counted that are no more. */
  get past(): readonly Family[] {
    return this.#past;
  }

  /**
   * Starts all workers; resolves when each serves.
   *
   * @throws WorkerStartError of the first that cannot start; the others are ended
   */
  async start(): Promise<void> {
    // The first one alone: what is wrong is said once, and it prepares the stores for the others.
    const [first, ...others] = this.#places;
    try {
      // The port stays as configured, 0 too: it is the name under which the workers share the socket.
      if (first !== undefined) this.#address = await this.#fork(first).ready;
      await Promise.all(others.map((place) => this.#fork(place).ready));
    } catch (error) {
      await this.kill();
      throw error;
    }
    for (const place of this.#places) this.#watch(place);
  }

  #fork(place: Place): WorkerProcess {
    const process = new WorkerProcess(place.worker, this.#config);
    place.process = process;
    return process;
  }

  /** Starts the place's process again when it ends, unless it was told to. */
  #watch(place: Place): void {
    const { process } = place;
    if (process === undefined) return;
    void process.exited.then((exit) => {
      this.#remember(process);
      this.#onGone(process);
      if (this.#stopping || place.process !== process) return;
      this.#restartLater(place, process, exit);
    });
  }

  #restartLater(place: Place, process: WorkerProcess, { code, signal }: Exit): void {
    const lifeMs = performance.now() - process.startedMs;
    place.process = undefined;
    place.failures = lifeMs >= STABLE_MS ? 1 : place.failures + 1;
    const waitMs = Math.round(backOffMs(place.failures, this.#random));
    const event = {
      event: 'worker_exited',
      ...nameOf(process),
      code,
      signal,
      failures: place.failures,
      waitMs,
    };
    this.#log.error(event, 'a worker ended and is started again');
    place.retry = setTimeout(() => {
      place.retry = undefined;
      this.#fork(place);
      this.#watch(place);
      this.#announce(place.process);
    }, waitMs);
  }

  #announce(process: WorkerProcess | undefined): void {
    process?.ready.then(
      () => {
        const event = { event: 'worker_started', ...nameOf(process) };
        this.#log.info(event, 'a worker serves');
      },
      // Its end is logged where it is acted on.
      () => {},
    );
  }

  #remember(process: WorkerProcess): void {
    this.#past = mergeFamilies([this.#past, lastingFamilies(process.families)]);
    // Its figures are part of the past now; a second count would double them.
    process.families = [];
  }

  /** Gives every worker, now and later, a configuration with the listener and the stores of the present one. */
  async reload(next: ConfigModel): Promise<void> {
    this.#config = next;
    const question: Question = { kind: 'reload', config: next };
    await Promise.all(
      this.processes.map(async (process) => {
        // One that starts was given the old configuration: this comes right behind it.
        if (process.state === 'starting') await process.ready.catch(() => {});
        if (process.state !== 'ready') return;
        try {
          const answer = await process.ask(question, RELOAD_MS);
          if (answer.kind !== 'failure') return;
          const event = { event: 'config_rejected', ...nameOf(process), problem: answer.message };
          this.#log.error(event, 'a worker could not take the configuration');
        } catch (error) {
          const event = { event: 'worker_silent', ...nameOf(process), err: error };
          this.#log.warn(event, 'a worker did not acknowledge the configuration');
        }
      }),
    );
  }

  /**
   * Replaces all workers, one after the other: the new one serves before the old one drains. A second call
   * while it goes on joins the first.
   *
   * @returns whether all were replaced; if a new worker cannot start, the rest stay as they are
   */
  replaceAll(): Promise<boolean> {
    this.#replacing ??= this.#replaceEach().finally(() => {
      this.#replacing = undefined;
    });
    return this.#replacing;
  }

  async #replaceEach(): Promise<boolean> {
    this.#log.info({ event: 'workers_replacing', workers: this.wanted }, 'replacing all workers');
    for (const place of this.#places) {
      if (this.#stopping || !(await this.#replace(place))) return false;
    }
    return true;
  }

  async #replace(place: Place): Promise<boolean> {
    const next = new WorkerProcess(place.worker, this.#config);
    this.#leaving.add(next);
    try {
      await next.ready;
    } catch (error) {
      this.#log.error({ event: 'start_failed', ...nameOf(next), err: error }, 'a worker was not replaced');
      next.kill();
      await next.exited;
      this.#onGone(next);
      return false;
    } finally {
      this.#leaving.delete(next);
    }
    // Only now: the old process may have died and been started again in the meantime.
    clearTimeout(place.retry);
    const old = place.process;
    place.process = next;
    this.#watch(place);
    if (old !== undefined) {
      this.#leaving.add(old);
      await old.drain(this.#config.shutdown.graceMs);
      this.#leaving.delete(old);
    }
    const event = { event: 'worker_replaced', ...nameOf(next), oldPid: old?.pid };
    this.#log.info(event, 'a worker was replaced');
    return true;
  }

  #stop(): void {
    this.#stopping = true;
    for (const { retry } of this.#places) clearTimeout(retry);
  }

  /** Drains all workers; resolves when they have ended. @param graceMs bound on requests in flight */
  async close(graceMs: number): Promise<void> {
    this.#stop();
    await Promise.all(this.processes.map((process) => process.drain(graceMs)));
  }

  /** Ends all workers at once. */
  async kill(): Promise<void> {
    this.#stop();
    await Promise.all(
      this.processes.map((process) => {
        process.kill();
        return process.exited;
      }),
    );
  }
}
