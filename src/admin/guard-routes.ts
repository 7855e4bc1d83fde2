/** The guard: what it sees and judges, what tripped, and what would have tripped. */
import { type Static, Type } from '@sinclair/typebox';
import type { CohortGuard, Trip } from '../guard/guard-control.ts';
import { AdminError } from './admin-error.ts';
import { ConditionForm, conditionsOf } from './condition-form.ts';
import type { GuardAccess } from './guard-access.ts';
import {
  CohortGuardSchema,
  cohortGuardDocument,
  conditionDocument,
  DryRunSchema,
  dryRunDocument,
  type GuardDocument,
  GuardSchema,
  TripSchema,
  tripDocument,
} from './guard-documents.ts';
import { cohortUnknown } from './known-cohort.ts';
import { cursorOf, cursorUnknown, PageQuery, PageSchema, readCursor } from './page.ts';
import { planDocument } from './ramp-documents.ts';
import { CohortName, STRICT, UUID } from './request-parts.ts';
import type { AdminServer } from './type-provider.ts';

const CONDITIONS_MAX = 20;

const Moment = Type.String({ maxLength: 40, description: 'ISO 8601, such as 2026-11-21T09:00:00Z.' });

const DryRunBody = Type.Object(
  {
    cohort: CohortName,
    from: Moment,
    to: Moment,
    conditions: Type.Optional(
      Type.Array(ConditionForm, {
        minItems: 1,
        maxItems: CONDITIONS_MAX,
        description: 'With the same keys as in the configuration. Without: those in force.',
      }),
    ),
  },
  STRICT,
);

function momentOf(text: string, key: string): Date {
  const at = /^\d{4}-\d\d-\d\d(T.*)?$/u.test(text) ? new Date(text) : undefined;
  if (at !== undefined && !Number.isNaN(at.getTime())) return at;
  throw new AdminError('invalid_request', `${key} is a time such as 2026-11-21T09:00:00Z.`);
}

/** What the guard says of every cohort, and by which settings. */
export function guardDocument(cohorts: readonly CohortGuard[], access: GuardAccess): GuardDocument {
  const { windowMs, conditions, fallback, ramps } = access.config;
  return {
    windowMs,
    conditions: conditions.map(conditionDocument),
    fallback: { ...fallback },
    plans: Object.fromEntries(Object.entries(ramps).map(([name, plan]) => [name, planDocument(plan)])),
    cohorts: cohorts.map(cohortGuardDocument),
  };
}

function statusRoutes(server: AdminServer, access: GuardAccess): void {
  server.get(
    '/api/v1/guard',
    {
      config: {
        summary: 'What the guard sees and judges of every cohort',
        description: 'With the last two minutes of both backends, second by second.',
      },
      schema: { response: { 200: GuardSchema } },
    },
    async () => guardDocument(await access.ask((guard) => guard.status()), access),
  );

  server.get(
    '/api/v1/guard/:cohort',
    {
      config: { summary: 'What the guard sees and judges of one cohort' },
      schema: { params: Type.Object({ cohort: CohortName }), response: { 200: CohortGuardSchema } },
    },
    async ({ params }) => {
      const [found] = await access.ask((guard) => guard.status(params.cohort));
      if (found === undefined) {
        const all = await access.ask((guard) => guard.status());
        throw cohortUnknown(
          params.cohort,
          all.map(({ cohort }) => ({ name: cohort })),
        );
      }
      return cohortGuardDocument(found);
    },
  );
}

const TripsQuery = Type.Object({ ...PageQuery, cohort: Type.Optional(CohortName) }, STRICT);

async function listTrips(access: GuardAccess, query: Static<typeof TripsQuery>): Promise<readonly Trip[]> {
  const before = query.cursor === undefined ? undefined : readCursor(query.cursor);
  if (before !== undefined && !new RegExp(UUID, 'u').test(before)) throw cursorUnknown();
  return access.ask((guard) => guard.trips(before, Number(query.limit), query.cohort));
}

function tripRoutes(server: AdminServer, access: GuardAccess): void {
  server.get(
    '/api/v1/guard/trips',
    {
      config: { summary: 'What tripped, the newest first' },
      schema: { querystring: TripsQuery, response: { 200: PageSchema(TripSchema) } },
    },
    async ({ query }) => {
      const trips = await listTrips(access, query);
      const last = trips.length === Number(query.limit) ? trips.at(-1) : undefined;
      return { items: trips.map(tripDocument), next: last === undefined ? null : cursorOf(last.id) };
    },
  );

  server.get(
    '/api/v1/guard/trips/:id',
    {
      config: {
        summary: 'One trip: which condition, which figures, which gateways, how long until in force',
      },
      schema: {
        params: Type.Object({ id: Type.String({ pattern: UUID }) }),
        response: { 200: TripSchema },
      },
    },
    async ({ params: { id } }) => {
      const trip = await access.ask((guard) => guard.trip(id));
      if (trip === undefined) throw new AdminError('trip_unknown', `There is no trip ${id}.`);
      return tripDocument(trip);
    },
  );
}

function dryRunRoute(server: AdminServer, access: GuardAccess): void {
  server.post(
    '/api/v1/guard/dry-run',
    {
      config: {
        summary: 'When would it have tripped?',
        description:
          'Judges recorded seconds of at most 14 days, by the conditions in force or by others. Changes nothing.',
      },
      schema: { body: DryRunBody, response: { 200: DryRunSchema } },
    },
    async ({ body }) => {
      const from = momentOf(body.from, 'from');
      const to = momentOf(body.to, 'to');
      if (from >= to) throw new AdminError('invalid_request', '`from` is before `to`.');
      const conditions =
        body.conditions === undefined ? undefined : conditionsOf(body.conditions, access.config);
      const { cohort } = body;
      return dryRunDocument(await access.ask((guard) => guard.dryRun({ cohort, from, to, conditions })));
    },
  );
}

export function guardRoutes(server: AdminServer, access: GuardAccess): void {
  statusRoutes(server, access);
  tripRoutes(server, access);
  dryRunRoute(server, access);
}
