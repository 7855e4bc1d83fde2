import { readFileSync } from 'node:fs';
import t from 'tap';
import { isMap, isScalar, isSeq, LineCounter, type Node, parse, parseDocument } from 'yaml';
import { loadConfig } from '../../src/config/load-config.ts';
import { isMapping } from '../../src/config/place.ts';
import { RuleSchema } from '../../src/config/route-schema.ts';
import { ConfigSchema } from '../../src/config/schema.ts';
import { withDefaults } from '../../src/config/schema-walk.ts';
import { schemaLeaves } from './schema-leaves.ts';

// Tests run in the root of the repository.
const FILE = 'config/turnout.yaml';
const text = readFileSync(FILE, 'utf8');

/** With its examples: lines that begin with `#` and no single space. Keys appear twice then. */
const withExamples = text.replaceAll(/^( *)#(?! \S)(?=.)/gm, '$1');

interface Written {
  readonly path: string;
  readonly line: string;
  readonly value: Node | null;
}

/** Every key of the file with its examples, and the line that it stands on. */
function writtenKeys(): Written[] {
  const lines = new LineCounter();
  const document = parseDocument(withExamples, { lineCounter: lines, uniqueKeys: false });
  t.strictSame(document.errors, [], 'the examples are valid YAML');
  const source = withExamples.split('\n');
  const found: Written[] = [];
  const walk = (node: unknown, path: string): void => {
    if (isSeq(node)) for (const item of node.items) walk(item, `${path}[]`);
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue;
      const isFree = String(key.value).startsWith('$') || path === 'guard.ramps';
      const name = isFree ? '*' : String(key.value);
      const inner = path === '' ? name : `${path}.${name}`;
      const line = source[lines.linePos(key.range?.[0] ?? 0).line - 1] ?? '';
      const isNode = isMap(value) || isSeq(value) || isScalar(value);
      found.push({ path: inner, line, value: isNode ? value : null });
      walk(value, inner);
    }
  };
  walk(document.contents, '');
  return found;
}

const written = writtenKeys();

/** The two backends have the same keys, and a rule inside a rule is a rule. */
function folded(path: string): string {
  return path
    .replace(/^backends\.(legacy|new)/, 'backends')
    .replace(/^(cohorts\[\]\.rule)(\.(all|any)\[\]|\.not)+/, '$1');
}

void t.test('the file as it is has the defaults of the schema, every one of them', async (t) => {
  const values: unknown = parse(text);
  const backends = { legacy: { url: 'http://127.0.0.1:9001' }, new: { url: 'http://127.0.0.1:9002' } };
  const defaults = withDefaults(ConfigSchema, { backends });
  t.strictSame(withDefaults(ConfigSchema, values), defaults, 'no other values');
  if (!isMapping(defaults) || !isMapping(defaults.backends)) throw new Error('no mapping');
  defaults.backends.new = backends.new;
  t.strictSame(values, defaults, 'each is written; `backends.new` has the keys of `backends.legacy`');
});

void t.test('every key of the schema appears, and no other', async (t) => {
  const known = new Set(schemaLeaves(ConfigSchema).map((leaf) => folded(leaf.path)));
  for (const { path } of schemaLeaves(RuleSchema)) known.add(folded(`cohorts[].rule.${path}`));
  const shown = new Set(written.map(({ path }) => folded(path)));
  const missing = [...known].filter((path) => !shown.has(path));
  t.strictSame(missing, [], 'keys that the file does not show');
  const unknown = [...shown].filter((path) => !known.has(path));
  t.strictSame(unknown, [], 'keys that the schema does not have');
});

void t.test(
  'every number has its bounds beside it, and every word with a few choices has all of them',
  async (t) => {
    for (const { path, schema } of schemaLeaves(ConfigSchema)) {
      const lines = written.filter((key) => folded(key.path) === folded(path)).map((key) => key.line);
      // Inside { } a key shares its line with others.
      const flowing = path.includes('.compare.');
      if (schema.minimum !== undefined && !path.endsWith('.ramp') && !flowing) {
        const bounds = `${schema.minimum} to ${schema.maximum}`;
        t.ok(
          lines.some((line) => line.includes(bounds)) || text.includes(`: ${bounds}, or auto`),
          `${path}: ${bounds}`,
        );
      }
      for (const choice of path.endsWith('algorithms') ? [] : (schema.enum ?? [])) {
        t.ok(
          lines.some((line) => line.includes(String(choice))) || text.includes(`: legacy or new.`),
          `${path}: ${String(choice)}`,
        );
      }
    }
  },
);

void t.test('every default of the schema that stands in an example is the default', async (t) => {
  for (const { path, schema } of schemaLeaves(ConfigSchema)) {
    if (typeof schema.default !== 'number') continue;
    const values = written
      .filter((key) => folded(key.path) === folded(path))
      .flatMap(({ value }) => (isScalar(value) ? [value.value] : []));
    // A few examples show something else than the default, and say what the default is.
    if (path.endsWith('.ramp')) continue;
    for (const value of values) t.equal(value, schema.default, path);
  }
});

void t.test('both files load, without a warning', async (t) => {
  for (const file of [FILE, 'config/demo.yaml']) t.strictSame(loadConfig(file, {}).warnings, [], file);
});

void t.test('the demo takes its ports and its folder from the environment', async (t) => {
  const config = loadConfig('config/demo.yaml', {
    TURNOUT_PORT: '1',
    TURNOUT_ADMIN_PORT: '2',
    TURNOUT_LEGACY_PORT: '3',
    TURNOUT_NEW_PORT: '4',
    TURNOUT_DATA_DIR: '/srv',
  });
  t.match(config, {
    listen: { host: '127.0.0.1', port: 1 },
    admin: { listen: { host: '127.0.0.1', port: 2 } },
    backends: { legacy: { origin: 'http://127.0.0.1:3' }, new: { origin: 'http://127.0.0.1:4' } },
    state: { kind: 'embedded' },
    record: { kind: 'embedded', dir: '/srv/demo' },
    identity: [
      { from: 'header', name: 'x-user-id' },
      { from: 'cookie', name: 'uid' },
    ],
  });
  t.match(loadConfig('config/demo.yaml', {}), {
    listen: { port: 8080 },
    admin: { listen: { port: 8081 } },
    backends: { legacy: { origin: 'http://127.0.0.1:9001' }, new: { origin: 'http://127.0.0.1:9002' } },
    record: { dir: './data/demo' },
  });
});

void t.test('the demo: staff are live, half of the beta users are, everybody else is compared', async (t) => {
  const { cohorts } = loadConfig('config/demo.yaml', {});
  t.strictSame(
    cohorts.map(({ name, stage, ramp, isDefault }) => [name, stage, ramp, isDefault]),
    [
      ['staff', 'live', { kind: 'percent', buckets: 10_000 }, false],
      ['beta', 'live', { kind: 'percent', buckets: 5000 }, false],
      ['everyone', 'shadow', { kind: 'percent', buckets: 10_000 }, true],
    ],
  );
});
