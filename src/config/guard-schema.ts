/**
 * The guard's keys as they are written: conditions, fallback reads, hooks, plans of ramps.
 */
import { type Static, Type } from '@sinclair/typebox';
import { GUARD_ACTIONS, METRICS } from '../guard/condition.ts';
import { HOOK_EVENTS } from '../guard/guard-settings.ts';
import { FAILURE_KINDS } from '../guard/slot.ts';
import { RampSchema } from './route-schema.ts';
import {
  choice,
  cohortName,
  count,
  flag,
  list,
  mapping,
  milliseconds,
  path,
  section,
  share,
  text,
} from './schema-terms.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const ConditionSchema = mapping({
  name: Type.Optional(
    text({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$',
      expected: 'a name of at most 63 letters, digits and . _ -',
    }),
  ),
  metric: choice(METRICS),
  over: Type.Optional(Type.Number({ minimum: 0, maximum: 1_000_000_000 })),
  overLegacy: Type.Optional(Type.Number({ minimum: 1, maximum: 1000 })),
  windowMs: Type.Optional(
    Type.Integer({ minimum: 1000, maximum: HOUR_MS, expected: `whole milliseconds from 1000 to ${HOUR_MS}` }),
  ),
  minRequests: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  windows: Type.Optional(
    mapping({
      over: Type.Integer({ minimum: 1, maximum: 20 }),
      of: Type.Integer({ minimum: 1, maximum: 20 }),
    }),
  ),
  confidence: Type.Optional(Type.Number({ minimum: 0.5, maximum: 0.9999 })),
  action: Type.Optional(choice(GUARD_ACTIONS)),
  cohorts: Type.Optional(
    list(cohortName(), { minItems: 1, uniqueItems: true, expected: 'a list of names of cohorts' }),
  ),
});

export const HookSchema = mapping(
  {
    url: text({ secret: true, expected: 'an http or https URL' }),
    secret: Type.Optional(text({ minLength: 0, secret: true, expected: 'a secret of at least 16 bytes' })),
    secretFile: Type.Optional(path()),
    events: list(choice(HOOK_EVENTS), {
      default: [...HOOK_EVENTS],
      minItems: 1,
      uniqueItems: true,
      expected: `a list of ${HOOK_EVENTS.join(', ')}`,
    }),
  },
  { secret: true },
);

export const RampPlanSchema = mapping(
  {
    steps: list(mapping({ ramp: RampSchema, bakeMs: milliseconds(600_000, 0, 30 * DAY_MS) }), {
      minItems: 1,
      maxItems: 100,
      expected: 'a list of 1 to 100 steps such as { ramp: 10%, bakeMs: 600000 }',
    }),
    gates: section({
      guard: choice(['healthy', 'not-tripped', 'any'], 'healthy'),
      mismatchShareMax: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
      comparedMin: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
      mirrorBacklogMax: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
    }),
    automatic: flag(false),
  },
  { expected: 'a plan such as { steps: [{ ramp: 10%, bakeMs: 600000 }, { ramp: 100% }] }' },
);

export const GuardSchema = section({
  windowMs: milliseconds(30_000, 1000, HOUR_MS),
  errorRate: share(0.05),
  meanLatencyMs: milliseconds(1000, 1, HOUR_MS),
  minRequests: count(50, 1, 1_000_000),
  action: choice(GUARD_ACTIONS, 'rollback'),
  cooldownMs: milliseconds(600_000, 0, DAY_MS),
  failures: list(choice(FAILURE_KINDS), {
    default: [...FAILURE_KINDS],
    minItems: 1,
    uniqueItems: true,
    expected: `a list of ${FAILURE_KINDS.join(', ')}`,
  }),
  conditions: list(ConditionSchema, {
    default: [],
    maxItems: 50,
    expected: 'a list of at most 50 conditions',
  }),
  fallback: section({
    enabled: flag(true),
    share: share(0.2),
    inFlightMin: count(3, 0, 10_000),
    waitMs: milliseconds(1000, 0, 60_000),
  }),
  hooks: list(HookSchema, { default: [], maxItems: 10, expected: 'a list of at most 10 hooks' }),
  ramps: Type.Record(Type.String(), RampPlanSchema, {
    default: {},
    expected: 'a mapping of names to plans such as { slowly: { steps: … } }',
  }),
});

export type ConditionWritten = Static<typeof ConditionSchema>;
export type HookWritten = Static<typeof HookSchema>;
export type RampPlanWritten = Static<typeof RampPlanSchema>;
