/** The resources of the admin listener. Each declares what it takes and what it answers. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Type } from '@sinclair/typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import { USER_BYTES_MAX } from '../model.ts';
import { CONTENT_TYPE } from '../telemetry/exposition.ts';
import { AdminError } from './admin-error.ts';
import {
  type AdminSource,
  ExplanationSchema,
  type HypotheticalRequest,
  ReadinessSchema,
  StatusSchema,
} from './admin-source.ts';
import type { TypeBoxProvider } from './type-provider.ts';

export type AdminServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxProvider
>;

/** Paths that a probe or a scraper reads without a token. They say nothing about users. */
export const OPEN_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);

const HEADER_PREFIX = 'header.';
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";

const ExplainQuery = Type.Object(
  {
    user: Type.Optional(Type.String({ minLength: 1, maxLength: USER_BYTES_MAX })),
    method: Type.String({ pattern: `^${TOKEN}$`, maxLength: 32, default: 'GET' }),
    path: Type.String({ pattern: '^/', maxLength: 8_192, default: '/' }),
  },
  {
    additionalProperties: false,
    patternProperties: {
      [`^header\\.${TOKEN}$`]: {
        anyOf: [
          { type: 'string', maxLength: 8_192 },
          { type: 'array', items: { type: 'string', maxLength: 8_192 }, maxItems: 20 },
        ],
      },
    },
  },
);

/** `header.x-plan=staff` is a header of the request to explain; given twice, it has the header twice. */
function headersOf(query: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(query)
    .filter(([name]) => name.startsWith(HEADER_PREFIX))
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((each) => [name, String(each)]))
    .map(([name = '', value = '']): [string, string] => [name.slice(HEADER_PREFIX.length), value]);
}

function userOf(user: string | undefined): { user?: string } {
  if (user === undefined) return {};
  if (Buffer.byteLength(user) > USER_BYTES_MAX) {
    throw new AdminError('invalid_request', `A user has at most ${USER_BYTES_MAX} bytes.`);
  }
  return { user };
}

function healthRoutes(server: AdminServer, source: AdminSource): void {
  server.get(
    '/livez',
    { schema: { response: { 200: Type.Object({ status: Type.Literal('alive') }) } } },
    async () => ({ status: 'alive' as const }),
  );
  server.get(
    '/readyz',
    { schema: { response: { 200: ReadinessSchema, 503: ReadinessSchema } } },
    async (_request, reply) => {
      const readiness = await source.readiness();
      return reply.code(readiness.status === 'ready' ? 200 : 503).send(readiness);
    },
  );
  server.get('/metrics', async (_request, reply) => reply.type(CONTENT_TYPE).send(await source.metrics()));
}

export function adminRoutes(server: AdminServer, source: AdminSource): void {
  healthRoutes(server, source);
  server.get('/api/v1/status', { schema: { response: { 200: StatusSchema } } }, async () => source.status());
  server.get(
    '/api/v1/explain',
    { schema: { querystring: ExplainQuery, response: { 200: ExplanationSchema } } },
    async ({ query }) => {
      const request: HypotheticalRequest = {
        method: query.method,
        target: query.path,
        headers: headersOf(query),
        ...userOf(query.user),
      };
      return source.explain(request);
    },
  );
}
