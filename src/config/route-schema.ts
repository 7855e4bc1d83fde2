/**
 * Cohorts, their rules, and routes as they are written.
 */
import { type Static, type TProperties, Type } from '@sinclair/typebox';
import { STAGES } from '../model.ts';
import { choice, cohortName, flag, headerName, list, mapping, share, text } from './schema-terms.ts';

/** A rule inside another: its shape is checked when the walk gets there, with its own place. */
const InnerRule = Type.Unsafe<Record<string, unknown>>({ type: 'object' });

/** One level of a rule. Which of the keys go together is checked in `rule.ts`. */
export const RuleSchema = mapping({
  attribute: Type.Optional(text({ maxLength: 256, expected: 'an attribute such as header.x-plan' })),
  in: Type.Optional(
    list(Type.String({ maxLength: 1024, expected: 'text; a number has to be quoted' }), {
      minItems: 1,
      maxItems: 10_000,
      expected: 'a list of 1 to 10000 texts',
    }),
  ),
  prefix: Type.Optional(text({ maxLength: 1024 })),
  exists: Type.Optional(
    Type.Unsafe<boolean>({ type: 'boolean', enum: [true], expected: 'true (for its opposite use `not`)' }),
  ),
  all: Type.Optional(list(InnerRule, { minItems: 1, maxItems: 100, expected: 'a list of 1 to 100 rules' })),
  any: Type.Optional(list(InnerRule, { minItems: 1, maxItems: 100, expected: 'a list of 1 to 100 rules' })),
  not: Type.Optional(InnerRule),
});

/** `10%` or a number of users: one schema of two types, so that a wrong value gives one problem and not two. */
export const RampSchema = Type.Unsafe<number | string>({
  type: ['integer', 'string'],
  minimum: 0,
  maximum: 1_000_000_000,
  pattern: '^(100(\\.0{1,2})?|[0-9]{1,2}(\\.[0-9]{1,2})?)%$',
  expected:
    'a share from 0% to 100% with at most two decimals, or a whole number of users from 0 to 1000000000',
});

export const CohortSchema = mapping({
  name: cohortName(),
  rule: Type.Optional(InnerRule),
  default: flag(false),
  stage: choice(STAGES, 'off'),
  ramp: Type.Unsafe<number | string>({ ...RampSchema, default: '100%' }),
  salt: Type.Optional(text({ maxLength: 128 })),
  migration: choice(['cohort', 'per-user'], 'cohort'),
  mirror: flag(true),
});

const documentPath = {
  pattern: '^\\$',
  maxLength: 1024,
  expected: 'a path into the document such as $.items[*].price',
};

/** A mapping from paths into the document to something. */
function byPath<T extends TProperties>(properties: T) {
  return Type.Record(Type.String(), mapping(properties));
}

/** A text or a list of texts: one schema of two types, so that a wrong value gives one problem and not two. */
function oneOrMore(options: { readonly maxLength: number; readonly expected: string }) {
  return Type.Unsafe<string | readonly string[]>({
    type: ['string', 'array'],
    minLength: 1,
    items: Type.String({ minLength: 1, maxLength: options.maxLength, expected: 'text' }),
    minItems: 1,
    maxItems: 8,
    ...options,
  });
}

const CompareSchema = mapping({
  ignore: Type.Optional(list(text(documentPath))),
  unordered: Type.Optional(list(text(documentPath))),
  arrays: Type.Optional(
    byPath({
      key: oneOrMore({
        maxLength: 256,
        expected: 'the name of the field that tells items apart, or a list of at most 8',
      }),
    }),
  ),
  tolerance: Type.Optional(
    byPath({
      absolute: Type.Optional(Type.Number({ minimum: 0, maximum: 1e15 })),
      relative: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
      timeMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 31_536_000_000 })),
    }),
  ),
  comparators: Type.Optional(
    Type.Record(
      Type.String(),
      oneOrMore({ maxLength: 64, expected: 'the name of a comparator, or a list of at most 8' }),
    ),
  ),
  rename: Type.Optional(Type.Record(Type.String(), text(documentPath))),
  nullIsAbsent: Type.Optional(Type.Boolean()),
  emptyIsAbsent: Type.Optional(Type.Boolean()),
  equalStatus: Type.Optional(
    list(
      list(Type.Integer({ minimum: 100, maximum: 599 }), {
        minItems: 2,
        maxItems: 20,
        expected: 'a list of 2 to 20 statuses',
      }),
      {
        expected: 'a list of lists of statuses such as [[200, 204]]',
      },
    ),
  ),
  headers: Type.Optional(list(headerName())),
  contentType: Type.Optional(Type.Boolean()),
});

const RouteShadow = mapping({ sample: share(1), compare: Type.Optional(CompareSchema) });

export type RouteShadowWritten = Static<typeof RouteShadow>;

export const RouteSchema = mapping({
  name: Type.Optional(
    text({ maxLength: 128, pattern: '^[ -~]+$', expected: 'a name of 1 to 128 printable ASCII characters' }),
  ),
  match: text({ maxLength: 1024, expected: 'a path such as /api/*' }),
  methods: list(
    text({
      maxLength: 32,
      pattern: "^[A-Z][A-Z0-9!#$%&'*+.^_`|~-]*$",
      expected: 'a method in upper case such as GET',
    }),
    { default: [], maxItems: 50, uniqueItems: true, expected: 'a list of methods' },
  ),
  class: Type.Optional(choice(['read', 'write'])),
  backend: Type.Optional(choice(['legacy', 'new'])),
  /** `false` or a mapping: one schema of two types, so that a wrong value gives one problem and not two. */
  shadow: Type.Unsafe<boolean | RouteShadowWritten>({
    ...RouteShadow,
    type: ['boolean', 'object'],
    default: false,
    expected: 'false, or a mapping such as { sample: 1 }',
  }),
  mirror: flag(false),
  requireUser: flag(false),
});

export type RuleWritten = Static<typeof RuleSchema>;
export type CohortWritten = Static<typeof CohortSchema>;
export type RouteWritten = Static<typeof RouteSchema>;
