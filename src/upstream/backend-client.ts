import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { BackendModel } from '../config/model.ts';
import type { Backend } from '../model.ts';
import type { BackendExchange } from './backend-connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { BackendRequest } from './request-bytes.ts';

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

/** The connections to one backend for one purpose. Upgrades have connections of their own. */
export class BackendClient {
  readonly backend: Backend;
  readonly model: BackendModel;
  /** The backend's own host, as it stands in a Host header. */
  readonly host: string;
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  readonly tls: TlsOptions | undefined;
  /** Requests that have a connection of their own. */
  apart = 0;
  readonly #pool: ConnectionPool;
  /** The newest session, so that the next connection costs less. */
  #session: Buffer | undefined;

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
    this.#pool = this.#createPool();
  }

  /** Requests that were handed over and are not over yet, waiting ones included. */
  get pending(): number {
    return this.#pool.pending + this.apart;
  }

  /** Whether one more request is within the bound on connections and on the queue for them. */
  get hasRoom(): boolean {
    return this.pending < this.model.connectionsMax + this.model.queueMax;
  }

  /** Sends a request as soon as there is a connection for it; those that wait are sent in the order in which they came. */
  send(request: BackendRequest, exchange: BackendExchange): void {
    this.#pool.send(request, exchange);
  }

  /**
   * Takes back a request that waits for a connection: nothing more is reported of it.
   *
   * @returns false when it does not wait
   */
  takeBack(exchange: BackendExchange): boolean {
    return this.#pool.takeBack(exchange);
  }

  /** Ends every connection at once; what was in flight fails. */
  destroy(): void {
    this.#pool.destroy();
  }

  #createPool(): ConnectionPool {
    const { connectionsMax, connectMs, headersMs, bodyMs, keepAliveMs } = this.model;
    return new ConnectionPool({
      connect: (buffer, onRead) => this.#connect(buffer, onRead),
      isSecure: this.secure,
      connectionsMax,
      connectMs,
      headersMs,
      bodyMs,
      keepAliveMs,
    });
  }

  #connect(buffer: Buffer, onRead: (bytes: number) => void): Socket {
    const options = {
      host: this.hostname,
      port: this.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 15_000,
      onread: {
        buffer,
        callback: (bytes: number): boolean => {
          onRead(bytes);
          return true;
        },
      },
    };
    if (this.tls === undefined) return connect(options);
    const socket = connectTls({
      ...options,
      ...this.tls,
      session: this.#session,
      ALPNProtocols: ['http/1.1'],
    });
    // Not before the backend was found to be who it is: a resumed session is not asked for its name again.
    socket.once('secureConnect', () => {
      this.#session = socket.getSession();
      socket.on('session', (session) => {
        this.#session = session;
      });
    });
    return socket;
  }
}
