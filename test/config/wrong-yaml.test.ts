import t from 'tap';
import { BACKENDS, meetsLines, problemsOf, testWrong } from './problems-of.ts';

testWrong(t, [
  {
    name: 'a second document',
    text: 'log: {}\n---\nlog: {}',
    problems: ['2:1  not valid YAML: a second YAML document begins here; a configuration is one document'],
  },
  {
    name: 'an interpolation without quotes inside braces says what to do, once',
    text: 'listen: {port: ${PORT}}',
    problems: ['1:17  not valid YAML: inside { } and [ ] an interpolation has to be in quotes: "${NAME}"'],
  },
  {
    name: 'a quote that is not closed',
    text: 'log:\n  level: "inf',
    problems: ['2:14  not valid YAML: a quote, bracket, comma or colon is missing here'],
  },
  {
    name: 'a mapping in the middle of a line',
    text: 'log: level: info',
    problems: [
      '1:6  not valid YAML: a mapping cannot begin on this line; a text that contains `: ` has to be quoted',
    ],
  },
  {
    name: 'tabs',
    text: 'log:\n\tlevel: info',
    problems: ['2:1  not valid YAML: tabs are not allowed as indentation; use spaces'],
  },
  {
    name: 'two independent syntax errors are both reported',
    text: 'a: @x\nb: `y',
    problems: [
      '1:4  not valid YAML: a text that begins with this character has to be quoted',
      '2:4  not valid YAML: a text that begins with this character has to be quoted',
    ],
  },
  {
    name: 'a list as a key',
    text: '? [a]\n: 1',
    problems: ['1:3  not valid YAML: a key has to be a plain text'],
  },
  {
    name: 'an unknown tag',
    text: 'log: !env LEVEL',
    problems: ['1:6  not valid YAML: unknown YAML tag; a text that begins with `!` has to be quoted'],
  },
  {
    name: 'a known tag that makes something else than plain data',
    text: 'log: !!binary aGk=',
    problems: ['1:1  log: expected text, a number, true or false; found a value with another YAML tag'],
  },
  {
    name: 'a key written twice',
    text: 'log: { level: info }\nlog: { level: warn }\nlimits: { headMs: 500, headMs: 600 }',
    problems: [
      '2:1  log: this key is written twice, first in line 1',
      '3:24  limits.headMs: this key is written twice, first in line 3',
    ],
  },
  {
    name: 'an alias without an anchor',
    text: 'log: *usual',
    problems: ['1:1  log: this alias has no anchor before it; a text that begins with `*` has to be quoted'],
  },
  {
    name: 'an alias inside its own anchor',
    text: 'routes: &all [*all]',
    problems: ['1:15  routes[0]: this alias stands inside its own anchor'],
  },
  {
    name: 'a key that would reach into the prototype',
    text: '__proto__: { polluted: true }',
    problems: ['1:1  this cannot be a key'],
  },
]);

void t.test('another version of YAML is refused: it reads `yes` and `<<` differently', async (t) => {
  t.strictSame(problemsOf(`%YAML 1.1\n---${BACKENDS}`), [
    '1:1  YAML 1.1 was asked for; a configuration is YAML 1.2',
  ]);
});

void t.test('aliases that explode are stopped', async (t) => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i += 1) {
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`);
  }
  const problems = problemsOf(lines.join('\n'));
  t.equal(problems.length, 1);
  t.match(problems[0], /more than 50000 values, aliases included$/);
});

void t.test('nesting is bounded, whether the parser or the walk notices first', async (t) => {
  meetsLines(t, problemsOf('['.repeat(100_000)), [/not valid YAML: nested too deeply|bracket/]);
  meetsLines(t, problemsOf(`${'['.repeat(60)}${']'.repeat(60)}`), [/nested more than 40 levels deep$/]);
});

void t.test('aliases within the bounds are plain values', async (t) => {
  const text = `limits: &limits { headMs: 500 }\nrecord: &embedded { kind: embedded }\nstate: *embedded`;
  t.strictSame(problemsOf(text + BACKENDS), []);
});

void t.test('what is no mapping at all is one problem', async (t) => {
  t.strictSame(problemsOf('[]'), [
    '1:1  expected a mapping with keys such as `backends`; found an empty list',
  ]);
  t.strictSame(problemsOf('some text'), ['1:1  expected a mapping with keys such as `backends`; found text']);
  t.strictSame(problemsOf(''), ['1:1  backends: missing; expected a mapping with `legacy` and `new`']);
  t.strictSame(problemsOf('# only a comment\n'), [
    '1:1  backends: missing; expected a mapping with `legacy` and `new`',
  ]);
});

void t.test('a file of another kind is not printed line by line: its keys may be secrets', async (t) => {
  const problems = problemsOf(`postgres:5432:turnout:hunter2-hunter2: x${BACKENDS}`);
  meetsLines(t, problems, [/^1:1 {2}unknown key; expected one of listen, /]);
  t.notMatch(problems.join(), /hunter2/);
});

void t.test('of very many problems the first 200 are listed and the rest counted', async (t) => {
  const items = Array.from({ length: 300 }, () => '  - 5').join('\n');
  const problems = problemsOf(`cohorts:\n${items}${BACKENDS}`);
  t.equal(problems.length, 201);
  t.equal(problems[199], '201:5  cohorts[199]: expected a mapping; found a number');
  t.equal(problems[200], '  and 100 more problems');
});
