import t from 'tap';
import { openAdmin } from './open-admin.ts';

/** Every route of the listener. */
const ROUTES = [
  'delete /api/v1/cohorts/{name}',
  'delete /api/v1/cohorts/{name}/members',
  'delete /api/v1/gateways/{id}',
  'delete /api/v1/session',
  'delete /api/v1/users/{user}/pin',
  'get /api/v1/changes',
  'get /api/v1/changes/{id}',
  'get /api/v1/changes/{id}/dirty',
  'get /api/v1/cohorts',
  'get /api/v1/cohorts/{name}',
  'get /api/v1/cohorts/{name}/members',
  'get /api/v1/cohorts/{name}/ramp',
  'get /api/v1/cohorts/{name}/report',
  'get /api/v1/coverage',
  'get /api/v1/events',
  'get /api/v1/explain',
  'get /api/v1/gateways',
  'get /api/v1/guard',
  'get /api/v1/guard/trips',
  'get /api/v1/guard/trips/{id}',
  'get /api/v1/guard/{cohort}',
  'get /api/v1/mismatches',
  'get /api/v1/mismatches/{id}',
  'get /api/v1/routes/{route}/rules',
  'get /api/v1/session',
  'get /api/v1/status',
  'get /api/v1/users/{user}',
  'get /livez',
  'get /metrics',
  'get /openapi.json',
  'get /readyz',
  'patch /api/v1/cohorts/{name}',
  'post /api/v1/cohorts',
  'post /api/v1/cohorts/{name}/members',
  'post /api/v1/cohorts/{name}/ramp',
  'post /api/v1/cohorts/{name}/reassign',
  'post /api/v1/cohorts/{name}/rollback',
  'post /api/v1/cohorts/{name}/stage',
  'post /api/v1/guard/dry-run',
  'post /api/v1/mismatches/{id}/acknowledge',
  'post /api/v1/mismatches/{id}/assign',
  'post /api/v1/mismatches/{id}/ignore',
  'post /api/v1/mismatches/{id}/reopen',
  'post /api/v1/mismatches/{id}/resolve',
  'post /api/v1/mismatches/{id}/verify',
  'post /api/v1/rebuild',
  'post /api/v1/routes/{route}/rules/try',
  'post /api/v1/session',
  'put /api/v1/routes/{route}/rules',
  'put /api/v1/users/{user}/pin',
];

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly parameters: readonly { name: string; in: string; required: boolean }[];
  readonly requestBody?: object;
  readonly responses: Record<string, object>;
}

void t.test('the OpenAPI document has every route, with what it takes and answers', async (t) => {
  const { ask } = await openAdmin(t);
  const document: { openapi: string; paths: Record<string, Record<string, Operation>> } = JSON.parse(
    (await ask('/openapi.json')).body,
  );
  t.match(document.openapi, /^3\.1\./u);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ route: `${method} ${path}`, path, operation })),
  );
  t.same(operations.map(({ route }) => route).toSorted(), ROUTES);
  const ids = new Set(operations.map(({ operation }) => operation.operationId));
  t.equal(ids.size, operations.length, 'operation ids are unique');
  for (const { route, path, operation } of operations) {
    t.ok(operation.summary, route);
    const inPath = operation.parameters.filter((parameter) => parameter.in === 'path');
    t.same(
      inPath.map(({ name, required }) => [name, required]),
      [...path.matchAll(/\{(\w+)\}/gu)].map(([, name]) => [name, true]),
      route,
    );
    t.ok('default' in operation.responses, route);
    const takesBody = /^(post|put|patch|delete)/u.test(route) && route !== 'delete /api/v1/session';
    t.equal(operation.requestBody !== undefined, takesBody, route);
  }
  const stage = document.paths['/api/v1/cohorts/{name}/stage']?.['post'];
  t.match(stage?.parameters, [
    { name: 'name' },
    { name: 'idempotency-key', in: 'header', required: false },
    {},
  ]);
  t.match(stage, {
    requestBody: { content: { 'application/json': { schema: { required: ['stage', 'reason'] } } } },
    responses: { 200: {}, 202: {} },
  });
});
