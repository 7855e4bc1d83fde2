/** The resources through which an operator moves cohorts: cohorts, changes, gateways. */
import { Type } from '@sinclair/typebox';
import type { Logger } from 'pino';
import type { StageRequest } from '../cutover/control.ts';
import { STAGES, type Stage } from '../model.ts';
import { AdminError } from './admin-error.ts';
import type { AdminSource } from './admin-source.ts';
import { changeStage, outcomeOf, WAIT_MAX_S, waitMsOf } from './change-stage.ts';
import type { ControlAccess } from './control-access.ts';
import {
  ChangeInProgressSchema,
  ChangeSchema,
  CohortAtEpochSchema,
  CohortSchema,
  changeDocument,
  changeInProgress,
  cohortDocument,
  GatewaySchema,
  gatewayDocument,
  StageAnswerSchema,
} from './control-documents.ts';
import { cursorOf, cursorUnknown, PageQuery, PageSchema, pageOf, readCursor } from './page.ts';
import { RampFormSchema, rampOf } from './ramp-form.ts';
import type { AdminServer } from './type-provider.ts';

const REASON_CHARS_MAX = 1_000;
const UUID = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';

const CohortName = Type.String({ minLength: 1, maxLength: 256 });
const Reason = Type.String({
  minLength: 1,
  maxLength: REASON_CHARS_MAX,
  pattern: '\\S',
  description: 'Why, for the audit.',
});

const StageBody = Type.Object(
  {
    stage: Type.String({ minLength: 1, maxLength: 32, description: `One of ${STAGES.join(', ')}.` }),
    ramp: Type.Optional(RampFormSchema),
    reason: Reason,
    expectedEpoch: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Refused unless the map is at this epoch.',
      }),
    ),
  },
  { additionalProperties: false },
);

const StageHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[\\x21-\\x7e]{1,128}$',
      description: 'A second request with the key of a first gets the change that the first began.',
    }),
  ),
  prefer: Type.Optional(
    Type.String({
      maxLength: 256,
      description: `\`wait=SECONDS\` (RFC 7240): how long to wait for the change to be over, 0 to ${WAIT_MAX_S}.`,
    }),
  ),
});

function stageOf(word: string): Stage {
  const stage = STAGES.find((known) => known === word);
  if (stage !== undefined) return stage;
  throw new AdminError('stage_unknown', `There is no stage ${word}: it is one of ${STAGES.join(', ')}.`);
}

function cohortRoutes(server: AdminServer, source: AdminSource, access: ControlAccess): void {
  /** The record has the cohorts, the map says at which epoch it is and whose writes wait. */
  async function cohortsNow() {
    const [cohorts, open, status] = await Promise.all([
      access.ask((control) => control.cohorts()),
      access.openChanges(),
      source.status(),
    ]);
    const held = new Set(status.cohorts.filter((cohort) => cohort.held).map(({ name }) => name));
    const documents = cohorts.map((cohort) => cohortDocument(cohort, held, open));
    return { epoch: status.stores.state?.epoch ?? 0, cohorts: documents };
  }

  server.get(
    '/api/v1/cohorts',
    {
      config: { summary: 'The cohorts, in the order in which their rules are tried' },
      schema: {
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: {
          200: Type.Object({ epoch: Type.Integer(), ...PageSchema(CohortSchema).properties }),
        },
      },
    },
    async ({ query }) => {
      const { epoch, cohorts } = await cohortsNow();
      return { epoch, ...pageOf(cohorts, ({ name }) => name, Number(query.limit), query.cursor) };
    },
  );

  server.get(
    '/api/v1/cohorts/:name',
    {
      config: { summary: 'One cohort' },
      schema: { params: Type.Object({ name: CohortName }), response: { 200: CohortAtEpochSchema } },
    },
    async ({ params }) => {
      const { epoch, cohorts } = await cohortsNow();
      const cohort = cohorts.find(({ name }) => name === params.name);
      if (cohort === undefined) {
        throw new AdminError('cohort_unknown', `There is no cohort ${params.name}.`);
      }
      return { epoch, cohort };
    },
  );

  server.post(
    '/api/v1/cohorts/:name/stage',
    {
      config: {
        summary: 'Change the stage or the ramp of a cohort, through the barrier',
        description:
          'Answers 200 when the change is in force everywhere, 202 while it is not over after a bounded wait, ' +
          'and 409 `change_undone` when it was undone and nobody moved. Without `ramp` the ramp stays.',
      },
      schema: {
        params: Type.Object({ name: CohortName }),
        headers: StageHeaders,
        body: StageBody,
        response: { 200: StageAnswerSchema, 202: StageAnswerSchema },
      },
    },
    async (request, reply) => {
      const { ramp, stage, reason, expectedEpoch } = request.body;
      const wanted: StageRequest = {
        cohort: request.params.name,
        stage: stageOf(stage),
        ramp: ramp === undefined ? undefined : rampOf(ramp),
        actor: request.actor,
        reason,
        expectedEpoch,
        idempotencyKey: request.headers['idempotency-key'],
      };
      const waitMs = waitMsOf(request.headers.prefer);
      if (request.headers.prefer !== undefined) reply.header('preference-applied', `wait=${waitMs / 1_000}`);
      const change = await changeStage(access, wanted, waitMs);
      reply.header('location', `/api/v1/changes/${change.id}`);
      reply.code(outcomeOf(change) === 'done' ? 200 : 202);
      const document = changeDocument(change);
      return { epoch: document.epoch, change: document };
    },
  );
}

function changeRoutes(server: AdminServer, access: ControlAccess): void {
  server.get(
    '/api/v1/changes',
    {
      config: { summary: 'The audit: every change, the newest first' },
      schema: {
        querystring: Type.Object(
          { ...PageQuery, cohort: Type.Optional(CohortName) },
          { additionalProperties: false },
        ),
        response: { 200: PageSchema(ChangeSchema) },
      },
    },
    async ({ query }) => {
      const limit = Number(query.limit);
      const before = query.cursor === undefined ? undefined : readCursor(query.cursor);
      if (before !== undefined && !new RegExp(UUID, 'u').test(before)) throw cursorUnknown();
      const changes = await access.ask((control) => control.changes(before, limit, query.cohort));
      const last = changes.length === limit ? changes.at(-1) : undefined;
      return { items: changes.map(changeDocument), next: last === undefined ? null : cursorOf(last.id) };
    },
  );

  server.get(
    '/api/v1/changes/:id',
    {
      config: { summary: "One change; while it is in progress, with every gateway's acknowledgement" },
      schema: {
        params: Type.Object({ id: Type.String({ pattern: UUID }) }),
        response: { 200: ChangeInProgressSchema },
      },
    },
    async ({ params }) => {
      const [change, gateways] = await access.ask((control) =>
        Promise.all([control.change(params.id), control.gateways()]),
      );
      if (change === undefined) throw new AdminError('change_unknown', `There is no change ${params.id}.`);
      return changeInProgress(change, gateways);
    },
  );
}

const EvictBody = Type.Object(
  {
    risk: Type.Literal('accepted', {
      description:
        'Nobody waits for this gateway any more. Should its process still run, it may send writes to a backend ' +
        'that has lost their users. Evict only what is gone for certain.',
    }),
    reason: Reason,
  },
  { additionalProperties: false },
);

function gatewayRoutes(server: AdminServer, access: ControlAccess, log: Logger): void {
  server.get(
    '/api/v1/gateways',
    {
      config: { summary: 'The gateways that a change has to wait for' },
      schema: {
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: PageSchema(GatewaySchema) },
      },
    },
    async ({ query }) => {
      const gateways = await access.ask((control) => control.gateways());
      const sorted = gateways.map(gatewayDocument).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      return pageOf(sorted, ({ id }) => id, Number(query.limit), query.cursor);
    },
  );

  server.delete(
    '/api/v1/gateways/:id',
    {
      config: { summary: 'Evict a gateway that is gone: nobody waits for it any more' },
      schema: {
        params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 256 }) }),
        body: EvictBody,
        response: { 200: Type.Object({ evicted: Type.String() }) },
      },
    },
    async ({ params: { id }, body, actor }) => {
      const gateways = await access.ask((control) => control.gateways());
      const gateway = gateways.find((known) => known.id === id);
      if (gateway?.verdict === 'live') {
        const detail = `Gateway ${id} (${gateway.where}) is live, and acknowledges changes by itself. Stop it instead.`;
        throw new AdminError('gateway_live', detail);
      }
      if (gateway === undefined || !(await access.ask((control) => control.evictGateway(id)))) {
        throw new AdminError('gateway_unknown', `There is no gateway ${id}.`);
      }
      log.warn({ event: 'gateway_evicted', gateway: id, actor, reason: body.reason }, 'gateway evicted');
      return { evicted: id };
    },
  );
}

export function controlRoutes(
  server: AdminServer,
  source: AdminSource,
  access: ControlAccess,
  log: Logger,
): void {
  cohortRoutes(server, source, access);
  changeRoutes(server, access);
  gatewayRoutes(server, access, log);
}
