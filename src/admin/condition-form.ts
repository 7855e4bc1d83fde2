/** Conditions and plans as a body has them, with the same keys as in the configuration, and what they become. */
import { type Static, Type } from '@sinclair/typebox';
import { conditionProblems, planOf } from '../config/guard.ts';
import { nearestKey } from '../config/nearest-key.ts';
import { type Condition, GUARD_ACTIONS, METRICS } from '../guard/condition.ts';
import { completeCondition, type ShortKeys } from '../guard/guard-settings.ts';
import { stepOutOfOrder } from '../guard/ramp-order.ts';
import type { RampPlan } from '../guard/ramp-plan.ts';
import { AdminError } from './admin-error.ts';
import { Word } from './control-documents.ts';
import { RampFormSchema } from './ramp-schema.ts';
import { CohortName, STRICT } from './request-parts.ts';

const HOUR_MS = 3_600_000;
const BAKE_MS = 600_000;
const WindowCount = Type.Integer({ minimum: 1, maximum: 20 });

export const ConditionForm = Type.Object(
  {
    name: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' })),
    metric: Type.String({ maxLength: 64, description: `One of ${METRICS.join(', ')}.` }),
    over: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1_000_000_000,
        description: "In the metric's own unit: a share of 0 to 1, milliseconds, a number of writes.",
      }),
    ),
    overLegacy: Type.Optional(
      Type.Number({ minimum: 1, maximum: 1000, description: 'A factor of what legacy has.' }),
    ),
    windowMs: Type.Optional(Type.Integer({ minimum: 1000, maximum: HOUR_MS })),
    minRequests: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    windows: Type.Optional(Type.Object({ over: WindowCount, of: WindowCount }, STRICT)),
    confidence: Type.Optional(Type.Number({ minimum: 0.5, maximum: 0.9999 })),
    action: Type.Optional(Word(GUARD_ACTIONS)),
    cohorts: Type.Optional(Type.Array(CohortName, { minItems: 1, maxItems: 1000 })),
  },
  STRICT,
);

export const PlanForm = Type.Object(
  {
    steps: Type.Array(
      Type.Object(
        {
          ramp: RampFormSchema,
          bakeMs: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 30 * 24 * HOUR_MS,
              description: `How long it stays there before its gates are looked at; ${BAKE_MS} unless given.`,
            }),
          ),
        },
        STRICT,
      ),
      { minItems: 1, maxItems: 100 },
    ),
    gates: Type.Optional(
      Type.Object(
        {
          guard: Type.Optional(Word(['healthy', 'not-tripped', 'any'])),
          mismatchShareMax: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
          comparedMin: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
          mirrorBacklogMax: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
        },
        STRICT,
      ),
    ),
    automatic: Type.Optional(Type.Boolean()),
  },
  STRICT,
);

/**
 * @param keys what is in force: what a condition does not say is said there
 * @throws AdminError `condition_invalid`, naming what is wrong, and for an unknown metric the known ones
 */
export function conditionsOf(
  forms: readonly Static<typeof ConditionForm>[],
  keys: ShortKeys,
): readonly Condition[] {
  const names = new Set<string>();
  return forms.map((form, index) => {
    const metric = METRICS.find((known) => known === form.metric);
    if (metric === undefined) {
      const near = nearestKey(form.metric, METRICS);
      const hint = near === undefined ? '' : `; did you mean ${near}?`;
      throw invalid(index, `there is no metric ${form.metric}: it is one of ${METRICS.join(', ')}${hint}`);
    }
    const written = { ...form, metric };
    const [problem] = conditionProblems(written);
    if (problem !== undefined) throw invalid(index, `${problem.key}: ${problem.message}`);
    const condition = completeCondition(written, keys);
    if (names.has(condition.name)) throw invalid(index, `another one is named ${condition.name}`);
    names.add(condition.name);
    return condition;
  });
}

function invalid(index: number, why: string): AdminError {
  return new AdminError('condition_invalid', `Condition ${index + 1}: ${why.replaceAll('`', '')}.`);
}

/**
 * @param plan the name of a plan of the configuration, or a plan
 * @throws AdminError `plan_unknown`, `plan_invalid`
 */
export function rampPlanOf(
  plan: string | Static<typeof PlanForm>,
  plans: Readonly<Record<string, RampPlan>>,
): RampPlan {
  if (typeof plan === 'string') {
    const known = Object.hasOwn(plans, plan) ? plans[plan] : undefined;
    if (known !== undefined) return known;
    const names = Object.keys(plans);
    const which = names.length === 0 ? 'the configuration has none' : `there are ${names.join(', ')}`;
    throw new AdminError('plan_unknown', `There is no plan ${plan} under guard.ramps: ${which}.`);
  }
  const { steps, gates = {}, automatic = false } = plan;
  const baked = steps.map(({ ramp, bakeMs = BAKE_MS }) => ({ ramp, bakeMs }));
  const made = planOf({ steps: baked, gates: { ...gates, guard: gates.guard ?? 'healthy' }, automatic });
  const wrong = stepOutOfOrder(made.steps.map(({ ramp }) => ramp));
  if (wrong === undefined) return made;
  throw new AdminError('plan_invalid', `Step ${wrong.index + 1}: ${wrong.why}.`);
}
