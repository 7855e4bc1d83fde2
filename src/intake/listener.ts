import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import type { Http2SecureServer, Http2ServerRequest, ServerHttp2Session } from 'node:http2';
import { createSecureServer, Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { Server as NetServer } from 'node:net';
import type { ConfigModel, ListenModel } from '../config/model.ts';
import type { ErrorCode } from '../errors.ts';
import { ERRORS } from '../errors.ts';
import { createServer, ServerResponse } from '../node-http.ts';
import { Http2Answer } from './answer.ts';
import { problemBody, problemHeaders } from './problem.ts';
import { inTurn, isAhead, isTooLate } from './turn.ts';

export interface ListenerHandlers {
  readonly onRequest: (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ) => void;
  readonly onUpgrade: (request: IncomingMessage, socket: Socket, early: Buffer) => void;
  /** What a client sent was refused before it became a request. */
  readonly onRefused: (code: ErrorCode) => void;
  /** The body of the request that is being served on this connection broke the protocol. */
  readonly onBrokenBody: (socket: Socket) => void;
}

/** How long an idle connection may still bring a request while the listener is being closed. */
const IDLE_GRACE_MS = 1_000;
const CLOSE_LOOK_MS = 50;

/** The socket that clients connect to: HTTP/1.1, and with TLS HTTP/2 too. */
export class Listener {
  readonly #config: ConfigModel;
  readonly #server: Server | Http2SecureServer;
  readonly #handlers: ListenerHandlers;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #closing = false;

  /** @throws Error when the certificate or key cannot be read or used */
  constructor(config: ConfigModel, handlers: ListenerHandlers) {
    this.#config = config;
    this.#handlers = handlers;
    this.#server = this.#createServer(config.listen);
    this.#watch(this.#server);
  }

  /** No new connections are taken; answers carry `Connection: close`. */
  get closing(): boolean {
    return this.#closing;
  }

  /** @throws Error with `code` `EADDRINUSE`, `EACCES` or `EADDRNOTAVAIL` */
  async listen(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#config.listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 1_024 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    return { host, port: isAddress(address) ? address.port : port };
  }

  /** Takes a renewed certificate for new connections. */
  renewCertificate(listen: ListenModel): void {
    if (listen.tls === undefined || !('setSecureContext' in this.#server)) return;
    this.#server.setSecureContext({
      cert: readFileSync(listen.tls.certFile),
      key: readFileSync(listen.tls.keyFile),
    });
  }

  /**
   * Stops accepting, lets what is in flight end, and closes connections as they become idle.
   *
   * An idle connection is not closed at once: a request may be on its way on it. It is served, and told that
   * the connection ends.
   *
   * @param graceMs bound on the whole; what is left then is cut
   * @returns the number of connections that were cut
   */
  async close(graceMs: number): Promise<number> {
    this.#closing = true;
    // The server's own `close` would end idle connections now; this one only stops accepting.
    NetServer.prototype.close.call(this.#server, () => undefined);
    const startedMs = performance.now();
    const idleGraceMs = Math.min(IDLE_GRACE_MS, graceMs / 2);
    for (const session of this.#sessions) session.close();
    while (this.#sockets.size > 0 && performance.now() - startedMs < graceMs) {
      if (performance.now() - startedMs >= idleGraceMs && 'closeIdleConnections' in this.#server) {
        this.#server.closeIdleConnections();
      }
      await new Promise((resolve) => setTimeout(resolve, CLOSE_LOOK_MS));
    }
    const cut = this.#sockets.size;
    for (const socket of this.#sockets) socket.destroy();
    return cut;
  }

  #createServer(listen: ListenModel): Server | Http2SecureServer {
    const { limits } = this.#config;
    const options = {
      maxHeaderSize: limits.headBytesMax,
      // The gateway checks Host and counts headers itself: Node would answer without a document, and drop
      // headers over its bound in silence.
      requireHostHeader: false,
      insecureHTTPParser: false,
      headersTimeout: limits.headMs,
      // Bodies may take as long as they move: stalls are watched for in both directions.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.max(100, Math.min(1_000, limits.headMs / 4)),
      keepAliveTimeout: limits.keepAliveMs,
      noDelay: true,
      optimizeEmptyRequests: true,
      shouldUpgradeCallback: isWebSocket,
    };
    if (listen.tls === undefined) {
      const server = createServer(options);
      server.maxHeadersCount = 0;
      return server;
    }
    const server = createSecureServer({
      ...options,
      http1Options: options,
      allowHTTP1: true,
      // A backend that repeats a header is not a reason to fail its answer.
      strictSingleValueFields: false,
      cert: readFileSync(listen.tls.certFile),
      key: readFileSync(listen.tls.keyFile),
      minVersion: 'TLSv1.2',
      settings: { maxConcurrentStreams: 256, maxHeaderListSize: limits.headBytesMax, enablePush: false },
    });
    return Object.assign(server, {
      maxHeadersCount: 0,
      requestTimeout: 0,
      headersTimeout: limits.headMs,
      keepAliveTimeout: limits.keepAliveMs,
    });
  }

  #watch(server: Server | Http2SecureServer): void {
    const onRequest: ListenerHandlers['onRequest'] = (request, response) => {
      this.#onRequest(request, response);
    };
    server.maxConnections = this.#config.limits.connectionsMax;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.setTimeout(this.#config.limits.keepAliveMs, () => session.close());
      session.once('close', () => this.#sessions.delete(session));
      if (this.#closing) session.close();
    });
    server.on('request', onRequest);
    // Without these two listeners Node would answer `Expect` on its own.
    server.on('checkContinue', onRequest);
    server.on('checkExpectation', onRequest);
    server.on('upgrade', (request: IncomingMessage, socket: Socket, early: Buffer) => {
      this.#onUpgrade(request, socket, early);
    });
    server.on('connect', (_request, socket: Socket | Http2ServerResponse) => {
      if (socket instanceof Http2ServerResponse) this.#refuseStream(socket, 'upgrade_unsupported');
      else this.#refuse(socket, 'upgrade_unsupported');
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      this.#refuse(socket, refusalOf(error));
    });
  }

  #onRequest(
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ): void {
    const { onRequest } = this.#handlers;
    if (!(response instanceof ServerResponse)) onRequest(request, response);
    else if (isAhead(response)) inTurn(response.req, response, () => onRequest(request, response));
    else if (!isTooLate(response)) onRequest(request, response);
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, early: Buffer): void {
    const current = currentAnswer(socket);
    if (current === undefined) {
      this.#handlers.onUpgrade(request, socket, early);
      return;
    }
    // Sent ahead of an answer that is still due: that answer is finished, and the upgrade refused by the end.
    socket.on('error', () => undefined);
    current.once('close', () => socket.destroy());
  }

  /** Answers what never became a request, on its own stream. */
  #refuseStream(response: Http2ServerResponse, code: ErrorCode): void {
    this.#handlers.onRefused(code);
    const body = problemBody(code, undefined);
    const answer = new Http2Answer(response);
    answer.head(ERRORS[code].status, ERRORS[code].title, problemHeaders(code, undefined, body));
    answer.end(body, undefined);
  }

  /** Answers what never became a request, and ends the connection: its next byte has no known meaning. */
  #refuse(socket: Socket, code: ErrorCode | undefined): void {
    if (code === undefined || !socket.writable) {
      socket.destroy();
      return;
    }
    const current = currentAnswer(socket);
    if (current !== undefined) {
      if (!current.req.complete) {
        this.#handlers.onBrokenBody(socket);
        return;
      }
      // A pipelined request is broken while the one before it is served: that one is finished first. A second
      // answer now would be taken for its own.
      socket.pause();
      current.once('close', () => socket.destroy());
      return;
    }
    this.#handlers.onRefused(code);
    const body = problemBody(code, undefined);
    const headers = problemHeaders(code, undefined, body);
    let head = `HTTP/1.1 ${ERRORS[code].status} ${ERRORS[code].title}\r\n`;
    for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    socket.end(`${head}connection: close\r\n\r\n${body.toString('latin1')}`, 'latin1');
    // The answer is lost if unread bytes are left when the socket closes; a client that goes on is cut.
    socket.resume();
    setTimeout(() => socket.destroy(), 500).unref();
  }
}

function isAddress(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

/**
 * Only WebSockets are tunnelled: any other upgrade would let a client speak past the gateway. One with a body is
 * a plain request, for its body would be taken for the tunnel's first bytes.
 */
function isWebSocket({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    (headers['content-length'] ?? '0') === '0' &&
    headers['transfer-encoding'] === undefined
  );
}

/** The error to answer; `undefined` when nobody is there to read it. */
function refusalOf(error: NodeJS.ErrnoException): ErrorCode | undefined {
  switch (error.code) {
    case 'ECONNRESET':
    case 'EPIPE':
    // The client ended its side inside a request.
    case 'HPE_INVALID_EOF_STATE':
      return undefined;
    case 'HPE_HEADER_OVERFLOW':
      return 'head_too_large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'request_head_timeout';
    default:
      return 'malformed_request';
  }
}

/** The answer that is under way on this connection. */
function currentAnswer(socket: Socket): ServerResponse | undefined {
  const current: unknown = Reflect.get(socket, '_httpMessage');
  return current instanceof ServerResponse ? current : undefined;
}
