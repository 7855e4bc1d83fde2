/**
 * The admin listener: health, metrics, and the API under `/api/v1`. Everything is bounded: heads, bodies,
 * the time a request may take to arrive, and the connections that are kept.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { fastify } from 'fastify';
import type { Logger } from 'pino';
import type { Address, TokenModel } from '../config/model.ts';
import type { ReportReader } from '../reports/create-report-reader.ts';
import { AdminError, problemOf } from './admin-error.ts';
import { adminRoutes } from './admin-routes.ts';
import type { AdminSource } from './admin-source.ts';
import { admit, type Doorkeeper } from './admit.ts';
import { consoleRoutes } from './console-routes.ts';
import { type AdminControl, ControlAccess } from './control-access.ts';
import { FailedLogins } from './failed-logins.ts';
import { type AdminGuard, GuardAccess, type GuardConfig } from './guard-access.ts';
import { guardRoutes } from './guard-routes.ts';
import { liveRoutes } from './live-routes.ts';
import { serveOpenApi } from './openapi.ts';
import { rampRoutes } from './ramp-routes.ts';
import { ReportAccess } from './report-access.ts';
import { reportRoutes } from './report-routes.ts';
import { cookieName } from './session-cookie.ts';
import { sessionRoutes } from './session-routes.ts';
import { Sessions } from './sessions.ts';
import type { AdminServer, TypeBoxProvider } from './type-provider.ts';

const PARAMETER_CHARS_MAX = 1_024;
const BODY_BYTES_MAX = 64 * 1024;
const HEAD_BYTES_MAX = 16 * 1024;
const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
const CONNECTIONS_MAX = 256;
const PROBLEM_TYPE = 'application/problem+json';

export interface AdminOptions {
  readonly listen: Address;
  readonly tokens: readonly TokenModel[];
  readonly source: AdminSource;
  /** Changes cohorts; absent, or `undefined` while the gateway starts: 503. */
  readonly control?: () => AdminControl | undefined;
  /** Reads and changes mismatch reports; absent, or `undefined` while the gateway starts: 503. */
  readonly reports?: () => ReportReader | undefined;
  /** Judges, goes back, ramps; absent, or `undefined` while the gateway starts: 503. */
  readonly guard?: () => AdminGuard | undefined;
  /** What the configuration in force says of the guard. Belongs to `guard`. */
  readonly guardConfig?: () => GuardConfig | undefined;
  /** Where the console's bundle is; found in the package unless given. */
  readonly consoleFolder?: string;
  readonly log: Logger;
  /** Bound on a body that is read whole, milliseconds; 10 s unless given. */
  readonly bodyMs?: number;
  /** Monotonic, milliseconds. */
  readonly nowMs?: () => number;
}

export interface Admin {
  readonly address: Address;
  /** For a reload of the configuration. */
  setTokens(tokens: readonly TokenModel[]): void;
  /** Stops accepting, ends idle connections, finishes the rest. */
  close(): Promise<void>;
}

/** Bytes that never became a request: answered here, since Fastify has no request to answer. */
function refuseMalformed(_error: Error, socket: Socket): void {
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const { problem } = problemOf(new AdminError('invalid_request', 'Not valid HTTP.'), randomUUID());
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function createServer(): AdminServer {
  const server = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    // A body that is streamed may take long: `boundBodies` bounds all others.
    requestTimeout: 0,
    connectionTimeout: REQUEST_MS * 3,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    genReqId: () => randomUUID(),
    // Names of routes and cohorts, and users, encoded.
    routerOptions: { maxParamLength: PARAMETER_CHARS_MAX },
    clientErrorHandler: refuseMalformed,
    // A URL that cannot be decoded never reaches a hook or the error handler.
    frameworkErrors: (error, request, reply) => {
      const { problem } = problemOf(error, request.id);
      reply.hijack().raw.writeHead(problem.status, { 'content-type': PROBLEM_TYPE });
      reply.raw.end(JSON.stringify(problem));
    },
    // A misspelt parameter is an error, not something to drop in silence.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allowUnionTypes: true } },
    // Documents are made field by field. A compiled serialiser for each of them costs a megabyte of text and code.
    schemaController: {
      compilersFactory: { buildSerializer: () => () => (document) => JSON.stringify(document) },
    },
    http: { maxHeaderSize: HEAD_BYTES_MAX, headersTimeout: REQUEST_MS },
  }).withTypeProvider<TypeBoxProvider>();
  server.server.maxConnections = CONNECTIONS_MAX;
  // JSON only: a page of another site can send the other types without the browser asking first.
  server.removeContentTypeParser('text/plain');
  server.decorateRequest('actor', '');
  server.decorateRequest('role', 'viewer');
  return server;
}

/** A body that is read whole has to be there in time. */
function boundBodies(server: AdminServer, bodyMs: number): void {
  server.addHook('preParsing', async ({ raw, routeOptions }, reply) => {
    if (routeOptions.config.streams === true || raw.complete) return;
    // A request without a body is complete in a moment, an answer may take longer.
    const timer = setTimeout(() => {
      if (!raw.complete) raw.socket.destroy();
    }, bodyMs);
    reply.raw.once('close', () => clearTimeout(timer));
  });
}

/** The one place where errors become answers. */
function answerErrors(server: AdminServer, log: Logger): void {
  server.setErrorHandler((error, request, reply) => {
    const { problem, retryAfterS, defect } = problemOf(error, request.id);
    const event = { requestId: request.id, method: request.method, code: problem.code };
    if (defect) log.error({ event: 'admin_request_failed', ...event, err: error }, 'admin request failed');
    else if ((problem.status === 401 && problem.code !== 'login_required') || problem.status === 429) {
      log.warn({ event: 'admin_token_refused', ...event, address: request.ip }, 'admin token refused');
    }
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="turnout"');
    if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS));
    return reply.code(problem.status).type(PROBLEM_TYPE).send(problem);
  });
  server.setNotFoundHandler((request) => {
    throw new AdminError('not_found', `There is no ${request.method} ${request.url.split('?')[0]}.`);
  });
}

/**
 * Starts the admin listener.
 *
 * @throws the listener's own error, such as `EADDRINUSE`
 */
export async function createAdmin(options: AdminOptions): Promise<Admin> {
  const { listen, source, control = () => undefined, log, nowMs = () => performance.now() } = options;
  let tokens = options.tokens;
  let port = listen.port;
  const door: Doorkeeper = {
    tokens: () => tokens,
    failedLogins: new FailedLogins(nowMs),
    sessions: new Sessions(nowMs),
    cookie: () => cookieName(port),
    host: listen.host,
  };
  const server = createServer();
  answerErrors(server, log);
  boundBodies(server, options.bodyMs ?? REQUEST_MS);
  const stopping = new AbortController();
  // Jobs end after the batch under way, or the listener would wait for them.
  server.addHook('preClose', async () => stopping.abort());

  // Before anything is read or parsed: whoever may not ask is told so first.
  server.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-request-id': request.id,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    const actor = admit(request, door);
    if (actor === undefined) return;
    request.actor = actor.name;
    request.role = actor.role;
  });
  consoleRoutes(server, options.consoleFolder);
  serveOpenApi(server);
  const access = new ControlAccess(control);
  adminRoutes(server, source, access, log, stopping.signal);
  const guard = new GuardAccess(options.guard ?? (() => undefined), options.guardConfig ?? (() => undefined));
  guardRoutes(server, guard);
  rampRoutes(server, guard);
  const endLiveViews = liveRoutes(server, source, access, guard, log, stopping.signal);
  sessionRoutes(server, door, endLiveViews);
  reportRoutes(server, new ReportAccess(options.reports ?? (() => undefined)), access);

  await server.listen({ host: listen.host, port: listen.port });
  const bound = server.server.address();
  if (typeof bound === 'object' && bound !== null) port = bound.port;
  return {
    address: { host: listen.host, port },
    setTokens: (next) => {
      tokens = next;
      door.sessions.keepOnly(next);
      // Who may no longer look is found out when it connects again.
      endLiveViews();
    },
    close: () => server.close(),
  };
}
