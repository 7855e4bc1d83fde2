/** A request at a pool whose handler keeps what it is told, and a client for a raw backend. */
import { AssertionError } from 'node:assert';
import type { BackendModel } from '../../src/config/model.ts';
import { BackendClient } from '../../src/upstream/backend-client.ts';
import type { BackendConnection, BackendExchange } from '../../src/upstream/backend-connection.ts';
import type { BackendRequest } from '../../src/upstream/request-bytes.ts';
import type { RawBackend } from '../harness/raw-backend.ts';
import type { Teardown } from '../harness/teardown.ts';
import { within } from '../harness/within.ts';

export type Event = 'sending' | 'begun' | 'head' | 'data' | 'end' | 'error';

/** Called when it is told of an event, inside the handler. */
export type Hooks = { readonly [event in Event]?: (exchange: RecordedExchange) => void };

export class RecordedExchange implements BackendExchange {
  connection: BackendConnection | undefined;
  readonly events: Event[] = [];
  readonly statuses: number[] = [];
  readonly pieces: Buffer[] = [];
  bodyBytes = 0;
  trailers: readonly string[] = [];
  error: Error | undefined;
  /** Whoever aborted it, or took it back, is told nothing more. */
  isGivenUp = false;
  readonly #hooks: Hooks;
  readonly #waiters: (() => void)[] = [];

  constructor(hooks: Hooks = {}) {
    this.#hooks = hooks;
  }

  onSending(connection: BackendConnection): void {
    this.connection = connection;
    this.#told('sending');
  }

  onAnswerBegun(): void {
    this.#told('begun');
  }

  onHead(status: number): void {
    this.statuses.push(status);
    this.#told('head');
  }

  onData(piece: Buffer): void {
    this.pieces.push(piece);
    this.bodyBytes += piece.length;
    this.#told('data');
  }

  onEnd(trailers: readonly string[]): void {
    this.trailers = trailers;
    this.#told('end');
  }

  onError(error: Error): void {
    this.error = error;
    this.#told('error');
  }

  abort(): void {
    this.isGivenUp = true;
    this.connection?.abort(this);
  }

  get body(): string {
    return Buffer.concat(this.pieces).toString('latin1');
  }

  get isOver(): boolean {
    return this.events.includes('end') || this.events.includes('error');
  }

  /** Resolves as soon as it was told of this. */
  async told(event: Event): Promise<this> {
    await this.until(() => this.events.includes(event), event);
    return this;
  }

  /** Resolves with how it ended. */
  async over(): Promise<this> {
    await this.until(() => this.isOver, 'the end of a request');
    return this;
  }

  async until(reached: () => boolean, what: string): Promise<void> {
    while (!reached()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiters.push(resolve);
      await within(promise, what);
    }
  }

  #told(event: Event): void {
    if (this.isGivenUp || this.isOver)
      throw new AssertionError({ message: `${event} after ${this.events.join(', ')}, and its end` });
    this.events.push(event);
    for (const wake of this.#waiters.splice(0)) wake();
    this.#hooks[event]?.(this);
  }
}

export function requestOf(parts: Partial<BackendRequest> = {}): BackendRequest {
  return {
    method: 'GET',
    path: '/',
    host: 'shop.test',
    headers: [],
    contentLength: undefined,
    expectContinue: false,
    body: null,
    trailers: () => [],
    ...parts,
  };
}

const MODEL: BackendModel = {
  origin: '',
  basePath: '',
  connectMs: 60_000,
  headersMs: 60_000,
  bodyMs: 60_000,
  connectionsMax: 8,
  queueMax: 100,
  keepAliveMs: 30_000,
  tls: { caFile: undefined, certFile: undefined, keyFile: undefined, serverName: undefined, verify: true },
  hostHeader: 'backend',
};

export class TestPool {
  readonly client: BackendClient;
  readonly #exchanges: RecordedExchange[] = [];

  constructor(origin: string, model: Partial<BackendModel>) {
    this.client = new BackendClient('legacy', { ...MODEL, origin, ...model });
  }

  send(parts: Partial<BackendRequest> = {}, hooks: Hooks = {}): RecordedExchange {
    const exchange = new RecordedExchange(hooks);
    this.#exchanges.push(exchange);
    this.client.send(requestOf(parts), exchange);
    return exchange;
  }

  /** Sends, and waits for the end. */
  async ask(parts: Partial<BackendRequest> = {}, hooks: Hooks = {}): Promise<RecordedExchange> {
    return this.send(parts, hooks).over();
  }

  /** What was sent is over, and counted so; then everything is ended. @throws AssertionError */
  stop(): void {
    const { pending } = this.client;
    this.client.destroy();
    if (pending !== 0) throw new AssertionError({ message: `${pending} requests are pending at the end` });
    for (const { isOver, isGivenUp, events } of this.#exchanges)
      if (isOver === isGivenUp)
        throw new AssertionError({ message: `its end is missing: ${events.join(', ')}` });
  }
}

/** A pool for this backend, which is looked at when the test is over: see `stop`. */
export function poolOf(
  t: Teardown,
  backend: Pick<RawBackend, 'port'>,
  model: Partial<BackendModel> = {},
  scheme: 'http' | 'https' = 'http',
): TestPool {
  const pool = new TestPool(`${scheme}://127.0.0.1:${backend.port}`, model);
  t.teardown(() => pool.stop());
  return pool;
}
