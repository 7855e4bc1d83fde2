/** What the API says of cohorts, changes and gateways: the shapes, and how they follow from what is known. */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { CHANGE_KINDS, type Change, isOver, type Phase } from '../cutover/change.ts';
import type { DirtyPolicy, GatewayVerdict, GatewayView, RollbackPreview } from '../cutover/control.ts';
import { type Cohort, STAGES } from '../model.ts';
import { rampForm } from './ramp-form.ts';
import { RampAnswerSchema } from './ramp-schema.ts';
import { RuleFormSchema, ruleForm } from './rule-form.ts';

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

export const DIRTY_POLICIES = ['drain', 'keep', 'force'] as const satisfies readonly DirtyPolicy[];

/** One of a list of words. */
export const Word = <const T extends string>(words: readonly T[]) =>
  Type.Unsafe<T>(Type.String({ enum: [...words] }));
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const definition = {
  name: Type.String(),
  stage: Word(STAGES),
  ramp: RampAnswerSchema,
  rule: Nullable(RuleFormSchema),
  default: Type.Boolean(),
  migration: Word(['cohort', 'per-user']),
  mirror: Type.Boolean(),
};
const DefinitionSchema = Type.Object(definition);
export type DefinitionDocument = Static<typeof DefinitionSchema>;

export const CohortSchema = Type.Object({
  ...definition,
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
  kind: Word(CHANGE_KINDS),
  /** `null` for a pin. */
  cohort: Nullable(Type.String()),
  /** Of a pin. */
  user: Nullable(Type.String()),
  /** Where a pin puts its user. */
  pin: Nullable(Word(['legacy', 'new'])),
  /** How many users' records it replaces. */
  users: Type.Integer(),
  /** Which job a batch of users belongs to. */
  job: Nullable(Type.String()),
  /** The definition before; `null` when the change is not about one, or the cohort did not exist. */
  from: Nullable(DefinitionSchema),
  /** The definition after; `null` when the change is not about one, or deletes it. */
  to: Nullable(DefinitionSchema),
  dirtyUsers: Word(DIRTY_POLICIES),
  /** Users whose writes are in new only: they stayed there, or, under `force`, were stranded. */
  dirty: Type.Integer(),
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

export const ChangeAnswerSchema = Type.Object({
  /** At which the change is in force everywhere; `null` while it is not. */
  epoch: Nullable(Type.Integer()),
  change: ChangeSchema,
});

/** `change` is `null` while its members are taken out: repeat the call under its key to hear more. */
export const DeletionAnswerSchema = Type.Object({
  epoch: Nullable(Type.Integer()),
  change: Nullable(ChangeSchema),
});

const preview = {
  cohort: Type.String(),
  stage: Word(STAGES),
  /** The stage that the rollback leads to. */
  to: Word(STAGES),
  /** Whether every write since the switch is known. Where it is not, only `force` goes back. */
  tracked: Type.Boolean(),
  /** Members that the record knows and that go back without losing anything. */
  clean: Type.Integer(),
  /** How many users wrote to new since the switch. */
  dirtyCount: Type.Integer(),
  /** The first 1,000 of them, in key order. */
  dirty: Type.Array(Type.String()),
};
export const PreviewSchema = Type.Object({ dryRun: Type.Literal(true), epoch: Type.Integer(), ...preview });
export type PreviewDocument = Static<typeof PreviewSchema>;

/** Of a rollback that is not over, who is clean and who is dirty is as it was right before it. */
export const RollbackAnswerSchema = Type.Object({
  ...ChangeAnswerSchema.properties,
  ...preview,
});

export function previewDocument({ dirty, dirtyUsers, ...rest }: RollbackPreview): PreviewDocument {
  return { dryRun: true, ...rest, dirtyCount: dirty, dirty: [...dirtyUsers] };
}

export function definitionDocument(cohort: Cohort): DefinitionDocument {
  const { name, stage, ramp, rule, isDefault, migration, mirror } = cohort;
  return {
    name,
    stage,
    ramp: rampForm(ramp),
    rule: rule === undefined ? null : ruleForm(rule),
    default: isDefault,
    migration,
    mirror,
  };
}

export function cohortDocument(
  cohort: Cohort,
  held: ReadonlySet<string>,
  open: readonly Change[],
): CohortDocument {
  return {
    ...definitionDocument(cohort),
    byRule: cohort.rule !== undefined,
    held: held.has(cohort.name),
    change: open.find((change) => change.cohort === cohort.name)?.id ?? null,
  };
}

export function changeDocument(change: Change): ChangeDocument {
  const { id, kind, users, dirtyUsers, dirty, movesTruth, needsEveryGateway, phase, actor, reason } = change;
  const epochs = {
    hold: change.holdEpoch ?? null,
    switch: change.switchEpoch ?? null,
    release: change.releaseEpoch ?? null,
  };
  return {
    id,
    kind,
    cohort: change.cohort ?? null,
    user: change.user ?? null,
    pin: change.pin ?? null,
    users,
    job: change.job ?? null,
    from: change.before === undefined ? null : definitionDocument(change.before),
    to: change.after === undefined ? null : definitionDocument(change.after),
    dirtyUsers,
    dirty,
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
