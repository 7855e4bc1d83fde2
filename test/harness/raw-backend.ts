/**
 * A backend that records every byte it is sent, reads requests by the letter, and answers by a script. What
 * it has not recorded, the gateway has not sent.
 */
import net from 'node:net';
import tls from 'node:tls';
import { ByteReader, CutError, type PeerEnd } from './byte-reader.ts';
import type { Teardown } from './teardown.ts';
import {
  headerValues,
  isToken,
  lengthFraming,
  RawBody,
  type RawHead,
  readHead,
  WireError,
} from './wire-message.ts';
import { within } from './within.ts';

/** Bound on the recorded bytes of one connection; counting goes on beyond it. */
const RECORDED_BYTES_MAX = 1_048_576;

/** What a backend does with one request. It runs when the head is there; the body is pulled by the script. */
export type Script = (exchange: Exchange) => void | Promise<void>;

export interface RecordedRequest {
  readonly method: string;
  /** The request target, byte for byte as latin1. */
  readonly target: string;
  readonly headers: RawHead['headers'];
  /** The head's bytes as latin1. */
  readonly rawHead: string;
  /** Pulled by the script or, after it, by the backend. */
  readonly body: RawBody;
  readonly connection: RecordedConnection;
}

/** One connection that the gateway opened. */
export class RecordedConnection {
  readonly socket: net.Socket;
  readonly requests: RecordedRequest[] = [];
  /** Why the bytes were no valid HTTP, if so. */
  violation: string | undefined;
  /** How the gateway ended the connection. Never rejects. */
  readonly gone: Promise<PeerEnd>;
  readonly reader = new ByteReader();
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(socket: net.Socket) {
    this.socket = socket;
    const { promise, resolve } = Promise.withResolvers<PeerEnd>();
    this.gone = promise;
    const finish = (end: PeerEnd): void => {
      this.reader.finish(end);
      resolve(end);
    };
    socket.on('data', (chunk: Buffer) => {
      if (this.#size < RECORDED_BYTES_MAX) this.#chunks.push(chunk);
      this.#size += chunk.length;
      this.reader.push(chunk);
    });
    socket.on('end', () => {
      finish('fin');
    });
    socket.on('error', () => {
      finish('reset');
    });
    socket.on('close', () => {
      finish('reset');
    });
  }

  /** Every byte received, the first MiB of them, as latin1. */
  get received(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  get receivedBytes(): number {
    return this.#size;
  }
}

/** One request and the way to answer it. */
export class Exchange {
  readonly request: RecordedRequest;
  readonly #socket: net.Socket;

  constructor(request: RecordedRequest) {
    this.request = request;
    this.#socket = request.connection.socket;
  }

  /** How the gateway ended the connection. */
  get gone(): Promise<PeerEnd> {
    return this.request.connection.gone;
  }

  values(name: string): string[] {
    return headerValues(this.request.headers, name);
  }

  /** The whole request body. */
  body(): Promise<Buffer> {
    return this.request.body.all();
  }

  /** Sends bytes; a string is latin1. Resolves when the system has taken them or the connection is gone. */
  async send(bytes: string | Buffer): Promise<void> {
    if (this.#socket.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once('close', resolve);
    this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => {
      resolve();
    });
    await promise;
    this.#socket.off('close', resolve);
  }

  /** Ends the connection properly (FIN). */
  finish(): void {
    this.#socket.end();
  }

  /** Ends the connection with a reset. */
  abort(): void {
    this.#socket.resetAndDestroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

/** The script that reads the whole request and sends these bytes. */
export function answering(bytes: string | Buffer): Script {
  return async (exchange) => {
    await exchange.body();
    await exchange.send(bytes);
  };
}

/** A whole answer with a length. */
export function okAnswer(body = 'ok', headers = ''): string {
  return `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

export class RawBackend {
  readonly port: number;
  readonly connections: RecordedConnection[] = [];
  script: Script;
  /** What scripts threw: asserted to be empty by `stop`. */
  readonly #failures: unknown[] = [];
  readonly #server: net.Server;
  /** All of them, those in a TLS handshake too. */
  readonly #sockets = new Set<net.Socket>();
  #waiters: (() => void)[] = [];

  constructor(server: net.Server, script: Script) {
    this.#server = server;
    this.script = script;
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
    this.port = address.port;
    server.on('connection', (socket: net.Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on(server instanceof tls.Server ? 'secureConnection' : 'connection', (socket: net.Socket) => {
      this.#accept(socket);
    });
  }

  get requests(): RecordedRequest[] {
    return this.connections.flatMap((connection) => connection.requests);
  }

  /** Everything that was not valid HTTP. */
  get violations(): string[] {
    return this.connections.flatMap(({ violation }) => (violation === undefined ? [] : [violation]));
  }

  /** Bytes received over all connections. */
  get receivedBytes(): number {
    return this.connections.reduce((sum, connection) => sum + connection.receivedBytes, 0);
  }

  get openConnections(): number {
    return this.connections.filter(({ socket }) => !socket.destroyed).length;
  }

  /** Waits until `count` requests have arrived, heads at least, and returns the last of these. */
  async request(count = 1): Promise<RecordedRequest> {
    await this.#until(() => this.requests.length >= count, `request ${count} at the backend`);
    const request = this.requests[count - 1];
    if (request === undefined) throw new Error('the request vanished');
    return request;
  }

  /** Waits until `count` connections were opened, and returns the last of these. */
  async connection(count = 1): Promise<RecordedConnection> {
    await this.#until(() => this.connections.length >= count, `connection ${count} at the backend`);
    const connection = this.connections[count - 1];
    if (connection === undefined) throw new Error('the connection vanished');
    return connection;
  }

  /** Waits until the gateway holds no connection. */
  async abandoned(): Promise<void> {
    await this.#until(() => this.openConnections === 0, 'the end of every connection to the backend');
  }

  /** Ends every connection and the server. @throws what a script threw */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => {
      resolve();
    });
    for (const socket of this.#sockets) socket.destroy();
    for (const { socket } of this.connections) socket.destroy();
    await promise;
    if (this.#failures.length > 0) throw new AggregateError(this.#failures, 'a backend script failed');
  }

  async #until(reached: () => boolean, what: string): Promise<void> {
    while (!reached()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiters.push(resolve);
      await within(promise, what);
    }
  }

  #changed(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  #accept(socket: net.Socket): void {
    const connection = new RecordedConnection(socket);
    this.connections.push(connection);
    socket.once('close', () => {
      this.#changed();
    });
    this.#changed();
    this.#serve(connection).catch((error: unknown) => {
      if (error instanceof WireError) connection.violation = error.message;
      else if (error instanceof CutError) connection.violation = 'the connection ended inside a head';
      else this.#failures.push(error);
      socket.destroy();
    });
  }

  async #serve(connection: RecordedConnection): Promise<void> {
    const { reader, socket } = connection;
    for (;;) {
      const head = await readHead(reader);
      if (head === undefined) break;
      const request = recordedRequest(head, connection);
      connection.requests.push(request);
      this.#changed();
      await this.script(new Exchange(request));
      if (socket.destroyed || socket.writableEnded) break;
      await request.body.drain();
    }
    // The gateway has ended its direction; a scripted end is left to take its course.
    if (reader.end !== undefined && !socket.writableEnded) socket.end();
  }
}

function recordedRequest(head: RawHead, connection: RecordedConnection): RecordedRequest {
  const [method = '', target = '', version, ...more] = head.startLine.split(' ');
  if (!isToken(method) || target === '' || version !== 'HTTP/1.1' || more.length > 0) {
    throw new WireError(`bad request line ${JSON.stringify(head.startLine)}`);
  }
  if (!/^[\x21-\x7e\x80-\xff]+$/.test(target)) throw new WireError(`bad target ${JSON.stringify(target)}`);
  if (headerValues(head.headers, 'host').length !== 1) throw new WireError('not exactly one Host');
  const body = new RawBody(connection.reader, lengthFraming(head.headers) ?? { kind: 'none' });
  return { method, target, headers: head.headers, rawHead: head.raw, body, connection };
}

export interface RawBackendOptions {
  /** Serves TLS. */
  readonly tls?: tls.TlsOptions;
}

/** Starts a backend on a free port of the loopback; it stops with the test, which fails if a script threw. */
export async function startRawBackend(
  t: Teardown,
  script: Script = answering(okAnswer()),
  options: RawBackendOptions = {},
): Promise<RawBackend> {
  const server =
    options.tls === undefined
      ? net.createServer({ allowHalfOpen: true })
      : tls.createServer({ ...options.tls, allowHalfOpen: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  server.off('error', reject);
  const backend = new RawBackend(server, script);
  t.teardown(() => backend.stop());
  return backend;
}
