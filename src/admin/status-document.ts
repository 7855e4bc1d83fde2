/** What the gateways say of themselves, and what the record and the map say of changes and gateways. */
import { type Static, Type } from '@sinclair/typebox';
import { type AdminSource, StatusSchema } from './admin-source.ts';
import type { ControlAccess } from './control-access.ts';
import { ChangeSchema, changeDocument, GatewaySchema, gatewayDocument } from './control-documents.ts';

export const FullStatusSchema = Type.Object({
  ...StatusSchema.properties,
  /** Changes that are not over; `null` when the record does not answer. */
  changes: Type.Union([Type.Array(ChangeSchema), Type.Null()]),
  /** The gateways that a change has to wait for; `null` when the stores do not answer. */
  registry: Type.Union([Type.Array(GatewaySchema), Type.Null()]),
});
export type FullStatusDocument = Static<typeof FullStatusSchema>;

/** Bounded in time. */
export async function fullStatus(source: AdminSource, access: ControlAccess): Promise<FullStatusDocument> {
  const [status, inProgress] = await Promise.all([source.status(), access.inProgress()]);
  return {
    ...status,
    changes: inProgress?.changes.map(changeDocument) ?? null,
    registry: inProgress?.gateways.map(gatewayDocument) ?? null,
  };
}
