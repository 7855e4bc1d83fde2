/** The HTTP side that both shops have in common: routes in, answers out, bounds, a clean stop. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Backend } from '../../model.ts';
import { createServer } from '../../node-http.ts';
import { readJsonBody } from './request-body.ts';
import type { RequestCounts } from './request-counts.ts';
import { ShopError } from './shop-error.ts';
import { matchRoute, type ShopAnswer, type ShopRoute } from './shop-router.ts';
import { COPY_HEADER, type WriteCopier } from './write-copier.ts';

export interface ShopServerOptions {
  readonly shop: Backend;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly routes: readonly ShopRoute[];
  /** Kept up to date. */
  readonly counts: RequestCounts;
  readonly copier: WriteCopier;
  /** The two shops do not even agree on what an error looks like. */
  readonly errorBody: (error: ShopError, requestId: string) => unknown;
  /** Told of defects; the client gets a 500. */
  readonly onDefect: (error: unknown) => void;
}

export interface ShopServer {
  readonly port: number;
  /** Finishes what is in flight, for 2 seconds at the most. */
  close(): Promise<void>;
}

const CLOSE_MAX_MS = 2_000;
const REQUEST_MAX_MS = 15_000;
/** Longer than a gateway keeps an idle connection, so that it never sends on one that was just closed. */
const KEEP_ALIVE_MS = 120_000;
const CONNECTIONS_MAX = 1_024;

/** @throws the listening socket's error, `EADDRINUSE` for one. */
export async function startShopServer(options: ShopServerOptions): Promise<ShopServer> {
  const server = createServer((request, response) => {
    void answer(options, request, response);
  });
  server.requestTimeout = REQUEST_MAX_MS;
  server.headersTimeout = REQUEST_MAX_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.maxConnections = CONNECTIONS_MAX;
  const port = await listen(server, options.host, options.port);
  return { port, close: () => closeServer(server) };
}

async function answer(
  options: ShopServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = oneValue(request.headers['x-request-id']) ?? randomUUID();
  if (request.headers['x-turnout-shadow'] !== undefined) options.counts.shadowReads += 1;
  else if (request.headers[COPY_HEADER] !== undefined) options.counts.copies += 1;
  else options.counts.requests += 1;
  let result: ShopAnswer;
  let headers: Readonly<Record<string, string>> = {};
  try {
    result = await handle(options, request, requestId);
  } catch (cause) {
    if (request.destroyed && !request.complete) return;
    const error = asShopError(cause);
    if (error.code === 'internal') options.onDefect(cause);
    headers = error.headers;
    result = { status: error.status, body: options.errorBody(error, requestId) };
  }
  const body = Buffer.from('text' in result ? result.text : `${JSON.stringify(result.body)}\n`);
  response.writeHead(result.status, {
    'content-type': 'text' in result ? result.contentType : 'application/json; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-shop': options.shop,
    'x-request-id': requestId,
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function handle(
  { routes, copier }: ShopServerOptions,
  request: IncomingMessage,
  requestId: string,
): Promise<ShopAnswer> {
  // The body is read first, whatever the route: an answer before its end would leave it on the connection.
  const body = await readJsonBody(request);
  const [path = '/', query] = (request.url ?? '/').split('?', 2);
  const { route, params } = matchRoute(routes, request.method ?? 'GET', path);
  const user = oneValue(request.headers['x-user-id']);
  const answer = await route.handle({ params, query: new URLSearchParams(query), user, body, requestId });
  const isWrite = route.method !== 'GET' && route.isRead !== true;
  if (isWrite && answer.status < 300 && request.headers[COPY_HEADER] === undefined) {
    await copier.copy({ method: route.method, path: request.url ?? path, user, body });
  }
  return answer;
}

function asShopError(error: unknown): ShopError {
  if (error instanceof ShopError) return error;
  return new ShopError('internal', 'The shop has a defect; its log says more.', { cause: error });
}

function oneValue(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MAX_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
