/**
 * The connections to one backend for one purpose, and the requests that wait for one, in the order in which they came.
 * A connection that could not be made fails the request that has waited the longest, if there is one.
 */
import {
  BackendConnection,
  type BackendExchange,
  type Connect,
  type ConnectionOwner,
} from './backend-connection.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { BackendRequest } from './request-bytes.ts';

export interface PoolOptions {
  readonly connect: Connect;
  readonly isSecure: boolean;
  readonly connectionsMax: number;
  readonly connectMs: number;
  readonly headersMs: number;
  readonly bodyMs: number;
  readonly keepAliveMs: number;
}

/** A wait is found too long within an eighth of its bound, and within a second. */
const LOOKS = 8;
const LOOK_MS_MIN = 10;
const LOOK_MS_MAX = 1_000;

export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #owner: ConnectionOwner;
  readonly #connections = new Set<BackendConnection>();
  /** The one that was used last is used first: the others may close. */
  readonly #idle: BackendConnection[] = [];
  readonly #waiting = new Map<BackendExchange, BackendRequest>();
  readonly #lookMs: number;
  #connecting = 0;
  #timer: NodeJS.Timeout | undefined;
  #lookedMs = 0;
  #isDestroyed = false;

  constructor(options: PoolOptions) {
    const { connectMs, headersMs, bodyMs, keepAliveMs } = options;
    this.#options = options;
    const shortest = Math.min(connectMs, headersMs, bodyMs, keepAliveMs);
    this.#lookMs = Math.max(LOOK_MS_MIN, Math.min(LOOK_MS_MAX, Math.floor(shortest / LOOKS)));
    this.#owner = {
      headersMs,
      bodyMs,
      connectMs,
      keepAliveMs,
      now: () => performance.now(),
      onConnected: (connection) => {
        this.#connecting -= 1;
        this.#free(connection);
      },
      onIdle: (connection) => this.#free(connection),
      onClosed: (connection, error) => this.#closed(connection, error),
    };
  }

  /** Sends a request as soon as there is a connection for it, at once if one is idle. Whoever sends bounds how many wait. */
  send(request: BackendRequest, exchange: BackendExchange): void {
    if (this.#isDestroyed) {
      exchange.onError(new ConnectionFailure('closed', false));
      return;
    }
    const connection = this.#waiting.size === 0 ? this.#idle.pop() : undefined;
    if (connection !== undefined) {
      connection.send(request, exchange);
      this.#free(connection);
      return;
    }
    this.#waiting.set(exchange, request);
    this.#connectMore();
  }

  /**
   * Takes back a request that waits for a connection: nothing is reported of it.
   *
   * @returns false when it does not wait
   */
  takeBack(exchange: BackendExchange): boolean {
    return this.#waiting.delete(exchange);
  }

  /** Ends every connection; what was in flight, or waits, fails. */
  destroy(): void {
    this.#isDestroyed = true;
    for (const connection of this.#connections) connection.fail(new ConnectionFailure('closed', false));
    while (this.#failFirst(new ConnectionFailure('closed', false)));
  }

  #connectMore(): void {
    const { connect, connectionsMax, isSecure } = this.#options;
    while (this.#connecting < this.#waiting.size && this.#connections.size < connectionsMax) {
      this.#connecting += 1;
      const connection = new BackendConnection(this.#owner, connect, isSecure ? 'secureConnect' : 'connect');
      this.#connections.add(connection);
    }
    if (this.#timer !== undefined) return;
    this.#lookedMs = performance.now();
    this.#timer = setInterval(() => this.#look(), this.#lookMs).unref();
  }

  /** Requests that were handed over and are not over yet. */
  get pending(): number {
    return this.#waiting.size + this.#connections.size - this.#connecting - this.#idle.length;
  }

  /** Those that are aborted as they are sent leave it free for the next one. */
  #free(connection: BackendConnection): void {
    for (const [exchange, request] of this.#waiting) {
      if (!connection.isFree) return;
      this.#waiting.delete(exchange);
      connection.send(request, exchange);
    }
    if (connection.isFree) this.#idle.push(connection);
  }

  /** @returns false when none waits */
  #failFirst(error: Error): boolean {
    for (const exchange of this.#waiting.keys()) {
      this.#waiting.delete(exchange);
      exchange.onError(error);
      return true;
    }
    return false;
  }

  #closed(connection: BackendConnection, error: Error | undefined): void {
    this.#connections.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (error !== undefined) {
      this.#connecting -= 1;
      this.#failFirst(error);
    }
    if (!this.#isDestroyed) this.#connectMore();
  }

  #look(): void {
    const nowMs = performance.now();
    const lostMs = Math.max(0, nowMs - this.#lookedMs - 2 * this.#lookMs);
    this.#lookedMs = nowMs;
    for (const connection of this.#connections) connection.look(nowMs, this.#lookMs, lostMs);
    if (this.#connections.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
