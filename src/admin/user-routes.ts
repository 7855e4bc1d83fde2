/** The resources of single users: what is known of one, and the pin. */
import { Type } from '@sinclair/typebox';
import type { PinRequest } from '../cutover/control.ts';
import type { Backend } from '../model.ts';
import type { AdminSource, ExplanationDocument } from './admin-source.ts';
import type { WantedChange } from './begin-change.ts';
import type { ControlAccess } from './control-access.ts';
import { ChangeAnswerSchema, Word } from './control-documents.ts';
import {
  ABOUT_UNDONE,
  authorOf,
  authorProperties,
  ChangeHeaders,
  carryOut,
  DirtyUsers,
  expectUser,
  STRICT,
  UserParams,
} from './request-parts.ts';
import type { AdminServer } from './type-provider.ts';
import { UserSchema, userDocument } from './user-documents.ts';

const PinBody = Type.Object(
  { backend: Word(['legacy', 'new']), dirtyUsers: DirtyUsers, ...authorProperties },
  STRICT,
);
const UnpinBody = Type.Object({ dirtyUsers: DirtyUsers, ...authorProperties }, STRICT);

const ANSWERS = { 200: ChangeAnswerSchema, 202: ChangeAnswerSchema };

function wantedPin(
  request: PinRequest & { readonly backend: Backend | undefined },
): WantedChange<PinRequest> {
  const { user, backend } = request;
  const kind = backend === undefined ? 'unpin' : 'pin';
  return {
    request,
    ask: (control, asked) => control.pin(asked),
    isSame: (change) => change.kind === kind && change.user === user && change.pin === backend,
  };
}

/** Where a plain request of the user would go; `null` when no gateway can say. */
async function routingOf(source: AdminSource, user: string): Promise<ExplanationDocument | null> {
  try {
    return await source.explain({ method: 'GET', target: '/', headers: [], user });
  } catch {
    // No worker answers, or this configuration refuses such a request. The record is worth having without it.
    return null;
  }
}

export function userRoutes(server: AdminServer, source: AdminSource, access: ControlAccess): void {
  server.get(
    '/api/v1/users/:user',
    {
      config: {
        summary: 'What is known of one user: record, cohort, routing, history',
        description:
          'A user in a path is percent-encoded UTF-8. `routing` is what `explain` says of `GET /` without headers: a ' +
          'rule that looks at attributes may place a user who has no cohort yet elsewhere.',
      },
      schema: { params: UserParams, response: { 200: UserSchema } },
    },
    async ({ params }) => {
      const user = expectUser(params.user);
      const [view, routing] = await Promise.all([
        access.ask((control) => control.user(user)),
        routingOf(source, user),
      ]);
      return userDocument(view, routing);
    },
  );

  server.put(
    '/api/v1/users/:user/pin',
    {
      config: {
        summary: 'Pin a user to one backend, whatever its cohort says',
        description: `A user whose writes are in new only is not pinned to legacy, unless \`dirtyUsers\` is \`force\`. ${ABOUT_UNDONE}`,
      },
      schema: { params: UserParams, headers: ChangeHeaders, body: PinBody, response: ANSWERS },
    },
    async (request, reply) => {
      const user = expectUser(request.params.user);
      const { backend, dirtyUsers = 'drain' } = request.body;
      const wanted = wantedPin({ ...authorOf(request), user, backend, dirtyUsers });
      return carryOut(access, wanted, request.headers, reply);
    },
  );

  server.delete(
    '/api/v1/users/:user/pin',
    {
      config: { summary: 'Take the pin of a user away', description: ABOUT_UNDONE },
      schema: { params: UserParams, headers: ChangeHeaders, body: UnpinBody, response: ANSWERS },
    },
    async (request, reply) => {
      const user = expectUser(request.params.user);
      const { dirtyUsers = 'drain' } = request.body;
      const wanted = wantedPin({ ...authorOf(request), user, backend: undefined, dirtyUsers });
      return carryOut(access, wanted, request.headers, reply);
    },
  );
}
