/** What the API says of users and members. */
import { type Static, Type } from '@sinclair/typebox';
import type { UserView } from '../cutover/control.ts';
import type { User, UserRecord } from '../model.ts';
import { type ExplanationDocument, ExplanationSchema } from './admin-source.ts';
import { Nullable, Word } from './control-documents.ts';

const membership = {
  /** Whether somebody added the user, or a rule placed it. */
  by: Word(['explicit', 'rule']),
  /** 0-based place in the order in which explicit members were added. */
  ordinal: Nullable(Type.Integer()),
};
const record = {
  state: Nullable(Word(['migrating', 'migrated', 'failed'])),
  pin: Nullable(Word(['legacy', 'new'])),
  /** The user's id in the new system. */
  newId: Nullable(Type.String()),
};

export const MemberSchema = Type.Object({ user: Type.String(), ...membership, ...record });
export type MemberDocument = Static<typeof MemberSchema>;

export const UserSchema = Type.Object({
  user: Type.String(),
  record: Type.Object({
    ...record,
    /** `null` for a user that nobody has placed yet. */
    membership: Nullable(Type.Object({ cohort: Type.String(), ...membership })),
  }),
  /** Whether the user wrote to new since its truth moved there. */
  dirty: Type.Boolean(),
  /** Where a `GET /` of the user would go; `null` when no gateway can say. */
  routing: Nullable(ExplanationSchema),
  /** Newest first. */
  history: Type.Array(
    Type.Object({
      at: Type.String(),
      actor: Type.String(),
      reason: Type.String(),
      kind: Type.String(),
      epoch: Nullable(Type.Integer()),
    }),
  ),
});
export type UserDocument = Static<typeof UserSchema>;

function recordDocument({ state, pin, newId }: UserRecord) {
  return { state: state ?? null, pin: pin ?? null, newId: newId ?? null };
}

export function memberDocument(user: User, of: UserRecord): MemberDocument {
  const { by = 'explicit', ordinal } = of.membership ?? {};
  return { user, by, ordinal: ordinal ?? null, ...recordDocument(of) };
}

export function userDocument(view: UserView, routing: ExplanationDocument | null): UserDocument {
  const { user, record: of, dirty, history } = view;
  const { cohort, by, ordinal } = of.membership ?? {};
  return {
    user,
    record: {
      ...recordDocument(of),
      membership: cohort === undefined || by === undefined ? null : { cohort, by, ordinal: ordinal ?? null },
    },
    dirty,
    routing,
    history: history.map(({ at, epoch, ...rest }) => ({
      at: at.toISOString(),
      ...rest,
      epoch: epoch ?? null,
    })),
  };
}
