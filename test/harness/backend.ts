/** A comfortable backend: `node:http`, answering by a handler, and remembering what it was asked. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { Teardown } from './teardown.ts';
import { within } from './within.ts';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  /** Name, value, name, value… as they stood on the wire. */
  readonly rawHeaders: readonly string[];
  readonly headers: http.IncomingHttpHeaders;
  /** Of the whole body; zero and the empty digest until the body is complete. */
  bodyBytes: number;
  bodySha256: string;
  trailers: NodeJS.Dict<string>;
  complete: boolean;
}

export type Handler = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  seen: SeenRequest,
) => void | Promise<void>;

/** The handler that takes the whole request and answers with what it saw, as JSON. */
export const describing: Handler = async (request, response, seen) => {
  await takeBody(request, seen);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(seen));
};

/** Reads the whole body in constant memory and notes its size, digest and trailers. */
export async function takeBody(request: http.IncomingMessage, seen: SeenRequest): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of request) {
    if (!Buffer.isBuffer(piece)) throw new Error('the body is not bytes');
    bytes += piece.length;
    hash.update(piece);
  }
  seen.bodyBytes = bytes;
  seen.bodySha256 = hash.digest('hex');
  seen.trailers = request.trailers;
  seen.complete = true;
}

export class Backend {
  readonly server: http.Server;
  readonly port: number;
  readonly requests: SeenRequest[] = [];
  readonly #sockets = new Set<Duplex>();
  #waiters: (() => void)[] = [];

  constructor(server: http.Server) {
    this.server = server;
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
    this.port = address.port;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        this.#changed();
      });
    });
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  note(request: http.IncomingMessage): SeenRequest {
    const seen: SeenRequest = {
      method: request.method ?? '',
      url: request.url ?? '',
      rawHeaders: request.rawHeaders,
      headers: request.headers,
      bodyBytes: 0,
      bodySha256: '',
      trailers: {},
      complete: false,
    };
    this.requests.push(seen);
    this.#changed();
    return seen;
  }

  /** Waits until `count` requests have arrived, and returns the last of these. */
  async request(count = 1): Promise<SeenRequest> {
    await this.#until(() => this.requests.length >= count, `request ${count} at the backend`);
    const seen = this.requests[count - 1];
    if (seen === undefined) throw new Error('the request vanished');
    return seen;
  }

  /** Waits until the gateway holds no connection. */
  async abandoned(): Promise<void> {
    await this.#until(() => this.#sockets.size === 0, 'the end of every connection to the backend');
  }

  /** Ends every connection, upgraded ones too, and the server. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.server.close(() => {
      resolve();
    });
    for (const socket of this.#sockets) socket.destroy();
    await promise;
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
}

/** Starts a backend on a free port of the loopback; it stops with the test. */
export async function startBackend(t: Teardown, handler: Handler = describing): Promise<Backend> {
  const server = http.createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  server.off('error', reject);
  const backend = new Backend(server);
  server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    void serve(backend, handler, request, response);
  });
  t.teardown(() => backend.stop());
  return backend;
}

async function serve(
  backend: Backend,
  handler: Handler,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  try {
    await handler(request, response, backend.note(request));
  } catch {
    // The gateway left, or the handler failed: a cut connection, which no test mistakes for an answer.
    response.destroy();
  }
}
