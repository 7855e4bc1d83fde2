/** What the API says of cohorts, changes and gateways: the shapes, and how they follow from what is known. */
import { type Static, Type } from '@sinclair/typebox';
import { type Change, isOver, type Phase } from '../cutover/change.ts';
import type { GatewayVerdict, GatewayView } from '../cutover/control.ts';
import { type Cohort, STAGES } from '../model.ts';
import { RampAnswerSchema, rampForm } from './ramp-form.ts';

const VERDICTS = ['live', 'silent', 'fenced'] as const satisfies readonly GatewayVerdict[];
const PHASES = [
  'pending',
  'holding',
  'switching',
  'releasing',
  'done',
  'undoing',
  'undone',
] as const satisfies readonly Phase[];

/** One of a list of words. */
const Word = <const T extends string>(words: readonly T[]) =>
  Type.Unsafe<T>(Type.String({ enum: [...words] }));
const Nullable = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>>(schema: T) =>
  Type.Union([schema, Type.Null()]);

const StageAndRamp = { stage: Word(STAGES), ramp: RampAnswerSchema };

export const CohortSchema = Type.Object({
  name: Type.String(),
  ...StageAndRamp,
  default: Type.Boolean(),
  migration: Word(['cohort', 'per-user']),
  mirror: Type.Boolean(),
  /** Whether a rule places users in it. */
  byRule: Type.Boolean(),
  /** Its writes wait at this moment. */
  held: Type.Boolean(),
  /** The id of its change that is not over yet. */
  change: Nullable(Type.String()),
});
export type CohortDocument = Static<typeof CohortSchema>;

export const CohortAtEpochSchema = Type.Object({ epoch: Type.Integer(), cohort: CohortSchema });

const AcknowledgementSchema = Type.Object({
  id: Type.String(),
  where: Type.String(),
  state: Word(VERDICTS),
  applied: Nullable(Type.Integer()),
  drained: Nullable(Type.Integer()),
  /** Whether it has done what the change's present phase waits for. */
  acknowledged: Type.Boolean(),
});
export type Acknowledgement = Static<typeof AcknowledgementSchema>;

const changeProperties = {
  id: Type.String(),
  kind: Word(['stage']),
  cohort: Type.String(),
  from: Type.Object(StageAndRamp),
  to: Type.Object(StageAndRamp),
  movesTruth: Type.Boolean(),
  needsEveryGateway: Type.Boolean(),
  phase: Word(PHASES),
  /** The epoch at which it is in force everywhere; `null` unless it is done. */
  epoch: Nullable(Type.Integer()),
  epochs: Type.Object({
    hold: Nullable(Type.Integer()),
    switch: Nullable(Type.Integer()),
    release: Nullable(Type.Integer()),
  }),
  actor: Type.String(),
  reason: Type.String(),
  /** In words: for whom it waits, or why it was undone. */
  note: Nullable(Type.String()),
  createdAt: Type.String(),
  endedAt: Nullable(Type.String()),
};

export const ChangeSchema = Type.Object(changeProperties);
export type ChangeDocument = Static<typeof ChangeSchema>;

/** With every gateway's acknowledgement while it is in progress; none once it is over. */
export const ChangeInProgressSchema = Type.Object({
  ...changeProperties,
  gateways: Type.Array(AcknowledgementSchema),
});
export type ChangeInProgressDocument = Static<typeof ChangeInProgressSchema>;

export const GatewaySchema = Type.Object({
  id: Type.String(),
  where: Type.String(),
  state: Word(VERDICTS),
  /** Since its lease was last seen to move. */
  silentMs: Type.Number(),
  applied: Nullable(Type.Integer()),
  drained: Nullable(Type.Integer()),
  digest: Nullable(Type.String()),
});
export type GatewayDocument = Static<typeof GatewaySchema>;

export const StageAnswerSchema = Type.Object({
  /** At which the change is in force everywhere; `null` while it is not. */
  epoch: Nullable(Type.Integer()),
  change: ChangeSchema,
});
export type StageAnswer = Static<typeof StageAnswerSchema>;

function stageAndRamp({ stage, ramp }: Cohort) {
  return { stage, ramp: rampForm(ramp) };
}

export function cohortDocument(
  cohort: Cohort,
  held: ReadonlySet<string>,
  open: readonly Change[],
): CohortDocument {
  const { name, isDefault, migration, mirror, rule } = cohort;
  return {
    name,
    ...stageAndRamp(cohort),
    default: isDefault,
    migration,
    mirror,
    byRule: rule !== undefined,
    held: held.has(name),
    change: open.find((change) => change.cohort === name)?.id ?? null,
  };
}

export function changeDocument(change: Change): ChangeDocument {
  const { id, kind, cohort, before, after, movesTruth, needsEveryGateway, phase, actor, reason } = change;
  const epochs = {
    hold: change.holdEpoch ?? null,
    switch: change.switchEpoch ?? null,
    release: change.releaseEpoch ?? null,
  };
  return {
    id,
    kind,
    cohort,
    from: stageAndRamp(before),
    to: stageAndRamp(after),
    movesTruth,
    needsEveryGateway,
    phase,
    epoch: phase === 'done' ? (epochs.release ?? epochs.switch) : null,
    epochs,
    actor,
    reason,
    note: change.note ?? null,
    createdAt: change.createdAt.toISOString(),
    endedAt: change.endedAt?.toISOString() ?? null,
  };
}

/** The epoch that the phase waits for, and whether the gateways have to have drained it or only applied it. */
function awaited({ phase, holdEpoch, switchEpoch, releaseEpoch }: Change) {
  switch (phase) {
    case 'holding':
      return { epoch: holdEpoch, of: 'drained' } as const;
    case 'switching':
      return { epoch: switchEpoch, of: 'applied' } as const;
    case 'releasing':
    case 'undoing':
      return { epoch: releaseEpoch, of: 'applied' } as const;
    case 'pending':
    case 'done':
    case 'undone':
      return { epoch: undefined, of: 'applied' } as const;
    default:
      phase satisfies never;
      throw new Error('a phase that is none');
  }
}

export function changeInProgress(change: Change, gateways: readonly GatewayView[]): ChangeInProgressDocument {
  if (isOver(change.phase)) return { ...changeDocument(change), gateways: [] };
  const { epoch, of } = awaited(change);
  const acknowledgements = gateways.map(({ id, where, verdict, applied, drained }) => ({
    id,
    where,
    state: verdict,
    applied: applied ?? null,
    drained: drained ?? null,
    acknowledged: epoch !== undefined && ((of === 'drained' ? drained : applied) ?? -1) >= epoch,
  }));
  return { ...changeDocument(change), gateways: acknowledgements };
}

export function gatewayDocument(gateway: GatewayView): GatewayDocument {
  const { id, where, verdict, silentMs, applied, drained, digest } = gateway;
  return {
    id,
    where,
    state: verdict,
    silentMs,
    applied: applied ?? null,
    drained: drained ?? null,
    digest: digest ?? null,
  };
}
