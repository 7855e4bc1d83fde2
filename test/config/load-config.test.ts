import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load-config.ts';
import { ConfigError, EX_CONFIG, formatProblems } from '../../src/config/problem.ts';
import { BACKENDS } from './problems-of.ts';

const dir = mkdtempSync(join(tmpdir(), 'turnout-config-'));
t.teardown(() => rmSync(dir, { recursive: true }));

function fileWith(name: string, content: string | Buffer): string {
  const file = join(dir, name);
  writeFileSync(file, content);
  return file;
}

function failureOf(file: string): ConfigError {
  try {
    loadConfig(file, {});
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('it loads');
}

void t.test('a file is read, and named in the model', async (t) => {
  const file = fileWith('good.yaml', `log:\n  level: \${LEVEL}${BACKENDS}`);
  const config = loadConfig(file, { LEVEL: 'warn' });
  t.equal(config.file, file);
  t.equal(config.log.level, 'warn');
});

void t.test('a byte order mark is not part of the first key', async (t) => {
  t.equal(loadConfig(fileWith('bom.yaml', `\uFEFFlog: { level: warn }${BACKENDS}`), {}).log.level, 'warn');
});

void t.test('lines that end in CR LF have the same positions', async (t) => {
  const file = fileWith('crlf.yaml', `log:\r\n  level: loud\r\n${BACKENDS}`);
  t.match(failureOf(file).problems, [{ line: 2, column: 3 }]);
});

void t.test('a file that cannot be used is one problem, of the file as a whole', async (t) => {
  const cases: [string, string][] = [
    [join(dir, 'nowhere.yaml'), 'it does not exist'],
    [dir, 'it is a folder'],
    [join(fileWith('file', ''), 'below'), 'it does not exist'],
    ['a\0b', 'this is not the path of a file'],
    [fileWith('large.yaml', `#${' '.repeat(1_048_576)}`), 'it is larger than 1048576 bytes'],
    [fileWith('latin1.yaml', Buffer.from('log: { level: "\xe9" }', 'latin1')), 'it is not UTF-8'],
  ];
  for (const [file, why] of cases) {
    const failure = failureOf(file);
    t.equal(formatProblems(failure), `${file}  this file cannot be used: ${why}`);
    t.match(failure.problems, [{ line: 0, column: 0, path: '' }]);
    t.equal(failure.message, `${file}: one problem`);
  }
});

void t.test('the system error is the cause', async (t) => {
  const failure = failureOf(join(dir, 'nowhere.yaml'));
  t.match(failure.cause, { cause: { code: 'ENOENT' } });
});

void t.test('a file of exactly 1 MiB is read', async (t) => {
  const head = `log: { level: warn }${BACKENDS}#`;
  const file = fileWith('full.yaml', head + 'x'.repeat(1_048_576 - head.length));
  t.equal(loadConfig(file, {}).log.level, 'warn');
});

void t.test('problems are printed as file:line:column, path and message', async (t) => {
  const file = fileWith('wrong.yaml', `\nlisten: { prot: 80 }\ncolour: red${BACKENDS}`);
  const failure = failureOf(file);
  t.equal(failure.message, `${file}: 2 problems`);
  t.equal(
    formatProblems(failure).split('\n')[0],
    `${file}:2:11  listen.prot: unknown key; did you mean \`port\`?`,
  );
  t.match(failure.problems[0], { line: 2, column: 11, path: 'listen.prot', suggestion: 'port' });
  t.equal(EX_CONFIG, 78);
});
