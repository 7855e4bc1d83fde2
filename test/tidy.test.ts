/**
 * The house rules that a compiler and a linter do not know. Every rule is also shown a tree that breaks it,
 * because a rule that cannot fail keeps nothing.
 */
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import t from 'tap';
import * as rules from './tidy/rules.ts';
import { blank, importsOf } from './tidy/scan-source.ts';
import { readTree, type SourceTree } from './tidy/source-tree.ts';

/** The checkout, whether this runs as TypeScript in test/ or compiled in build/test/. */
const HERE = join(import.meta.dirname, '..');
const ROOT = HERE.endsWith(`${sep}build`) ? join(HERE, '..') : HERE;

/** Files over the bound, with their length. Numbers here may only go down. */
const LONG_FILES: ReadonlyMap<string, number> = new Map<string, number>([]);

/** Files that a process is started with, and a list that tests hold code and documentation to. */
const ENTRIES = [
  'src/main.ts',
  'src/workers/worker-entry.ts',
  'src/demo/shop-process.ts',
  'src/console/main.tsx',
  'src/console/build-console.ts',
  'src/console/modules.d.ts',
  'src/telemetry/events.ts',
  // What the comparison offers to the rooms that send shadow reads and keep reports.
  'src/comparison/compare.ts',
  'src/comparison/redact-value.ts',
  'src/comparison/signature.ts',
];

const src = readTree(ROOT, ['src']);
const all = readTree(ROOT, ['src', 'test', 'bench']);

const tree = (files: Record<string, string>): SourceTree => new Map(Object.entries(files));

void t.test('rooms import only what lies below them', async (t) => {
  t.same(rules.importDirections(src), []);

  const bad = rules.importDirections(
    tree({
      'src/routing/a.ts': "import { x } from '../state/state-map.ts';",
      'src/intake/b.ts': "import type { G } from '../gateway.ts';",
      'src/state/c.ts': "const { d } = await import('../cli/program.ts');",
      'src/decision/e.ts': "import { f } from '../../test/f.ts';",
      'src/newroom/g.ts': "import { h } from '../state/h.ts';",
      'src/forwarding/fine.ts':
        "import { e } from '../errors.ts';\nimport { x } from '../intake/exchange.ts';",
    }),
  );
  t.equal(bad.length, 5);
  t.match(bad[0], 'routing may not know state');
});

void t.test('pure rooms import nothing from outside', async (t) => {
  t.same(rules.pureRooms(src), []);
  t.equal(rules.pureRooms(tree({ 'src/decision/a.ts': "import { hash } from 'node:crypto';" })).length, 1);
  const decoding = "import { gunzipSync } from 'node:zlib';\nimport { readFileSync } from 'node:fs';";
  t.equal(
    rules.pureRooms(tree({ 'src/comparison/decode-body.ts': decoding })).length,
    1,
    'but what computes',
  );
  t.equal(rules.pureRooms(tree({ 'src/comparison/other.ts': decoding })).length, 2, 'in its own file alone');
});

void t.test('a wrapped package is imported by its room alone', async (t) => {
  t.same(rules.wrappedPackages(src), []);

  const bad = rules.wrappedPackages(
    tree({
      'src/admin/a.ts': "import pg from 'pg';\nimport { Redis } from 'ioredis';",
      'src/intake/b.ts': "import { type Pool, Client } from 'pg';",
      'src/forwarding/c.ts': "import Breaker from 'opossum';",
      'src/workers/d.ts': "import { pino } from 'pino';",
      'src/intake/e.ts': "import { type Server, createServer } from 'node:http';",
      'src/intake/fine.ts': "import type { Server } from 'node:http';",
      'src/forwarding/fine.ts': "import { type Logger } from 'pino';",
    }),
  );
  t.equal(bad.length, 6);
});

void t.test('files stay short, and exceptions only shrink', async (t) => {
  t.same(rules.fileLengths(src, LONG_FILES), []);

  const lines = (count: number): string => 'x;\n'.repeat(count);
  const files = tree({ 'src/a.ts': lines(rules.LINES_MAX), 'src/b.ts': lines(rules.LINES_MAX + 1) });
  t.match(rules.fileLengths(files, new Map()), [/^src\/b\.ts/]);
  t.same(rules.fileLengths(files, new Map([['src/b.ts', rules.LINES_MAX + 1]])), []);
  t.match(rules.fileLengths(files, new Map([['src/b.ts', 400]])), [/lower its exception/]);
  t.match(rules.fileLengths(tree({}), new Map([['src/gone.ts', 400]])), [/lower its exception/]);
});

void t.test('names say what is inside, in kebab-case', async (t) => {
  t.same(rules.names(all), []);
  const bad = tree({
    'src/state/utils.ts': '',
    'src/helpers/x.ts': '',
    'test/misc.test.ts': '',
    'src/userCache.ts': '',
  });
  t.equal(rules.names(bad).length, 4);
});

void t.test('what is banned from the sources is not there', async (t) => {
  t.same(rules.bans(src), []);

  const broken: Record<string, string> = {
    console: 'console.log(1);',
    'any as a type': 'function f(x: any): void {}',
    'any in a list of types': 'const m = new Map<string, any>();',
    'a cast to any': 'const y = x as any;',
    'a non-null assertion': 'const y = x!.z;',
    'a silenced compiler': '// @ts-expect-error it knows nothing',
    'a note to self': '/* TODO: later */',
    'the environment': "const home = process.env['HOME'];",
    'the environment, taken apart': 'const { env } = process;',
    'the command line': 'run(process.argv.slice(2));',
    'a default export': 'export default function f() {}',
  };
  for (const [what, source] of Object.entries(broken)) {
    t.equal(rules.bans(tree({ 'src/a.ts': source })).length, 1, what);
  }
});

void t.test('on the way of a request no function is written where it becomes a property', async (t) => {
  for (const source of [
    'a.b = () => c;',
    'this.#b = (code) => c;',
    'a.b ??= async (code: Code): Promise<void> => c;',
  ])
    for (const path of ['src/intake/a.ts', 'src/forwarding/a.ts', 'src/pipeline/a.ts'])
      t.equal(rules.bans(tree({ [path]: source })).length, 1, `${source} in ${path}`);
  const fine =
    'const b = (): void => c;\na.b = b;\na.b = c ? d : e;\nif (a.b >= c) d((e) => e);\na.b = d((e) => e);';
  t.same(rules.bans(tree({ 'src/intake/a.ts': fine, 'src/cutover/a.ts': 'a.b = () => c;' })), []);
});

void t.test('prose, strings and near misses are not banned', async (t) => {
  const fine = [
    '// console.log is banned, as any reader knows',
    "const hint = 'set process.env.HOME, any value: any';",
    'const text = `console.log ${value} as any`;',
    'const pattern = /console\\.log/;',
    'if (!a !== b && anything(any)) {}',
    'const share = total / parts; // as any / other',
    "return Promise.any([a, b]).then((first) => first !== '');",
  ].join('\n');
  t.same(rules.bans(tree({ 'src/a.ts': fine, 'src/main.ts': 'const { env } = process;' })), []);
});

void t.test('every source file is used', async (t) => {
  t.same(rules.unreferenced(src, ENTRIES), []);
  t.same(
    ENTRIES.filter((path) => !src.has(path)),
    [],
    'the list of entries is true',
  );

  const files = tree({
    'src/main.ts': "import { a } from './a.ts';",
    'src/a.ts': "export type { B } from './b.ts';",
    'src/b.ts': '',
    'src/lost.ts': '',
  });
  t.match(rules.unreferenced(files, ['src/main.ts']), [/^src\/lost\.ts/]);
});

void t.test('the documents that everybody looks for are there', async (t) => {
  const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'LICENSE'];
  t.same(
    documents.filter((name) => !existsSync(join(ROOT, name))),
    [],
  );
});

void t.test('the tests run on the Node of the packages', async (t) => {
  t.ok(Number.parseInt(process.versions.node, 10) >= 24, process.version);
});

void t.test('imports are found in every form, and only in code', async (t) => {
  const source = [
    "import a from 'a';",
    "import type { B } from 'b';",
    "import { type C, type D } from 'c';",
    "import { type E, f } from 'd';",
    'import {\n  g,\n  h,\n} from "e";',
    "import 'f';",
    "export * from 'g';",
    "export type { I } from 'h';",
    "const j = await import('i');",
    "// import k from 'no';",
    "/* import l from 'no'; */",
    "export const m = 'no';",
    "const n = 1; const o = 'import p from \\'no\\'';",
  ].join('\n');
  const found = importsOf(source).map(
    ({ specifier, typeOnly }) => `${specifier}${typeOnly ? ' (type)' : ''}`,
  );
  t.same(found, ['a', 'b (type)', 'c (type)', 'd', 'e', 'f', 'g', 'h (type)', 'i']);
});

void t.test('blanking keeps code and lines and loses the rest', async (t) => {
  t.equal(blank("a('x' + y); // c"), "a(' ' + y);     ");
  t.equal(blank('a /* b\nc */ d'), 'a     \n     d');
  t.equal(blank('`x${a.b(`y${c}`)}z` + d'), '` ${a.b(` ${c}`)} ` + d');
  t.equal(blank('x = /[/\'"]/.test(y) ? 1 : "z"'), 'x = /     /.test(y) ? 1 : " "');
  t.equal(blank('a / b; c / d'), 'a / b; c / d');
});
