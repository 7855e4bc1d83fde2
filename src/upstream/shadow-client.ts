/**
 * The connections to one backend for reads that nobody waits for. They share nothing with the connections that
 * users' requests take: not the pool, not the deadlines, not the queue. A breaker keeps a backend that is down from
 * being asked over and over.
 */
import CircuitBreaker from 'opossum';
import type { BackendModel } from '../config/model.ts';
import type { Backend } from '../model.ts';
import { BackendClient } from './backend-client.ts';
import { ConnectionFailure } from './connection-failure.ts';
import { type ByteBudget, KeptBody } from './kept-body.ts';
import { type Attempt, failedBy, ReadAnswer, type ReadOutcome } from './read-answer.ts';

/** A read as it goes over the wire. */
export interface SentRead {
  readonly method: string;
  /** Path and query, without the backend's own base path. */
  readonly target: string;
  readonly host: string;
  /** Name, value, name, value …; neither Host nor the length of the body. */
  readonly headers: readonly string[];
  /** Of the body, bytes; `undefined` for a read that said nothing of one. */
  readonly contentLength: number | undefined;
  readonly body: Buffer | undefined;
}

export interface ReadBounds {
  /** For everything: a connection, the head, the body; milliseconds. */
  readonly deadlineMs: number;
  /** Of the answer's body. */
  readonly bodyBytesMax: number;
  readonly budget: ByteBudget;
  /** The other side answered 5xx too: this one is then not taken to be down. */
  readonly serverErrorsAreFine: boolean;
}

export interface ShadowClientOptions {
  /** How long an open breaker waits before it lets one read through, milliseconds. */
  readonly resetMs?: number;
  /** A monotonic clock, milliseconds. */
  readonly now?: () => number;
}

const RESET_MS = 5_000;
/** The window that the breaker looks back at, and how much it has to see before it judges. */
const WINDOW_MS = 10_000;
const READS_MIN = 10;

/** Carries an outcome through the breaker, which counts what is thrown. */
class CountedFailure extends Error {
  readonly outcome: ReadOutcome;

  constructor(outcome: ReadOutcome) {
    super('a shadow read failed');
    this.outcome = outcome;
  }
}

export class ShadowClient {
  readonly backend: Backend;
  readonly #client: BackendClient;
  readonly #breaker: CircuitBreaker<[SentRead, ReadBounds], ReadOutcome>;
  readonly #now: () => number;
  #destroyed = false;

  /** @throws Error when a certificate file cannot be read */
  constructor(backend: Backend, model: BackendModel, options: ShadowClientOptions = {}) {
    this.backend = backend;
    this.#now = options.now ?? (() => performance.now());
    this.#client = new BackendClient(backend, model);
    this.#breaker = new CircuitBreaker((read: SentRead, bounds: ReadBounds) => this.#counted(read, bounds), {
      // Deadlines are this side's own: with opossum's, one that passes cannot end its own read only.
      timeout: false,
      // Each failure would sort the latencies of the whole window.
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rollingCountTimeout: WINDOW_MS,
      volumeThreshold: READS_MIN,
      errorThresholdPercentage: 50,
      resetTimeout: options.resetMs ?? RESET_MS,
    });
  }

  /** The Host that this backend gets. */
  hostFor(clientsHost: string | undefined): string {
    const { model, host } = this.#client;
    return model.hostHeader === 'client' && clientsHost !== undefined ? clientsHost : host;
  }

  /** The backend is taken to be down. False also when one read is due to find out whether it still is. */
  get isOpen(): boolean {
    return this.#breaker.opened || (this.#breaker.halfOpen && !this.#breaker.pendingClose);
  }

  /** A connection is free, or may be made. */
  get hasRoom(): boolean {
    return this.#client.pending < this.#client.model.connectionsMax;
  }

  /** Never rejects. The body of an answer stays in the budget until it is released. */
  async read(read: SentRead, bounds: ReadBounds): Promise<ReadOutcome> {
    if (this.#destroyed) return { kind: 'skipped', reason: 'stopping' };
    if (!this.hasRoom) return { kind: 'skipped', reason: 'backend_overloaded' };
    try {
      return await this.#breaker.fire(read, bounds);
    } catch (error) {
      if (this.#destroyed) return { kind: 'skipped', reason: 'stopping' };
      if (error instanceof CountedFailure) return error.outcome;
      return { kind: 'skipped', reason: 'breaker_open' };
    }
  }

  /** Ends every connection at once; what was in flight ends as `stopping`. */
  destroy(): void {
    this.#destroyed = true;
    this.#breaker.shutdown();
    this.#client.destroy();
  }

  async #counted(read: SentRead, bounds: ReadBounds): Promise<ReadOutcome> {
    const outcome = await this.#attempts(read, bounds);
    const failed =
      outcome.kind === 'failed' ||
      (outcome.kind === 'answered' && outcome.status >= 500 && !bounds.serverErrorsAreFine);
    if (failed) throw new CountedFailure(outcome);
    return outcome;
  }

  /** Twice where the backend had closed the idle connection that the read was sent on: that is nobody's failure. */
  async #attempts(read: SentRead, bounds: ReadBounds): Promise<ReadOutcome> {
    const startedMs = this.#now();
    for (let attempts = 1; ; attempts += 1) {
      const body = new KeptBody(bounds.bodyBytesMax, bounds.budget);
      const attempt = await this.#attempt(read, body, bounds.deadlineMs - (this.#now() - startedMs));
      if (attempt.kind === 'whole') {
        const { status, headers } = attempt;
        return { kind: 'answered', status, headers, body, durationMs: this.#now() - startedMs };
      }
      body.release();
      if (attempt.kind === 'late') return { kind: 'failed', failure: 'timeout', code: 'deadline' };
      if (attempt.kind === 'dropped') return { kind: 'skipped', reason: attempt.reason };
      const { error, progress } = attempt;
      const again =
        attempts === 1 && progress === 'sent' && error instanceof ConnectionFailure && error.wasUsed;
      if (!again) return failedBy(error, progress);
    }
  }

  #attempt(read: SentRead, body: KeptBody, leftMs: number): Promise<Attempt> {
    const { model } = this.#client;
    return new Promise((resolve) => {
      const answer = new ReadAnswer(read.method, body, (attempt) => {
        clearTimeout(timer);
        resolve(attempt);
      });
      const takeBack = (): void => void this.#client.takeBack(answer);
      const timer = setTimeout(() => answer.giveUp(takeBack), Math.max(0, leftMs));
      const { method, host, headers, contentLength } = read;
      const path = model.basePath + read.target;
      const request = {
        method,
        path,
        host,
        headers,
        contentLength,
        expectContinue: false,
        trailers: noTrailers,
      };
      this.#client.send({ ...request, body: read.body === undefined ? null : [read.body] }, answer);
    });
  }
}

function noTrailers(): readonly string[] {
  return [];
}
