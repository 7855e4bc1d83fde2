/** Ramps by plan: what a person tells them, and how they have run. */
import { type Static, Type } from '@sinclair/typebox';
import type { GuardAuthor } from '../guard/guard-control.ts';
import { AdminError } from './admin-error.ts';
import { PlanForm, rampPlanOf } from './condition-form.ts';
import { Word } from './control-documents.ts';
import type { AdminGuard, GuardAccess } from './guard-access.ts';
import { ClearAnswerSchema, tripDocument } from './guard-documents.ts';
import { PageQuery, PageSchema } from './page.ts';
import { RampRunSchema, RunAnswerSchema, rampRunDocument } from './ramp-documents.ts';
import { CohortParams, Reason, STRICT } from './request-parts.ts';
import type { AdminServer } from './type-provider.ts';

export const RAMP_ACTIONS = ['start', 'pause', 'resume', 'abort', 'approve', 'clear'] as const;

const RampBody = Type.Object(
  {
    action: Word(RAMP_ACTIONS),
    plan: Type.Optional({
      ...Type.Union([Type.String({ minLength: 1, maxLength: 256 }), PlanForm]),
      description: 'For `start`: the name of a plan of the configuration, or a plan.',
    }),
    reason: Reason,
  },
  STRICT,
);
type Body = Static<typeof RampBody>;

const RampAnswerSchema = Type.Union([RunAnswerSchema, ClearAnswerSchema]);

async function act(
  guard: AdminGuard,
  access: GuardAccess,
  cohort: string,
  { action, plan }: Body,
  author: GuardAuthor,
): Promise<Static<typeof RampAnswerSchema>> {
  switch (action) {
    case 'start': {
      if (plan === undefined) throw new AdminError('invalid_request', '`start` needs a `plan`.');
      const whole = rampPlanOf(plan, access.config.ramps);
      return { ramp: rampRunDocument(await guard.startRamp(cohort, whole, author)), trip: null };
    }
    case 'pause':
      return { ramp: rampRunDocument(await guard.pauseRamp(cohort, author)), trip: null };
    case 'resume':
      return { ramp: rampRunDocument(await guard.resumeRamp(cohort, author)), trip: null };
    case 'abort':
      return { ramp: rampRunDocument(await guard.abortRamp(cohort, author)), trip: null };
    case 'approve':
      return { ramp: rampRunDocument(await guard.approveRamp(cohort, author)), trip: null };
    case 'clear':
      return { ramp: null, trip: tripDocument(await guard.clear(cohort, author)) };
    default:
      action satisfies never;
      throw new Error('an action that is none');
  }
}

export function rampRoutes(server: AdminServer, access: GuardAccess): void {
  server.get(
    '/api/v1/cohorts/:name/ramp',
    {
      config: { summary: 'How the plans of a cohort have run, the newest first' },
      schema: {
        params: CohortParams,
        querystring: Type.Object({ limit: PageQuery.limit }, STRICT),
        response: { 200: PageSchema(RampRunSchema) },
      },
    },
    async ({ params, query }) => {
      const runs = await access.ask((guard) => guard.ramps(params.name, Number(query.limit)));
      return { items: runs.map(rampRunDocument), next: null };
    },
  );

  server.post(
    '/api/v1/cohorts/:name/ramp',
    {
      config: {
        summary: 'Start, pause, resume, abort or approve a plan by which the ramp grows; clear a trip',
        description:
          'Each step goes through the barrier by itself. `abort` leaves the cohort where it is. `clear` lets a cohort ' +
          'that the guard took back go live again.',
      },
      schema: { params: CohortParams, body: RampBody, response: { 200: RampAnswerSchema } },
    },
    async ({ params, body, actor }) => {
      if (body.plan !== undefined && body.action !== 'start') {
        throw new AdminError('invalid_request', `\`${body.action}\` has no \`plan\`.`);
      }
      const author = { actor, reason: body.reason };
      return access.ask((guard) => act(guard, access, params.name, body, author));
    },
  );
}
