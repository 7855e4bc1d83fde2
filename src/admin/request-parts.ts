/** What the requests of several routes have in common: schemas, and how they become what the cutover is asked. */
import { Type } from '@sinclair/typebox';
import type { Change } from '../cutover/change.ts';
import type { ChangeAuthor } from '../cutover/control.ts';
import { USER_BYTES_MAX } from '../model.ts';
import { AdminError } from './admin-error.ts';
import { beginChange, outcomeOf, WAIT_MAX_S, type WantedChange, waitMsOf } from './begin-change.ts';
import type { ControlAccess } from './control-access.ts';
import { type ChangeDocument, changeDocument, DIRTY_POLICIES, Word } from './control-documents.ts';

const REASON_CHARS_MAX = 1_000;

export const UUID = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';

export const CohortName = Type.String({ minLength: 1, maxLength: 256 });
export const CohortParams = Type.Object({ name: CohortName });

/** In a path it is percent-encoded UTF-8. Its bytes are counted by `expectUser`. */
export const UserParams = Type.Object({ user: Type.String({ minLength: 1, maxLength: USER_BYTES_MAX }) });

export const Reason = Type.String({
  minLength: 1,
  maxLength: REASON_CHARS_MAX,
  pattern: '\\S',
  description: 'Why, for the audit.',
});

export const DirtyUsers = Type.Optional({
  ...Word(DIRTY_POLICIES),
  description:
    'What becomes of users whose writes are in new only when they would go back to legacy. `drain` (default): wait ' +
    'until the writes are mirrored, then as `keep`. `keep`: they stay in new and are listed. `force`: they go back, ' +
    'and those writes are stranded.',
});

const ExpectedEpoch = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'Refused unless the map is at this epoch.',
  }),
);

/** Of every body that asks for a change. */
export const authorProperties = { reason: Reason, expectedEpoch: ExpectedEpoch };

export const ChangeHeaders = Type.Object({
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

/** What `ChangeHeaders` and `authorProperties` let through. */
interface Authored {
  readonly actor: string;
  readonly headers: { readonly 'idempotency-key'?: string };
  readonly body: { readonly reason: string; readonly expectedEpoch?: number };
}

export function authorOf({ actor, headers, body }: Authored): ChangeAuthor {
  const { reason, expectedEpoch } = body;
  return { actor, reason, expectedEpoch, idempotencyKey: headers['idempotency-key'] };
}

/** @throws AdminError when the user has too many bytes */
export function expectUser(user: string): string {
  if (Buffer.byteLength(user) <= USER_BYTES_MAX) return user;
  throw new AdminError('invalid_request', `A user has at most ${USER_BYTES_MAX} bytes.`);
}

/** The part of Fastify's reply that a change sets. */
interface Reply {
  header(name: string, value: string): unknown;
  code(status: 200 | 201 | 202): unknown;
}

/**
 * Begins a change, waits for it as long as the caller prefers, and sets status and headers of the answer.
 *
 * @param done the status of a change that is done
 * @returns the body
 * @throws AdminError, among them `change_undone`; what the control service refuses with
 */
export async function carryOut<R extends ChangeAuthor>(
  access: ControlAccess,
  wanted: WantedChange<R>,
  { prefer }: { readonly prefer?: string },
  reply: Reply,
  done: 200 | 201 = 200,
): Promise<{ epoch: number | null; change: ChangeDocument }> {
  return answerChange(await beginChange(access, wanted, patience(prefer, reply)), reply, done);
}

/** How long the caller wants to wait, milliseconds; the answer says so. */
export function patience(prefer: string | undefined, reply: Reply): number {
  const waitMs = waitMsOf(prefer);
  if (prefer !== undefined) reply.header('preference-applied', `wait=${waitMs / 1_000}`);
  return waitMs;
}

/** @returns the body @throws AdminError `change_undone` */
export function answerChange(change: Change, reply: Reply, done: 200 | 201 = 200) {
  reply.header('location', `/api/v1/changes/${change.id}`);
  reply.code(outcomeOf(change) === 'done' ? done : 202);
  const document = changeDocument(change);
  return { epoch: document.epoch, change: document };
}

/** A body has what its schema names, and nothing else. */
export const STRICT = { additionalProperties: false };

export const ABOUT_UNDONE =
  'Answers 202 while it is not over after a bounded wait, and 409 `change_undone` when it was undone and nobody moved.';
