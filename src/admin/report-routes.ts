/** Mismatch groups as work items, what was compared, and the report on a cohort. */
import { Type } from '@sinclair/typebox';
import { GROUP_SORTS, GROUPS_PAGE_MAX, type GroupFilter } from '../reports/group-list.ts';
import { GROUP_STATUSES, type GroupAction } from '../reports/report-store.ts';
import { JUDGEMENTS, type JudgementKind } from '../reports/statistics.ts';
import { AdminError } from './admin-error.ts';
import type { ControlAccess } from './control-access.ts';
import { CohortFilter, evidenceRoutes } from './evidence-routes.ts';
import { refuseUnknownCohort } from './known-cohort.ts';
import { cursorOf, PageQuery, PageSchema, readCursor } from './page.ts';
import type { ReportAccess } from './report-access.ts';
import {
  GroupInFullSchema,
  GroupSchema,
  groupDocument,
  groupInFull,
  VerificationSchema,
  verificationDocument,
} from './report-documents.ts';
import { rulesRoutes } from './rules-routes.ts';
import type { AdminServer } from './type-provider.ts';

const Params = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{16}$' }) });
const Note = Type.String({ minLength: 1, maxLength: 1_000, pattern: '\\S' });
const Owner = Type.String({ minLength: 1, maxLength: 256, pattern: '\\S' });
function wordsOf<T extends string>(
  text: string | undefined,
  known: readonly T[],
  what: string,
): readonly T[] {
  if (text === undefined || text === '') return [];
  return text.split(',').map((word) => {
    const found = known.find((one) => one === word);
    if (found !== undefined) return found;
    throw new AdminError('invalid_request', `There is no ${what} ${word}: it is one of ${known.join(', ')}.`);
  });
}

function judgementsOf(text: string | undefined): readonly JudgementKind[] {
  return text === 'all' ? JUDGEMENTS : wordsOf(text, JUDGEMENTS, 'judgement');
}

const ListQuery = Type.Object(
  {
    ...PageQuery,
    status: Type.Optional(
      Type.String({
        maxLength: 100,
        description: `Any of ${GROUP_STATUSES.join(', ')}, separated by commas.`,
      }),
    ),
    judgement: Type.Optional(
      Type.String({
        maxLength: 100,
        description: `Any of ${JUDGEMENTS.join(', ')}, separated by commas, or all. Without: reported, unproven.`,
      }),
    ),
    route: Type.Optional(Type.String({ maxLength: 256 })),
    cohort: Type.Optional(CohortFilter),
    sort: Type.Optional(Type.String({ maxLength: 32, description: `One of ${GROUP_SORTS.join(', ')}.` })),
  },
  { additionalProperties: false },
);

const Judged = Type.Object({
  reported: Type.Integer(),
  unproven: Type.Integer(),
  unconfirmed: Type.Integer(),
  noise: Type.Integer(),
});

function listRoutes(server: AdminServer, access: ReportAccess, control: ControlAccess): void {
  server.get(
    '/api/v1/mismatches',
    {
      config: {
        summary: 'Groups of differences, what matters most first',
        description:
          'Groups that noise explains, or that were never confirmed, are shown on demand: `judgement`.',
      },
      schema: {
        querystring: ListQuery,
        response: {
          200: Type.Object({
            ...PageSchema(GroupSchema).properties,
            total: Type.Integer(),
            /** Of the groups of these statuses, route and cohort. */
            judged: Judged,
          }),
        },
      },
    },
    async ({ query }) => {
      const { route, cohort, cursor } = query;
      const [sort = 'importance'] = wordsOf(query.sort, GROUP_SORTS, 'order');
      const filter: GroupFilter = {
        statuses: wordsOf(query.status, GROUP_STATUSES, 'status'),
        judgements: judgementsOf(query.judgement),
        sort,
        limit: Math.min(Number(query.limit), GROUPS_PAGE_MAX),
        ...(cursor === undefined ? {} : { after: readCursor(cursor) }),
      };
      const of = { ...(route === undefined ? {} : { route }), ...(cohort === undefined ? {} : { cohort }) };
      const page = await access.ask((reports) => reports.list({ ...filter, ...of }));
      if (cohort !== undefined && page.total === 0) await refuseUnknownCohort(cohort, control);
      const last = page.hasMore ? page.groups.at(-1) : undefined;
      return {
        items: page.groups.map(groupDocument),
        next: last === undefined ? null : cursorOf(last.id),
        total: page.total,
        judged: page.judged,
      };
    },
  );

  server.get(
    '/api/v1/mismatches/:id',
    {
      config: { summary: 'One group, with its samples, what was done with it, and its watch' },
      schema: { params: Params, response: { 200: GroupInFullSchema } },
    },
    async ({ params: { id } }) => groupInFull(found(id, await access.ask((reports) => reports.show(id)))),
  );
}

function found<T>(id: string, group: T | undefined): T {
  if (group !== undefined) return group;
  throw new AdminError(
    'mismatch_unknown',
    `There is no mismatch group ${id}. It may have made room for others.`,
  );
}

function actionRoutes(server: AdminServer, access: ReportAccess): void {
  async function act(id: string, actor: string, action: GroupAction) {
    return groupDocument(found(id, await access.ask((reports) => reports.act(id, actor, action))));
  }
  const noted = Type.Object({ note: Type.Optional(Note) }, { additionalProperties: false });
  const answer = { params: Params, response: { 200: GroupSchema } };

  server.post(
    '/api/v1/mismatches/:id/acknowledge',
    {
      config: { summary: 'Say that somebody looks at it' },
      schema: {
        ...answer,
        body: Type.Object(
          { owner: Type.Optional(Owner), note: Type.Optional(Note) },
          { additionalProperties: false },
        ),
      },
    },
    async ({ params, body, actor }) => act(params.id, actor, { action: 'acknowledge', ...body }),
  );

  server.post(
    '/api/v1/mismatches/:id/assign',
    {
      config: { summary: 'Say whose it is', description: '`owner: null`: nobody is to look after it.' },
      schema: {
        ...answer,
        body: Type.Object(
          { owner: Type.Union([Owner, Type.Null()]), note: Type.Optional(Note) },
          { additionalProperties: false },
        ),
      },
    },
    async ({ params, body: { owner, ...rest }, actor }) =>
      act(params.id, actor, { action: 'assign', owner: owner ?? undefined, ...rest }),
  );

  server.post(
    '/api/v1/mismatches/:id/ignore',
    {
      config: { summary: 'Ignore it until a moment; then it is open again' },
      schema: {
        ...answer,
        body: Type.Object(
          { until: Type.String({ format: 'date-time' }), note: Type.Optional(Note) },
          { additionalProperties: false },
        ),
      },
    },
    async ({ params, body: { until, ...rest }, actor }) =>
      act(params.id, actor, { action: 'ignore', until: Date.parse(until), ...rest }),
  );

  server.post(
    '/api/v1/mismatches/:id/resolve',
    {
      config: {
        summary: 'Say that it is fixed',
        description: 'A confirmed difference that comes later opens it again.',
      },
      schema: { ...answer, body: noted },
    },
    async ({ params, body, actor }) => act(params.id, actor, { action: 'resolve', ...body }),
  );

  server.post(
    '/api/v1/mismatches/:id/reopen',
    { config: { summary: 'Open it again' }, schema: { ...answer, body: noted } },
    async ({ params, body, actor }) => act(params.id, actor, { action: 'reopen', ...body }),
  );

  server.post(
    '/api/v1/mismatches/:id/verify',
    {
      config: {
        summary: 'Find out whether it is fixed',
        description:
          "Asks both backends for its samples' reads again, as far as they can be asked again. Where they cannot " +
          'tell, the next compared reads of the route will: ask again later.',
      },
      schema: {
        params: Params,
        body: Type.Object({}, { additionalProperties: false }),
        response: { 200: VerificationSchema },
      },
    },
    async ({ params: { id }, actor }) =>
      verificationDocument(found(id, await access.ask((reports) => reports.verify(id, actor)))),
  );
}

export function reportRoutes(server: AdminServer, access: ReportAccess, control: ControlAccess): void {
  listRoutes(server, access, control);
  actionRoutes(server, access);
  evidenceRoutes(server, access, control);
  rulesRoutes(server, access);
}
