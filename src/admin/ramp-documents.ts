/** Plans of ramps, and how they run, as the API says them. `null` is what there is none of. */
import { type Static, Type } from '@sinclair/typebox';
import type { RampPlan, RampRun, RampStatus } from '../guard/ramp-plan.ts';
import { Nullable, Word } from './control-documents.ts';
import { rampForm } from './ramp-form.ts';
import { RampAnswerSchema } from './ramp-schema.ts';
import { Count, Time } from './report-documents.ts';

const RAMP_STATUSES = [
  'baking',
  'gated',
  'waiting',
  'stepping',
  'paused',
  'done',
  'aborted',
] as const satisfies readonly RampStatus[];

export const PlanSchema = Type.Object({
  steps: Type.Array(Type.Object({ ramp: RampAnswerSchema, bakeMs: Count })),
  gates: Type.Object({
    guard: Word(['healthy', 'not-tripped', 'any']),
    mismatchShareMax: Nullable(Type.Number()),
    comparedMin: Nullable(Count),
    mirrorBacklogMax: Nullable(Count),
  }),
  automatic: Type.Boolean(),
});
export type PlanDocument = Static<typeof PlanSchema>;

export const RampRunSchema = Type.Object({
  id: Type.String(),
  cohort: Type.String(),
  plan: PlanSchema,
  status: Word(RAMP_STATUSES),
  /** 0-based; -1 before the first. */
  step: Type.Integer(),
  stepAt: Nullable(Time),
  note: Nullable(Type.String()),
  approved: Type.Boolean(),
  actor: Type.String(),
  reason: Type.String(),
  startedAt: Time,
  endedAt: Nullable(Time),
});
export type RampRunDocument = Static<typeof RampRunSchema>;

/** The answer to whatever a person tells a ramp. */
export const RunAnswerSchema = Type.Object({ ramp: RampRunSchema, trip: Type.Null() });

export function planDocument({ steps, gates, automatic }: RampPlan): PlanDocument {
  return {
    steps: steps.map(({ ramp, bakeMs }) => ({ ramp: rampForm(ramp), bakeMs })),
    gates: {
      guard: gates.guard ?? 'any',
      mismatchShareMax: gates.mismatchShareMax ?? null,
      comparedMin: gates.comparedMin ?? null,
      mirrorBacklogMax: gates.mirrorBacklogMax ?? null,
    },
    automatic,
  };
}

export function rampRunDocument(run: RampRun): RampRunDocument {
  const { id, cohort, status, step, approved, actor, reason, startedAt } = run;
  return {
    id,
    cohort,
    plan: planDocument(run.plan),
    status,
    step,
    stepAt: run.stepAt?.toISOString() ?? null,
    note: run.note ?? null,
    approved,
    actor,
    reason,
    startedAt: startedAt.toISOString(),
    endedAt: run.endedAt?.toISOString() ?? null,
  };
}
