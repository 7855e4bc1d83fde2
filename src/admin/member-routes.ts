/** The resources of members: uploads that are streamed in, lists that are streamed out. */
import { Readable } from 'node:stream';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { MembersProgress, MembersRequest, ReassignRequest } from '../cutover/control.ts';
import { AdminError, problemOf } from './admin-error.ts';
import type { ControlAccess } from './control-access.ts';
import { refuseUnknownCohort } from './known-cohort.ts';
import { JobLineSchema, MemberJob } from './member-job.ts';
import { MemberLines, UPLOAD_BYTES_MAX } from './member-lines.ts';
import { cursorOf, PageQuery, PageSchema, readCursor } from './page.ts';
import { authorProperties, CohortParams, DirtyUsers, Reason, STRICT } from './request-parts.ts';
import type { AdminServer } from './type-provider.ts';
import { MemberSchema, memberDocument } from './user-documents.ts';

/** How long a client may send nothing while its next line is waited for. */
const SILENT_MS = 30_000;
/** Longer than the longest wait of a batch: a connection on which nothing moves at all. */
const DEAD_MS = 180_000;
/** What is left of an upload whose answer was sent is read this long, so that the client gets to read the answer. */
const LEFTOVER_MS = 2_000;
/** Members read from the record at a time, for a list that is streamed. */
const STREAMED_PAGE = 1_000;

const NDJSON = 'application/x-ndjson';

const MembersQuery = Type.Object(
  {
    reason: Reason,
    dirtyUsers: DirtyUsers,
    expectedEpoch: Type.Optional(
      Type.String({ pattern: '^[0-9]{1,15}$', description: 'Refused unless the map is at this epoch.' }),
    ),
    fromLine: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,9}$',
        description: 'Lines before this one are skipped; 1-based.',
      }),
    ),
  },
  STRICT,
);

/** What every job needs: where it is run, and how it is answered. */
interface Jobs {
  readonly access: ControlAccess;
  readonly log: Logger;
  readonly stopping: AbortSignal;
}

interface JobParts {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly progress: AsyncGenerator<MembersProgress, void, void>;
  readonly lastLine?: () => number;
}

/** A failure in an answer that has begun is its last line; the log has what the status would have said. */
function jobOf({ log, stopping }: Jobs, parts: JobParts): MemberJob {
  const { request, reply, progress, lastLine = () => undefined } = parts;
  return new MemberJob({
    progress,
    lastLine,
    stopping,
    isRead: () => !reply.raw.destroyed,
    problemOf: (error) => {
      const { problem, defect } = problemOf(error, request.id);
      const event = { event: 'admin_request_failed', requestId: request.id, code: problem.code };
      if (defect) log.error({ ...event, method: request.method, err: error }, 'admin request failed');
      return problem;
    },
  });
}

/** What a client still sends is read for a moment and dropped: closing at once could lose the answer on its way. */
function readLeftover({ raw }: FastifyRequest, reply: FastifyReply): void {
  reply.raw.once('close', () => {
    if (raw.complete || raw.destroyed) return;
    raw.resume();
    setTimeout(() => raw.socket.destroy(), LEFTOVER_MS).unref();
  });
}

/** Who has closed its end reads no answer. The platform would notice only when some of it cannot be sent. */
function closeWithClient({ raw: { socket } }: FastifyRequest, reply: FastifyReply): void {
  const left = (): void => void socket.destroy();
  socket.once('end', left);
  reply.raw.once('close', () => socket.off('end', left));
}

async function answer(job: MemberJob, { request, reply }: JobParts): Promise<FastifyReply> {
  request.raw.socket.setTimeout(DEAD_MS);
  closeWithClient(request, reply);
  const lines = await job.begin();
  return reply.type(NDJSON).send(Readable.from(lines));
}

function upload(
  jobs: Jobs,
  request: FastifyRequest,
  reply: FastifyReply,
  wanted: MembersRequest,
  fromLine: number,
): Promise<FastifyReply> {
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new AdminError('unsupported_media_type', 'Send the lines as they are, not compressed.');
  }
  if (Number(request.headers['content-length'] ?? 0) > UPLOAD_BYTES_MAX) {
    throw new AdminError(
      'body_too_large',
      `An upload has at most ${UPLOAD_BYTES_MAX} bytes: split the file.`,
    );
  }
  readLeftover(request, reply);
  const lines = new MemberLines(request.raw, {
    fromLine,
    silentMs: SILENT_MS,
    stopping: jobs.stopping,
    onRefused: (refused) => job.refuse(refused),
  });
  const progress = jobs.access.follow((control) => control.changeMembers(wanted, lines.users()));
  const parts = { request, reply, progress, lastLine: () => lines.line };
  const job = jobOf(jobs, parts);
  return answer(job, parts);
}

function uploadRoutes(server: AdminServer, jobs: Jobs): void {
  server.removeAllContentTypeParsers();
  // The body stays in the request, to be read line by line.
  server.addContentTypeParser('text/plain', (_request, _payload, done) => done(null));
  for (const [method, action, summary] of [
    ['POST', 'add', 'Add members to a cohort, one a line'],
    ['DELETE', 'remove', 'Take members out of a cohort, one a line'],
  ] as const) {
    server.route({
      method,
      url: '/api/v1/cohorts/:name/members',
      bodyLimit: UPLOAD_BYTES_MAX,
      config: {
        summary,
        description:
          'The lines are taken as they come, in batches; each batch goes through the barrier. Every progress that is ' +
          'answered stays, and repeating lines changes nothing: after a broken connection go on with `fromLine`.',
        consumes: 'text/plain',
        produces: NDJSON,
        answers: JobLineSchema,
        streams: true,
      },
      schema: { params: CohortParams, querystring: MembersQuery },
      handler: (request, reply) => {
        const { reason, dirtyUsers = 'drain', expectedEpoch, fromLine = '1' } = request.query;
        const wanted: MembersRequest = {
          cohort: request.params.name,
          action,
          dirtyUsers,
          actor: request.actor,
          reason,
          expectedEpoch: expectedEpoch === undefined ? undefined : Number(expectedEpoch),
        };
        return upload(jobs, request, reply, wanted, Number(fromLine));
      },
    });
  }
}

const ReassignBody = Type.Object({ dirtyUsers: DirtyUsers, ...authorProperties }, STRICT);

function reassignRoute(server: AdminServer, jobs: Jobs): void {
  server.post(
    '/api/v1/cohorts/:name/reassign',
    {
      config: {
        summary: 'Evaluate the rules anew for the members that rules placed',
        description:
          'Takes those memberships away, in batches; the next request of each user places it anew.',
        produces: NDJSON,
        answers: JobLineSchema,
      },
      schema: { params: CohortParams, body: ReassignBody },
    },
    (request, reply) => {
      const { reason, expectedEpoch, dirtyUsers = 'drain' } = request.body;
      const wanted: ReassignRequest = {
        cohort: request.params.name,
        dirtyUsers,
        actor: request.actor,
        reason,
        expectedEpoch,
      };
      const progress = jobs.access.follow((control) => control.reassign(wanted));
      const parts = { request, reply, progress };
      return answer(jobOf(jobs, parts), parts);
    },
  );
}

const ListQuery = Type.Object(PageQuery, STRICT);

/** All of them as a file. A user with a line break in it cannot be written that way, and is left out. */
async function* memberFile(access: ControlAccess, name: string): AsyncGenerator<string, void, void> {
  let after: string | undefined;
  for (;;) {
    const from = after;
    const members = await access.ask((control) => control.members(name, from, STREAMED_PAGE));
    const lines = members.filter(({ user }) => !/[\r\n]/u.test(user)).map(({ user }) => `${user}\n`);
    if (lines.length > 0) yield lines.join('');
    if (members.length < STREAMED_PAGE) return;
    after = members.at(-1)?.user;
  }
}

async function memberPage(access: ControlAccess, name: string, query: Static<typeof ListQuery>) {
  const limit = Number(query.limit);
  const after = query.cursor === undefined ? undefined : readCursor(query.cursor);
  const members = await access.ask((control) => control.members(name, after, limit));
  const last = members.length === limit ? members.at(-1) : undefined;
  const items = members.map(({ user, record }) => memberDocument(user, record));
  return { items, next: last === undefined ? null : cursorOf(last.user) };
}

function listRoute(server: AdminServer, { access }: Jobs): void {
  server.get(
    '/api/v1/cohorts/:name/members',
    {
      config: {
        summary: 'The members that the record knows, in the order of their keys',
        description: 'With `accept: text/plain` all of them as a file, one a line.',
        alsoProduces: 'text/plain',
        answers: PageSchema(MemberSchema),
      },
      schema: { params: CohortParams, querystring: ListQuery },
    },
    async ({ params: { name }, query, headers }, reply) => {
      await refuseUnknownCohort(name, access);
      if (!/\btext\/plain\b/u.test(headers.accept ?? '')) return memberPage(access, name, query);
      const file = Readable.from(memberFile(access, name));
      return reply.type('text/plain; charset=utf-8').send(file);
    },
  );
}

/** @param stopping aborted when the listener closes: jobs end after the batch under way */
export function memberRoutes(
  server: AdminServer,
  access: ControlAccess,
  log: Logger,
  stopping: AbortSignal,
): void {
  const jobs = { access, log, stopping };
  listRoute(server, jobs);
  reassignRoute(server, jobs);
  // In a scope of its own: nothing else takes bodies of that type.
  void server.register(async (scope) => uploadRoutes(scope, jobs));
}
