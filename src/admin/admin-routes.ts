/** The resources of the admin listener. Each declares what it takes and what it answers. */

import { Type } from '@sinclair/typebox';
import type { Logger } from 'pino';
import { USER_BYTES_MAX } from '../model.ts';
import { CONTENT_TYPE } from '../telemetry/exposition.ts';
import {
  type AdminSource,
  ExplanationSchema,
  type HypotheticalRequest,
  ReadinessSchema,
} from './admin-source.ts';
import type { ControlAccess } from './control-access.ts';
import { controlRoutes } from './control-routes.ts';
import { expectUser } from './request-parts.ts';
import { FullStatusSchema, fullStatus } from './status-document.ts';
import type { AdminServer } from './type-provider.ts';

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
  return user === undefined ? {} : { user: expectUser(user) };
}

function healthRoutes(server: AdminServer, source: AdminSource): void {
  server.get(
    '/livez',
    {
      config: { summary: 'Whether the process is alive' },
      schema: { response: { 200: Type.Object({ status: Type.Literal('alive') }) } },
    },
    async () => ({ status: 'alive' as const }),
  );
  server.get(
    '/readyz',
    {
      config: { summary: 'Whether it serves' },
      schema: { response: { 200: ReadinessSchema, 503: ReadinessSchema } },
    },
    async (_request, reply) => {
      const readiness = await source.readiness();
      return reply.code(readiness.status === 'ready' ? 200 : 503).send(readiness);
    },
  );
  const metrics = { config: { summary: 'Metrics for Prometheus', produces: 'text/plain' } };
  server.get('/metrics', metrics, async (_request, reply) =>
    reply.type(CONTENT_TYPE).send(await source.metrics()),
  );
}

function observingRoutes(server: AdminServer, source: AdminSource, access: ControlAccess): void {
  server.get(
    '/api/v1/status',
    {
      config: { summary: 'Workers, epochs, stores, cohorts, and what is in progress' },
      schema: { response: { 200: FullStatusSchema } },
    },
    async () => fullStatus(source, access),
  );
  server.get(
    '/api/v1/explain',
    {
      config: {
        summary: 'Where a request would go, and why',
        description: '`header.NAME=VALUE` gives the request a header; it may be repeated.',
      },
      schema: { querystring: ExplainQuery, response: { 200: ExplanationSchema } },
    },
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

/** @param stopping aborted when the listener closes */
export function adminRoutes(
  server: AdminServer,
  source: AdminSource,
  access: ControlAccess,
  log: Logger,
  stopping: AbortSignal,
): void {
  healthRoutes(server, source);
  observingRoutes(server, source, access);
  controlRoutes(server, source, access, log, stopping);
}
