/**
 * What the admin listener needs from whoever runs the gateway: one process that has it all in memory, or a
 * primary that asks its workers. The shapes are declared once, as schemas, and the types follow from them.
 */
import { type Static, Type } from '@sinclair/typebox';
import { type Decision, STAGES } from '../model.ts';

/** One of a list of words. */
const Word = <const T extends string>(words: readonly T[]) =>
  Type.Unsafe<T>(Type.String({ enum: [...words] }));

/** The decision as `decide` returned it; its reasons have a `code` and what belongs to it. */
const DecisionSchema = Type.Unsafe<Decision>(
  Type.Object(
    {
      target: Type.String(),
      held: Type.Boolean(),
      reasons: Type.Array(Type.Object({ code: Type.String() }, { additionalProperties: true })),
    },
    { additionalProperties: true },
  ),
);

export const ExplanationSchema = Type.Object({
  method: Type.String(),
  path: Type.String(),
  /** The name of the route that matched. */
  route: Type.String(),
  class: Word(['read', 'write']),
  user: Type.Union([Type.String(), Type.Null()]),
  /** How the user was found, one sentence for each source that was tried. */
  identity: Type.Array(Type.String()),
  decision: DecisionSchema,
  /** The chain of reasons in words, in the order in which it was reached. */
  sentences: Type.Array(Type.String()),
  /** The epoch of the state map that the decision was made with. */
  epoch: Type.Integer(),
});
export type ExplanationDocument = Static<typeof ExplanationSchema>;

export const CohortStatusSchema = Type.Object({
  name: Type.String(),
  stage: Word(STAGES),
  /** In words: `12.5 %` or `1000 users`. */
  ramp: Type.String(),
  default: Type.Boolean(),
  migration: Word(['cohort', 'per-user']),
  mirror: Type.Boolean(),
  held: Type.Boolean(),
});

export type CohortStatusDocument = Static<typeof CohortStatusSchema>;

export const GatewayStatusSchema = Type.Object({
  /** The number of the worker. */
  worker: Type.String(),
  pid: Type.Integer(),
  /** `starting`, `ready`, `draining`, `silent` or `waiting`. */
  state: Type.String(),
  uptimeMs: Type.Number(),
  epoch: Type.Union([Type.Integer(), Type.Null()]),
  attachment: Type.Union([Word(['attached', 'detached', 'fenced']), Type.Null()]),
  inFlight: Type.Integer(),
});
export type GatewayStatus = Static<typeof GatewayStatusSchema>;

export const StoreStatusSchema = Type.Object({
  kind: Type.String(),
  attachment: Type.String(),
  detachedMs: Type.Number(),
  mapId: Type.String(),
  epoch: Type.Integer(),
  cachedUsers: Type.Integer(),
  cacheHits: Type.Integer(),
  cacheMisses: Type.Integer(),
  problem: Type.Union([Type.String(), Type.Null()]),
});

export const StatusSchema = Type.Object({
  version: Type.String(),
  uptimeMs: Type.Number(),
  /** The digest of the part of the configuration that bears on where users' truth is. */
  truthDigest: Type.String(),
  config: Type.Object({ file: Type.String(), workers: Type.Integer() }),
  listen: Type.Object({ host: Type.String(), port: Type.Integer() }),
  gateways: Type.Array(GatewayStatusSchema),
  stores: Type.Object({
    /** `null` while no worker answers. */
    state: Type.Union([StoreStatusSchema, Type.Null()]),
    record: Type.Object({ kind: Type.String() }),
  }),
  cohorts: Type.Array(CohortStatusSchema),
});
export type StatusDocument = Static<typeof StatusSchema>;

export const ReadinessSchema = Type.Object({
  status: Word(['ready', 'starting', 'stopping']),
  /** A gateway that is detached from the state map stays ready: it serves the last known state. */
  detached: Type.Boolean(),
  workers: Type.Object({ ready: Type.Integer(), wanted: Type.Integer() }),
});
export type Readiness = Static<typeof ReadinessSchema>;

/** A request that may never have been sent. */
export interface HypotheticalRequest {
  readonly method: string;
  /** The request target: a path with its query. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Stands for whatever the identity sources would find. */
  readonly user?: string;
}

export interface AdminSource {
  /** Bounded in time. */
  readiness(): Promise<Readiness>;
  /** The Prometheus text of all workers. Bounded in time: a worker that does not answer is left out. */
  metrics(): Promise<string>;
  /** @throws SourceUnavailable when no worker answers; TurnoutError `state_unknown`. */
  explain(request: HypotheticalRequest): Promise<ExplanationDocument>;
  status(): Promise<StatusDocument>;
}

/** No worker is there to answer. */
export class SourceUnavailable extends Error {
  override readonly name = 'SourceUnavailable';
}
