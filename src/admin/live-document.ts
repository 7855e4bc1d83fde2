/** What live views are told. */
import { type Static, Type } from '@sinclair/typebox';
import { GuardSchema } from './guard-documents.ts';
import { FullStatusSchema } from './status-document.ts';

export const LiveSchema = Type.Object({
  /** ISO 8601. */
  at: Type.String(),
  status: FullStatusSchema,
  /** `null` while the gateway starts, or when the stores do not answer. In an `update` with the last seconds only. */
  guard: Type.Union([GuardSchema, Type.Null()]),
});
export type LiveDocument = Static<typeof LiveSchema>;

export const LIVE_PATH = '/api/v1/events';
