/** Random documents, pairs of them, and rules, for tests by properties. */
import fc from 'fast-check';

/** Few names and values, so that two trees often have something in common. */
const name = fc.constantFrom('a', 'b', 'id', 'items', 'at', '__proto__', 'odd name', '17', 'x@y');
const scalar = fc.oneof(
  fc.constantFrom(null, true, false, 0, 1, -1, 1.5, '', 'a', 'A', ' a', '2026-01-31T12:00:00Z', 1769860800),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ maxLength: 4 }),
);
export const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('tree')), { maxLength: 4 }).map(Object.fromEntries),
  ),
}));

/** A tree, and one that differs from it in little or in nothing. */
export const pair = fc.oneof(
  fc.tuple(tree, tree),
  tree.map((one): [unknown, unknown] => [one, shuffled(one)]),
  fc.tuple(tree, tree).map(([one, other]): [unknown, unknown] => [
    { a: one, b: 1 },
    { b: 1, a: other },
  ]),
  fc
    .tuple(fc.array(tree), fc.array(tree))
    .map(([one, other]): [unknown, unknown] => [one, [...other, ...one]]),
);

/** Another order of members, and of arrays now and then. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value))
    return value.length % 2 === 0 ? value.map(shuffled) : value.map(shuffled).reverse();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, shuffled(inner)]),
  );
}

const path = fc.constantFrom(
  '$',
  '$.a',
  '$.a.b',
  '$[*]',
  '$..id',
  '$.items',
  '$.items[*].at',
  '$..*',
  "$['odd name']",
  '$[0]',
  '$..items',
);
const paths = fc.uniqueArray(path, { maxLength: 3 });
const toMapping = (inner: fc.Arbitrary<unknown>) =>
  fc.dictionary(path, inner, { maxKeys: 2, noNullPrototype: true });

/** Rules that cannot bring a difference to light, whatever they are put to. */
export const rules = fc.record(
  {
    ignore: paths,
    unordered: paths,
    arrays: toMapping(fc.constantFrom({ key: 'id' }, { key: ['a', 'b'] })),
    tolerance: toMapping(
      fc.constantFrom({ absolute: 1 }, { relative: 0.5 }, { timeMs: 1000 }, { absolute: 0 }),
    ),
    comparators: toMapping(fc.constantFrom('trimmed', 'set', 'same-type', ['trimmed', 'case-insensitive'])),
    rename: fc.constantFrom({}, { '$.a': '$.b' }, { '$.a.b': '$.id' }, { '$.items[*].id': '$.items[*].a.b' }),
    nullIsAbsent: fc.boolean(),
    emptyIsAbsent: fc.boolean(),
    equalStatus: fc.constantFrom([], [[200, 204]]),
  },
  { requiredKeys: [] },
);
