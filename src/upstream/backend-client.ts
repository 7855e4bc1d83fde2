import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Dispatcher } from 'undici';
// Not by the package's first file: that loads `fetch`, caches and mocks too, its own and Node's copies, 5 MB of heap.
import buildConnector from 'undici/lib/core/connect.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { BackendModel } from '../config/model.ts';
import type { Backend } from '../model.ts';

/** How often an error's socket had been answered on before it failed: 0 tells a fresh connection. */
const bytesReadAtFailure = new WeakMap<Error, number>();

/** Whether the connection that failed with this error had carried an answer before. */
export function failedOnReusedConnection(error: Error): boolean {
  return (bytesReadAtFailure.get(error) ?? socketInfo(error)?.bytesRead ?? 0) > 0;
}

function socketInfo(error: Error): { readonly bytesRead?: number } | undefined {
  return 'socket' in error && typeof error.socket === 'object' && error.socket !== null
    ? error.socket
    : undefined;
}

interface TlsOptions {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  /** The name to ask for and to verify; empty for an address, which is verified as such and not asked for. */
  readonly servername: string;
  readonly rejectUnauthorized: boolean;
}

function tlsOptions(model: BackendModel, hostname: string): TlsOptions {
  const { caFile, certFile, keyFile, serverName, verify } = model.tls;
  return {
    ca: caFile === undefined ? undefined : readFileSync(caFile),
    cert: certFile === undefined ? undefined : readFileSync(certFile),
    key: keyFile === undefined ? undefined : readFileSync(keyFile),
    servername: serverName ?? (isIP(hostname) === 0 ? hostname : ''),
    rejectUnauthorized: verify,
  };
}

interface WaitingRequest {
  readonly options: Dispatcher.DispatchOptions;
  readonly handler: Dispatcher.DispatchHandler;
}

/**
 * The connections to one backend for one purpose. The pool of undici carries nearly every request; the agent
 * of `node:http` those that undici cannot send (`Expect`, trailers, upgrades, `OPTIONS *`).
 */
export class BackendClient {
  readonly backend: Backend;
  readonly model: BackendModel;
  /** The backend's own host, as it stands in a Host header. */
  readonly host: string;
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  readonly tls: TlsOptions | undefined;
  readonly agent: HttpAgent;
  /** Requests that were handed over and have not come back, waiting ones included. */
  pending = 0;
  readonly #pool: Pool;
  /** Requests of `enqueue` that the pool has. */
  #sent = 0;
  readonly #waiting: WaitingRequest[] = [];
  #isFeeding = false;

  /** @throws Error when a certificate file cannot be read */
  constructor(backend: Backend, model: BackendModel) {
    const url = new URL(model.origin);
    this.backend = backend;
    this.model = model;
    this.host = url.host;
    this.hostname = url.hostname.replace(/^\[|\]$/g, '');
    this.secure = url.protocol === 'https:';
    this.port = url.port === '' ? (this.secure ? 443 : 80) : Number(url.port);
    this.tls = this.secure ? tlsOptions(model, this.hostname) : undefined;
    this.#pool = this.#createPool(url);
    this.agent = this.#createAgent();
  }

  /** Whether one more request is within the bound on connections and on the queue for them. */
  get hasRoom(): boolean {
    return this.pending < this.model.connectionsMax + this.model.queueMax;
  }

  /**
   * Sends a request as soon as there is a connection for it; those that wait are sent in the order in which they came.
   * Counts it as pending. Whoever calls this calls `over` when the pool has reported the end of the request, once.
   */
  enqueue(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.pending += 1;
    if (this.#sent >= this.model.connectionsMax) {
      this.#waiting.push({ options, handler });
      return;
    }
    this.#sent += 1;
    this.dispatch(options, handler);
  }

  /**
   * Takes back a request that waits for a connection: nothing more is reported of it. The pool would give it a
   * connection first, and close that for its sake.
   *
   * @returns false when it does not wait here: then its end is still to be reported
   */
  takeBack(handler: Dispatcher.DispatchHandler): boolean {
    const at = this.#waiting.findIndex((each) => each.handler === handler);
    if (at < 0) return false;
    this.#waiting.splice(at, 1);
    this.pending -= 1;
    return true;
  }

  /** The pool has reported the end of a request that was enqueued. */
  over(): void {
    this.pending -= 1;
    this.#sent -= 1;
    // The pool may fail one at once, and then this is called from within.
    if (this.#isFeeding) return;
    this.#isFeeding = true;
    while (this.#sent < this.model.connectionsMax) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#sent += 1;
      this.dispatch(next.options, next.handler);
    }
    this.#isFeeding = false;
  }

  /** Hands a request to the pool, whether or not there is a connection for it. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#pool.dispatch(this.secure ? this.#named(options) : options, handler);
  }

  /**
   * Left alone, undici takes the TLS name from the request's Host: the client would choose which certificate is
   * good, and each change of Host would cost the connection. One name for all requests, not empty, prevents both.
   */
  #named(options: Dispatcher.DispatchOptions): Dispatcher.DispatchOptions & { servername: string } {
    return { ...options, servername: this.hostname };
  }

  /** Ends every connection at once; what was in flight fails. */
  async destroy(): Promise<void> {
    this.agent.destroy();
    await this.#pool.destroy();
  }

  #createPool(url: URL): Pool {
    const { model } = this;
    const connector = buildConnector({
      ...this.tls,
      timeout: model.connectMs,
      allowH2: false,
      autoSelectFamily: true,
      keepAlive: true,
      keepAliveInitialDelay: 15_000,
    });
    return new Pool(url.origin, {
      connections: model.connectionsMax,
      pipelining: 1,
      allowH2: false,
      headersTimeout: model.headersMs,
      bodyTimeout: model.bodyMs,
      keepAliveTimeout: model.keepAliveMs,
      keepAliveMaxTimeout: Math.max(model.keepAliveMs, 60_000),
      maxHeaderSize: 64 * 1024,
      strictContentLength: true,
      connect: (options, callback) => {
        const { servername: _ofRequests, ...where } = options;
        connector(where, (error, socket) => {
          if (error !== null) {
            callback(error, null);
            return;
          }
          rememberFailures(socket);
          callback(null, socket);
        });
      },
    });
  }

  #createAgent(): HttpAgent {
    // A connection of its own for each: none of these requests may be repeated after a stale connection.
    const options = { keepAlive: false, maxSockets: this.model.connectionsMax };
    return this.secure ? new HttpsAgent({ ...options, ...this.tls }) : new HttpAgent(options);
  }
}

/** Registered before the pool's own listener, so that the number is there when the pool reports the error. */
function rememberFailures(socket: Socket): void {
  socket.on('error', (error) => {
    bytesReadAtFailure.set(error, socket.bytesRead);
  });
}
