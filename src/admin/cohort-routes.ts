/** The resources of cohorts: what they are, and how they are moved. */
import { type Static, Type } from '@sinclair/typebox';
import type { ChangeAuthor, RollbackRequest, StageRequest } from '../cutover/control.ts';
import { STAGES, type Stage } from '../model.ts';
import { AdminError } from './admin-error.ts';
import type { AdminSource } from './admin-source.ts';
import type { WantedChange } from './begin-change.ts';
import { definitionRoutes } from './cohort-definition-routes.ts';
import type { ControlAccess } from './control-access.ts';
import {
  ChangeAnswerSchema,
  CohortAtEpochSchema,
  CohortSchema,
  cohortDocument,
  PreviewSchema,
  previewDocument,
  RollbackAnswerSchema,
} from './control-documents.ts';
import { cohortUnknown } from './known-cohort.ts';
import { PageQuery, PageSchema, pageOf } from './page.ts';
import { rampOf, sameRamp } from './ramp-form.ts';
import { RampFormSchema } from './ramp-schema.ts';
import {
  ABOUT_UNDONE,
  authorOf,
  authorProperties,
  ChangeHeaders,
  CohortParams,
  carryOut,
  DirtyUsers,
  STRICT,
} from './request-parts.ts';
import type { AdminServer } from './type-provider.ts';

/** Users in the answer to a rollback; all of them are under its change. */
const DIRTY_LISTED_MAX = 1_000;

const StageBody = Type.Object(
  {
    stage: Type.String({ minLength: 1, maxLength: 32, description: `One of ${STAGES.join(', ')}.` }),
    ramp: Type.Optional(RampFormSchema),
    dirtyUsers: DirtyUsers,
    ...authorProperties,
  },
  STRICT,
);

const RollbackBody = Type.Object(
  {
    dirtyUsers: DirtyUsers,
    dryRun: Type.Optional(
      Type.Boolean({ description: 'Say only who would go back, and whose writes would be stranded.' }),
    ),
    ...authorProperties,
  },
  STRICT,
);

function stageOf(word: string): Stage {
  const stage = STAGES.find((known) => known === word);
  if (stage !== undefined) return stage;
  throw new AdminError('stage_unknown', `There is no stage ${word}: it is one of ${STAGES.join(', ')}.`);
}

function readingRoutes(server: AdminServer, source: AdminSource, access: ControlAccess): void {
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
        querystring: Type.Object(PageQuery, STRICT),
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
      schema: { params: CohortParams, response: { 200: CohortAtEpochSchema } },
    },
    async ({ params }) => {
      const { epoch, cohorts } = await cohortsNow();
      const cohort = cohorts.find(({ name }) => name === params.name);
      if (cohort === undefined) throw cohortUnknown(params.name, cohorts);
      return { epoch, cohort };
    },
  );
}

function wantedStage(
  cohort: string,
  body: Static<typeof StageBody>,
  author: ChangeAuthor,
): WantedChange<StageRequest> {
  const { ramp: form, dirtyUsers = 'drain' } = body;
  const ramp = form === undefined ? undefined : rampOf(form);
  const stage = stageOf(body.stage);
  return {
    request: { ...author, cohort, stage, ramp, dirtyUsers },
    ask: (control, request) => control.changeStage(request),
    isSame: ({ kind, cohort: of, after }) =>
      kind === 'stage' &&
      of === cohort &&
      after?.stage === stage &&
      (ramp === undefined || sameRamp(after.ramp, ramp)),
  };
}

function movingRoutes(server: AdminServer, access: ControlAccess): void {
  server.post(
    '/api/v1/cohorts/:name/stage',
    {
      config: {
        summary: 'Change the stage or the ramp of a cohort, through the barrier',
        description: `Answers 200 when the change is in force everywhere. ${ABOUT_UNDONE} Without \`ramp\` the ramp stays.`,
      },
      schema: {
        params: CohortParams,
        headers: ChangeHeaders,
        body: StageBody,
        response: { 200: ChangeAnswerSchema, 202: ChangeAnswerSchema },
      },
    },
    async (request, reply) => {
      const wanted = wantedStage(request.params.name, request.body, authorOf(request));
      return carryOut(access, wanted, request.headers, reply);
    },
  );

  server.post(
    '/api/v1/cohorts/:name/rollback',
    {
      config: {
        summary: 'Send a cohort back to legacy, or say what that would do',
        description:
          'Leads to the stage `shadow`. With `dryRun` it answers who would go back and whose writes would be stranded, ' +
          `and holds nobody. ${ABOUT_UNDONE}`,
      },
      schema: {
        params: CohortParams,
        headers: ChangeHeaders,
        body: RollbackBody,
        response: { 200: Type.Union([RollbackAnswerSchema, PreviewSchema]), 202: RollbackAnswerSchema },
      },
    },
    async (request, reply) => {
      const { dirtyUsers = 'drain', dryRun = false } = request.body;
      const cohort = request.params.name;
      const author = authorOf(request);
      const wanted: WantedChange<RollbackRequest> = {
        request: { ...author, cohort, dirtyUsers },
        ask: (control, asked) => control.rollback(asked),
        isSame: (change) => change.kind === 'rollback' && change.cohort === cohort,
      };
      const preview = previewDocument(await access.ask((control) => control.previewRollback(cohort)));
      if (dryRun) return preview;
      const answer = await carryOut(access, wanted, request.headers, reply);
      const { dryRun: _dryRun, epoch: _epoch, ...known } = preview;
      if (answer.change.phase !== 'done') return { ...known, ...answer };
      const dirty = await access.ask((control) =>
        control.dirtyOf(answer.change.id, undefined, DIRTY_LISTED_MAX),
      );
      return { ...known, dirty: [...dirty], dirtyCount: answer.change.dirty, ...answer };
    },
  );
}

export function cohortRoutes(server: AdminServer, source: AdminSource, access: ControlAccess): void {
  readingRoutes(server, source, access);
  movingRoutes(server, access);
  definitionRoutes(server, access);
}
