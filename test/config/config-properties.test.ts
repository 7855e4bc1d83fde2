import fc from 'fast-check';
import t from 'tap';
import { stringify } from 'yaml';
import type { ConfigModel } from '../../src/config/model.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { isMapping } from '../../src/config/place.ts';
import { ConfigError, formatProblems } from '../../src/config/problem.ts';
import { RuleSchema } from '../../src/config/route-schema.ts';
import { ConfigSchema } from '../../src/config/schema.ts';
import { schemaLeaves } from './schema-leaves.ts';

const leaves = [...schemaLeaves(ConfigSchema), ...schemaLeaves(RuleSchema)];
const known = new Set(leaves.flatMap(({ path }) => path.split('.')).map((key) => key.replaceAll('[]', '')));
const words = leaves.flatMap(({ schema }) => [...(schema.enum ?? []), schema.const ?? []].flat().map(String));

const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...known) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', '', '0'),
  },
  { weight: 1, arbitrary: fc.string() },
);
const scalar = fc.oneof(
  fc.constantFrom(...words),
  fc.constantFrom(
    'http://a',
    'redis://h',
    'postgres://h',
    '/api/*',
    '/:a/*',
    '10%',
    'user',
    'header.x',
    '$.a',
  ),
  fc.constantFrom('${A}', '${B:-1}', '${', '$${x}', '${A}${A}'),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.string(),
);

/** Random trees that mostly use the keys and words of the schema, so that they get far. */
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('tree')), { maxLength: 6 }).map(Object.fromEntries),
  ),
}));

/** Anything but a `ConfigError` with at least one well-formed problem is a defect. */
function outcome(text: string): ConfigModel | ConfigError {
  try {
    return parseConfig(text, { env: { A: 'a' } });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (error.problems.length === 0) throw new Error('no problem', { cause: error });
    for (const { line, column, message } of error.problems) {
      if (line < 0 || column < 0 || message === '') throw new Error('a malformed problem', { cause: error });
    }
    if (formatProblems(error).split('\n').length !== error.problems.length) {
      throw new Error('a problem of several lines', { cause: error });
    }
    return error;
  }
}

const valid: Record<string, unknown> = {
  listen: { host: '127.0.0.1', port: 0 },
  backends: { legacy: { url: 'http://a' }, new: { url: 'http://b', tls: { verify: true } } },
  state: { kind: 'redis', url: 'redis://h' },
  identity: [{ from: 'header', name: 'x-u', trusted: true }],
  cohorts: [{ name: 'a', rule: { all: [{ attribute: 'user', in: ['x'] }] }, ramp: '1%' }],
  routes: [{ match: '/a/:b', shadow: { sample: 1, compare: { ignore: ['$.a'] } } }],
  cutover: { holdMaxMs: 5000 },
};

/** The same tree with the value at one random place replaced; `path` chooses the way down. */
function replaced(value: unknown, path: readonly number[], by: unknown): unknown {
  const [step = 0, ...rest] = path;
  if (path.length === 0) return by;
  if (Array.isArray(value) && value.length > 0) {
    const at = step % value.length;
    return value.map((item, index): unknown => (index === at ? replaced(item, rest, by) : item));
  }
  if (isMapping(value) && Object.keys(value).length > 0) {
    const keys = Object.keys(value);
    const at = keys[step % keys.length] ?? '';
    return { ...value, [at]: replaced(value[at], rest, by) };
  }
  return by;
}

void t.test('random trees in YAML never fail otherwise than with a ConfigError', async () => {
  fc.assert(fc.property(tree, (value) => void outcome(stringify(value, { aliasDuplicateObjects: false }))));
});

void t.test('random trees in JSON never fail otherwise than with a ConfigError', async () => {
  fc.assert(fc.property(tree, (value) => void outcome(JSON.stringify(value))));
});

void t.test('random text never fails otherwise than with a ConfigError', async () => {
  const alphabet = fc.constantFrom(...'{}[]:,-&*!|>\'"%@`#?$ \n\tab1~.'.split(''), 'log', '${A}', '---\n');
  const text = fc.array(alphabet, { maxLength: 60 }).map((parts) => parts.join(''));
  fc.assert(fc.property(text, (value) => void outcome(value)));
});

void t.test('a valid configuration with one random value in it never fails otherwise', async (t) => {
  t.notOk(outcome(JSON.stringify(valid)) instanceof ConfigError, 'it is valid as it is');
  const path = fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(path, tree, (way, by) => void outcome(JSON.stringify(replaced(valid, way, by)))),
    { numRuns: 300 },
  );
});

void t.test('a valid configuration cut off anywhere never fails otherwise', async () => {
  const text = stringify(valid);
  fc.assert(fc.property(fc.nat({ max: text.length }), (end) => void outcome(text.slice(0, end))));
});
