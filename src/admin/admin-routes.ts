/** The resources of the admin listener. Each declares what it takes and what it answers. */

import { type Static, Type } from '@sinclair/typebox';
import type { Logger } from 'pino';
import { USER_BYTES_MAX } from '../model.ts';
import { CONTENT_TYPE } from '../telemetry/exposition.ts';
import {
  type AdminSource,
  ExplanationSchema,
  type HypotheticalRequest,
  ReadinessSchema,
  StatusSchema,
} from './admin-source.ts';
import type { ControlAccess } from './control-access.ts';
import { ChangeSchema, changeDocument, GatewaySchema, gatewayDocument } from './control-documents.ts';
import { controlRoutes } from './control-routes.ts';
import { expectUser } from './request-parts.ts';
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

/** What the gateways say of themselves, and what the record and the map say of changes and gateways. */
export const FullStatusSchema = Type.Object({
  ...StatusSchema.properties,
  /** Changes that are not over; `null` when the record does not answer. */
  changes: Type.Union([Type.Array(ChangeSchema), Type.Null()]),
  /** The gateways that a change has to wait for; `null` when the stores do not answer. */
  registry: Type.Union([Type.Array(GatewaySchema), Type.Null()]),
});
export type FullStatusDocument = Static<typeof FullStatusSchema>;

function observingRoutes(server: AdminServer, source: AdminSource, access: ControlAccess): void {
  server.get(
    '/api/v1/status',
    {
      config: { summary: 'Workers, epochs, stores, cohorts, and what is in progress' },
      schema: { response: { 200: FullStatusSchema } },
    },
    async () => {
      const [status, inProgress] = await Promise.all([source.status(), access.inProgress()]);
      return {
        ...status,
        changes: inProgress?.changes.map(changeDocument) ?? null,
        registry: inProgress?.gateways.map(gatewayDocument) ?? null,
      };
    },
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
