import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { buildConnector, type Dispatcher, Pool } from 'undici';
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
