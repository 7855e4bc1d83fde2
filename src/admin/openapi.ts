/**
 * The OpenAPI document of the admin API, made from the very schemas that the routes check and answer with.
 * OpenAPI 3.1 takes JSON schemas as they are, so there is little to translate: where each parameter is sent.
 */
import type { RouteOptions } from 'fastify';
import { VERSION } from '../telemetry/version.ts';
import { ProblemSchema } from './admin-error.ts';
import type { AdminServer } from './type-provider.ts';

type Json = Readonly<Record<string, unknown>>;

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
}

const PROBLEM = {
  description: 'A problem document (RFC 9457); `code` is stable',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** A schema without what its library adds for its own use, which is under symbols and does not become JSON. */
function isObjectSchema(schema: unknown): schema is ObjectSchema {
  return typeof schema === 'object' && schema !== null;
}

function parameters(schema: unknown, where: 'path' | 'query' | 'header'): Json[] {
  if (!isObjectSchema(schema)) return [];
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path' || (required.includes(name) && !('default' in rest)),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function responses(route: RouteOptions): Json {
  const { produces = 'application/json', alsoProduces } = route.config ?? {};
  const also = alsoProduces === undefined ? {} : { [alsoProduces]: {} };
  const declared = isObjectSchema(route.schema?.response) ? Object.entries(route.schema.response) : [];
  const entries = declared.length === 0 ? [['200', route.config?.answers] as const] : declared;
  const answers = entries.map(([status, schema]) => {
    const content = { [produces]: schema === undefined ? {} : { schema }, ...also };
    return [status, { description: status === '202' ? 'Accepted; not over yet' : 'The answer', content }];
  });
  return { ...Object.fromEntries(answers), default: PROBLEM };
}

/** `GET /api/v1/cohorts/:name` is `get-cohorts-name`. */
function operationId(method: string, url: string): string {
  const words = url.split(/[/:.]+/u).filter((word) => !['', 'api', 'v1'].includes(word));
  return [method.toLowerCase(), ...words].join('-');
}

function operation(method: string, route: RouteOptions): Json {
  const { schema, config, url } = route;
  const { summary, description } = config ?? {};
  return {
    operationId: operationId(method, url),
    ...(summary === undefined ? {} : { summary }),
    ...(description === undefined ? {} : { description }),
    parameters: [
      ...parameters(schema?.params, 'path'),
      ...parameters(schema?.querystring, 'query'),
      ...parameters(schema?.headers, 'header'),
    ],
    ...requestBody(route),
    responses: responses(route),
  };
}

function requestBody({ schema, config }: RouteOptions): Json {
  if (config?.consumes !== undefined) {
    return {
      requestBody: { required: true, content: { [config.consumes]: { schema: { type: 'string' } } } },
    };
  }
  if (schema?.body === undefined) return {};
  return { requestBody: { required: true, content: { 'application/json': { schema: schema.body } } } };
}

function methodsOf({ method }: RouteOptions): string[] {
  // Fastify adds HEAD for every GET.
  return [method].flat().filter((each) => each !== 'HEAD');
}

function documentOf(routes: readonly RouteOptions[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = route.url.replace(/:(\w+)/gu, '{$1}');
    for (const method of methodsOf(route)) {
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(method, route) };
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Turnout admin API', version: VERSION },
    security: [{ token: [] }, {}],
    paths,
    components: {
      schemas: { Problem: ProblemSchema },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

/** Call it before any other route is added: it collects those that come after it. */
export function serveOpenApi(server: AdminServer): void {
  const routes: RouteOptions[] = [];
  server.addHook('onRoute', (route) => void routes.push(route));
  server.get('/openapi.json', { config: { summary: 'This document' } }, async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(documentOf(routes))),
  );
}
