/**
 * A cohort as JSON, as the record and the state map keep it. Read back defensively: what is not a cohort is an
 * error that says where it differs, never a cohort with holes.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { type Cohort, RAMP_BUCKETS, type Rule, STAGES } from '../model.ts';

const Attribute = Type.Object({
  source: Type.Union(
    (['header', 'claim', 'cookie', 'query', 'path', 'user'] as const).map((source) => Type.Literal(source)),
  ),
  name: Type.String(),
});

const RuleJson = Type.Recursive((Self: TSchema) =>
  Type.Union([
    Type.Object({ kind: Type.Literal('in'), attribute: Attribute, values: Type.Array(Type.String()) }),
    Type.Object({ kind: Type.Literal('prefix'), attribute: Attribute, prefix: Type.String() }),
    Type.Object({ kind: Type.Literal('exists'), attribute: Attribute }),
    Type.Object({ kind: Type.Literal('all'), rules: Type.Array(Self) }),
    Type.Object({ kind: Type.Literal('any'), rules: Type.Array(Self) }),
    Type.Object({ kind: Type.Literal('not'), rule: Self }),
  ]),
);

const CohortJson = Type.Object({
  stage: Type.Union(STAGES.map((stage) => Type.Literal(stage))),
  ramp: Type.Union([
    Type.Object({
      kind: Type.Literal('percent'),
      buckets: Type.Integer({ minimum: 0, maximum: RAMP_BUCKETS }),
    }),
    Type.Object({ kind: Type.Literal('count'), count: Type.Integer({ minimum: 0 }) }),
  ]),
  salt: Type.String(),
  rule: Type.Optional(Type.Unsafe<Rule>(RuleJson)),
  isDefault: Type.Boolean(),
  migration: Type.Union([Type.Literal('cohort'), Type.Literal('per-user')]),
  mirror: Type.Boolean(),
  // Absent in what an older version wrote.
  era: Type.Optional(Type.Object({ number: Type.Integer({ minimum: 1 }), tracked: Type.Boolean() })),
});

/** Everything of a cohort but its name. */
export type CohortDefinition = Static<typeof CohortJson>;

export function cohortDefinition(cohort: Cohort): string {
  const { name: _name, ...definition } = cohort;
  return JSON.stringify(definition);
}

/** @throws `Error` naming the cohort and the first property that is wrong. */
export function parseCohort(name: string, definition: unknown): Cohort {
  if (!Value.Check(CohortJson, definition)) {
    const first = Value.Errors(CohortJson, definition).First();
    throw new Error(
      `cohort ${name}: its stored definition is not valid at ${first?.path || '/'}: ${first?.message}`,
    );
  }
  const { stage, ramp, salt, rule, isDefault, migration, mirror, era } = definition;
  const cohort = { name, stage, ramp, salt, rule, isDefault, migration, mirror };
  return Object.freeze(era === undefined ? cohort : { ...cohort, era: Object.freeze(era) });
}
