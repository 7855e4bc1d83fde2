/** What the API says of who is calling. */
import { type Static, Type } from '@sinclair/typebox';
import type { Role } from './authentication.ts';
import { Word } from './control-documents.ts';

export const SESSION_PATH = '/api/v1/session';

const ROLES = ['viewer', 'operator', 'admin'] as const satisfies readonly Role[];

export const SessionSchema = Type.Object({
  /** The name of the token, or `local` where none are configured. */
  name: Type.String(),
  role: Word(ROLES),
  /** Whether it is a session that `DELETE` ends; not so for a token in a header, and where no tokens are configured. */
  canLogOut: Type.Boolean(),
});
export type SessionDocument = Static<typeof SessionSchema>;
