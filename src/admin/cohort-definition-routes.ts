/** How cohorts are made, edited and deleted: who is in them may change, so that goes through the barrier too. */
import { type Static, Type } from '@sinclair/typebox';
import type { Change } from '../cutover/change.ts';
import type { ChangeAuthor, CohortDeletion, CohortEdit, CohortRequest } from '../cutover/control.ts';
import { AdminError } from './admin-error.ts';
import { tryChange, type WantedChange } from './begin-change.ts';
import type { AdminControl, ControlAccess } from './control-access.ts';
import { ChangeAnswerSchema, DeletionAnswerSchema, Word } from './control-documents.ts';
import { rampForm, rampOf } from './ramp-form.ts';
import { RampFormSchema } from './ramp-schema.ts';
import {
  ABOUT_UNDONE,
  answerChange,
  authorOf,
  authorProperties,
  ChangeHeaders,
  CohortParams,
  carryOut,
  DirtyUsers,
  patience,
  STRICT,
} from './request-parts.ts';
import { RuleFormSchema, ruleForm, ruleOf } from './rule-form.ts';
import type { AdminServer } from './type-provider.ts';

/** A rule may list 10,000 values. */
const DEFINITION_BYTES_MAX = 1024 * 1024;
const POSITION_MAX = 100_000;

const ANSWERS = { 200: ChangeAnswerSchema, 202: ChangeAnswerSchema };
const ALL_USERS = '100%';

const CreateBody = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9][a-z0-9_-]{0,62}$',
      description: '1 to 63 lower-case letters, digits, _ and -, the first a letter or a digit.',
    }),
    rule: Type.Optional(RuleFormSchema),
    default: Type.Optional(Type.Boolean({ description: 'It takes whom no other cohort takes.' })),
    migration: Type.Optional(Word(['cohort', 'per-user'])),
    mirror: Type.Optional(Type.Boolean()),
    ramp: Type.Optional(RampFormSchema),
    ...authorProperties,
  },
  STRICT,
);

const EditBody = Type.Object(
  {
    rule: Type.Optional(Type.Union([RuleFormSchema, Type.Null()])),
    default: Type.Optional(Type.Boolean()),
    migration: Type.Optional(Word(['cohort', 'per-user'])),
    mirror: Type.Optional(Type.Boolean()),
    position: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: POSITION_MAX,
        description: '0-based place in the order in which rules are tried.',
      }),
    ),
    dirtyUsers: DirtyUsers,
    ...authorProperties,
  },
  STRICT,
);

const DeleteBody = Type.Object({ dirtyUsers: DirtyUsers, ...authorProperties }, STRICT);

function wantedCohort(body: Static<typeof CreateBody>, author: ChangeAuthor): WantedChange<CohortRequest> {
  const request: CohortRequest = {
    ...author,
    name: body.name,
    rule: body.rule === undefined ? undefined : ruleOf(body.rule),
    isDefault: body.default ?? false,
    migration: body.migration ?? 'cohort',
    mirror: body.mirror ?? true,
    ramp: rampOf(body.ramp ?? ALL_USERS),
  };
  return {
    request,
    ask: (control, asked) => control.createCohort(asked),
    isSame: ({ kind, cohort, after }) =>
      kind === 'cohort-create' &&
      cohort === request.name &&
      after !== undefined &&
      sameParts(partsOf(after), partsOf(request)),
  };
}

type Parts = Pick<CohortRequest, 'rule' | 'isDefault' | 'migration' | 'mirror' | 'ramp'>;

function partsOf({ rule, isDefault, migration, mirror, ramp }: Parts): unknown[] {
  return [rule === undefined ? null : ruleForm(rule), isDefault, migration, mirror, rampForm(ramp)];
}

/** Both are written by `partsOf`, with their keys in the same order. */
function sameParts(a: readonly unknown[], b: readonly unknown[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function ruleChange(form: Static<typeof EditBody>['rule']): CohortEdit['rule'] {
  return form === undefined || form === null ? form : ruleOf(form);
}

export function definitionRoutes(server: AdminServer, access: ControlAccess): void {
  server.post(
    '/api/v1/cohorts',
    {
      bodyLimit: DEFINITION_BYTES_MAX,
      config: {
        summary: 'Create a cohort, in the stage off',
        description: `Its rule may take users from other cohorts, whose writes are held meanwhile. ${ABOUT_UNDONE}`,
      },
      schema: {
        headers: ChangeHeaders,
        body: CreateBody,
        response: { 201: ChangeAnswerSchema, 202: ChangeAnswerSchema },
      },
    },
    async (request, reply) => {
      const wanted = wantedCohort(request.body, authorOf(request));
      return carryOut(access, wanted, request.headers, reply, 201);
    },
  );

  server.patch(
    '/api/v1/cohorts/:name',
    {
      bodyLimit: DEFINITION_BYTES_MAX,
      config: {
        summary: 'Change the rule, the order or other parts of a cohort',
        description: `What is left out stays as it is; \`rule: null\` takes the rule away. ${ABOUT_UNDONE}`,
      },
      schema: { params: CohortParams, headers: ChangeHeaders, body: EditBody, response: ANSWERS },
    },
    async (request, reply) => {
      const { rule: form, default: isDefault, migration, mirror, position, dirtyUsers } = request.body;
      if ([form, isDefault, migration, mirror, position].every((part) => part === undefined)) {
        const detail = 'Nothing to change: give rule, default, migration, mirror or position.';
        throw new AdminError('invalid_request', detail);
      }
      const cohort = request.params.name;
      const rule = ruleChange(form);
      const edit = { rule, isDefault, migration, mirror, position, dirtyUsers: dirtyUsers ?? 'drain' };
      const wanted: WantedChange<CohortEdit> = {
        request: { ...authorOf(request), cohort, ...edit },
        ask: (control, asked) => control.editCohort(asked),
        isSame: ({ kind, cohort: of, after }: Change) => {
          if (kind !== 'cohort-edit' || of !== cohort || after === undefined) return false;
          const expected: Parts = {
            rule: rule === undefined ? after.rule : (rule ?? undefined),
            isDefault: isDefault ?? after.isDefault,
            migration: migration ?? after.migration,
            mirror: mirror ?? after.mirror,
            ramp: after.ramp,
          };
          return sameParts(partsOf(after), partsOf(expected));
        },
      };
      return carryOut(access, wanted, request.headers, reply);
    },
  );
  deletionRoute(server, access);
}

/** A deletion takes as long as its members take. Calls under one key join it. */
class Deletions {
  readonly #running = new Map<string, { readonly key: string | undefined; readonly over: Promise<Change> }>();

  /** @throws AdminError `change_conflict` when somebody else deletes the cohort */
  run(control: AdminControl, request: CohortDeletion): Promise<Change> {
    const { cohort, idempotencyKey: key } = request;
    const running = this.#running.get(cohort);
    if (running !== undefined) {
      if (running.key === key) return running.over;
      throw new AdminError('change_conflict', `Cohort ${cohort} is being deleted already.`);
    }
    const over = control.deleteCohort(request).finally(() => void this.#running.delete(cohort));
    this.#running.set(cohort, { key, over });
    return over;
  }
}

function deletionRoute(server: AdminServer, access: ControlAccess): void {
  const deletions = new Deletions();
  server.delete(
    '/api/v1/cohorts/:name',
    {
      config: {
        summary: 'Delete a cohort',
        description:
          'Its members are taken out first, batch by batch, which goes on when the answer is 202 without a change: ' +
          `repeat the call under its key to hear more. ${ABOUT_UNDONE}`,
      },
      schema: {
        params: CohortParams,
        headers: ChangeHeaders,
        body: DeleteBody,
        response: { 200: DeletionAnswerSchema, 202: DeletionAnswerSchema },
      },
    },
    async (request, reply) => {
      const cohort = request.params.name;
      const wanted: WantedChange<CohortDeletion> = {
        request: { ...authorOf(request), cohort, dirtyUsers: request.body.dirtyUsers ?? 'drain' },
        ask: (control, asked) => deletions.run(control, asked),
        // Its first step, which has no key, may be where it ended.
        isSame: ({ kind, cohort: of, idempotencyKey }) =>
          of === cohort &&
          (kind === 'cohort-delete' || (kind === 'cohort-edit' && idempotencyKey === undefined)),
      };
      const { change } = await tryChange(access, wanted, patience(request.headers.prefer, reply));
      if (change !== undefined) return answerChange(change, reply);
      reply.code(202);
      return { epoch: null, change: null };
    },
  );
}
