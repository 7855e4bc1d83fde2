/** Conditions, figures and plans as JSON, as the record keeps them for good. Read back defensively. */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { type Condition, type Figures, GUARD_ACTIONS, METRICS } from '../guard/condition.ts';
import type { RampPlan } from '../guard/ramp-plan.ts';
import { RAMP_BUCKETS, type Ramp } from '../model.ts';

const Optional = Type.Optional(Type.Number());

const ConditionJson = Type.Object({
  name: Type.String(),
  metric: Type.Union(METRICS.map((metric) => Type.Literal(metric))),
  over: Optional,
  overLegacy: Optional,
  windowMs: Type.Number(),
  minRequests: Type.Number(),
  windows: Type.Object({ over: Type.Number(), of: Type.Number() }),
  confidence: Type.Number(),
  action: Type.Union(GUARD_ACTIONS.map((action) => Type.Literal(action))),
  cohorts: Type.Optional(Type.Array(Type.String())),
});

const FiguresJson = Type.Object({
  value: Optional,
  lower: Optional,
  upper: Optional,
  legacyValue: Optional,
  threshold: Optional,
  requests: Type.Number(),
  legacyRequests: Type.Number(),
  windowsOver: Type.Number(),
  evidence: Type.Number(),
  kinds: Type.Record(Type.String(), Type.Number()),
  gateways: Type.Array(Type.String()),
  apart: Type.Optional(
    Type.Object({
      gateway: Type.Optional(Type.String()),
      userGroups: Type.Optional(Type.Array(Type.Number())),
    }),
  ),
});

const RampJson = Type.Union([
  Type.Object({
    kind: Type.Literal('percent'),
    buckets: Type.Integer({ minimum: 0, maximum: RAMP_BUCKETS }),
  }),
  Type.Object({ kind: Type.Literal('count'), count: Type.Integer({ minimum: 0 }) }),
]);

const PlanJson = Type.Object({
  steps: Type.Array(Type.Object({ ramp: RampJson, bakeMs: Type.Number() })),
  gates: Type.Object({
    guard: Type.Optional(Type.Union([Type.Literal('healthy'), Type.Literal('not-tripped')])),
    mismatchShareMax: Optional,
    comparedMin: Optional,
    mirrorBacklogMax: Optional,
  }),
  automatic: Type.Boolean(),
});

/** JSON knows neither infinity nor what is no number. */
export function guardJson(value: Condition | Figures | RampPlan | Ramp): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each !== 'number' || Number.isFinite(each)) return each;
    return Number.isNaN(each) ? undefined : Math.sign(each) * Number.MAX_VALUE;
  });
}

function checked<T extends TSchema>(schema: T, json: unknown, what: string): Static<T> {
  if (Value.Check(schema, json)) return json;
  const first = Value.Errors(schema, json).First();
  throw new TypeError(`${what} of the record is not valid at ${first?.path || '/'}: ${first?.message}`);
}

/** @throws TypeError for what is none */
export function parseCondition(json: unknown): Condition {
  const condition = checked(ConditionJson, json, 'a condition');
  return {
    ...condition,
    over: condition.over,
    overLegacy: condition.overLegacy,
    cohorts: condition.cohorts,
  };
}

/** @throws TypeError for what are none */
export function parseFigures(json: unknown): Figures {
  const figures = checked(FiguresJson, json, 'figures');
  const { value, lower, upper, legacyValue, threshold, apart } = figures;
  return { ...figures, value, lower, upper, legacyValue, threshold, apart };
}

/** @throws TypeError for what is none */
export function parseRamp(json: unknown): Ramp {
  return checked(RampJson, json, 'a ramp');
}

/** @throws TypeError for what is none */
export function parsePlan(json: unknown): RampPlan {
  const { steps, gates, automatic } = checked(PlanJson, json, 'a plan');
  const { guard, mismatchShareMax, comparedMin, mirrorBacklogMax } = gates;
  return { steps, gates: { guard, mismatchShareMax, comparedMin, mirrorBacklogMax }, automatic };
}
