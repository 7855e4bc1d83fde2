import t from 'tap';
import { parseConfig } from '../../src/config/parse-config.ts';
import { BACKENDS, meetsLines, problemsOf } from './problems-of.ts';

void t.test('a variable, a default, and a literal', async (t) => {
  const text = `record:
  kind: embedded
  dir: \${BASE}/\${SUB:-demo}/$\${KEPT}/$x
${BACKENDS}`;
  t.match(parseConfig(text, { env: { BASE: '/srv' } }), { record: { dir: '/srv/demo/${KEPT}/$x' } });
  t.match(parseConfig(text, { env: { BASE: '/srv', SUB: 'x' } }), { record: { dir: '/srv/x/${KEPT}/$x' } });
});

void t.test('an empty variable counts as not set where there is a default, as in a shell', async (t) => {
  const text = `log:\n  level: \${LEVEL:-warn}${BACKENDS}`;
  t.equal(parseConfig(text, { env: { LEVEL: '' } }).log.level, 'warn');
  t.strictSame(problemsOf(text.replace(':-warn', ''), { LEVEL: '' }), [
    '2:3  log.level: expected one of debug, info, warn, error; found empty text from ${LEVEL}',
  ]);
});

void t.test('a whole interpolation becomes what the schema wants there', async (t) => {
  const text = `
listen: { port: "\${PORT:-8080}" }
workers: \${WORKERS:-1}
log:
  accessSample: \${SHARE}
forwarding:
  exposeHeaders: \${EXPOSE:-true}
cohorts:
  - name: a
    ramp: \${RAMP:-10%}
  - name: b
    ramp: \${COUNT}
    salt: \${COUNT}
${BACKENDS}`;
  const config = parseConfig(text, { env: { PORT: '9000', SHARE: '0.25', COUNT: '100' } });
  t.equal(config.listen.port, 9000);
  t.equal(config.workers, 1);
  t.equal(config.log.accessSample, 0.25);
  t.equal(config.forwarding.exposeHeaders, true);
  t.strictSame(config.cohorts[0]?.ramp, { kind: 'percent', buckets: 1000 });
  t.strictSame(config.cohorts[1]?.ramp, { kind: 'count', count: 100 });
  t.equal(config.cohorts[1]?.salt, '100', 'a text stays a text');
});

void t.test('a number beside other text, or quoted without a variable, is no number', async (t) => {
  t.strictSame(problemsOf(`limits:\n  headMs: "500"${BACKENDS}`), [
    '2:3  limits.headMs: expected whole milliseconds from 100 to 600000; found "500"',
  ]);
  t.strictSame(problemsOf(`limits:\n  headMs: \${A}0${BACKENDS}`, { A: '50' }), [
    '2:3  limits.headMs: expected whole milliseconds from 100 to 600000; found text from ${A}',
  ]);
});

void t.test(
  'the kind of a store can come from the environment, before or after its other keys',
  async (t) => {
    const text = `state:\n  commandMs: \${MS}\n  url: redis://h\n  kind: \${KIND}${BACKENDS}`;
    t.match(parseConfig(text, { env: { KIND: 'redis', MS: '50' } }), {
      state: { kind: 'redis', commandMs: 50 },
    });
  },
);

void t.test('a variable cannot change the structure', async (t) => {
  const text = `record: { kind: embedded, dir: "\${DIR}" }${BACKENDS}`;
  const dir = 'x" }\nanonymous: new\n#';
  const config = parseConfig(text, { env: { DIR: dir } });
  t.equal(config.anonymous, 'legacy');
  t.strictSame(config.record, { kind: 'embedded', dir });
  t.match(
    parseConfig(text, { env: { DIR: '${OTHER}' } }),
    { record: { dir: '${OTHER}' } },
    'nor be a variable',
  );
});

void t.test('what is not set is a problem with its line, and only one', async (t) => {
  const text = `log:
  level: \${LEVEL}
  accessSample: \${SHARE}
backends:
  legacy: { url: "http://\${HOST}:\${LEGACY_PORT:-1}" }
  new: { url: "\${constructor}" }`;
  const unset = (name: string) =>
    `the environment variable ${name} is not set; set it, or write \${${name}:-default}`;
  t.strictSame(problemsOf(text, {}), [
    `2:3  log.level: ${unset('LEVEL')}`,
    `3:3  log.accessSample: ${unset('SHARE')}`,
    `5:13  backends.legacy.url: ${unset('HOST')}`,
    `6:10  backends.new.url: ${unset('constructor')}`,
  ]);
});

void t.test('a ${ that begins no variable is a problem', async (t) => {
  const message =
    '`${` begins no variable here; write ${NAME} or ${NAME:-default}, or $${ for a plain ${; a default holds no $ and no }';
  for (const text of ['${', '${}', '${1A}', '${A-B}', '${A', 'x${ A}', '${A:-$B}', '${A:-${B:-}}']) {
    t.strictSame(problemsOf(`record: { kind: embedded, dir: ${JSON.stringify(text)} }${BACKENDS}`), [
      `1:27  record.dir: ${message}`,
    ]);
  }
});

void t.test('keys are not interpolated', async (t) => {
  meetsLines(t, problemsOf(`"\${A}": 1${BACKENDS}`, { A: 'log' }), [/^1:1 {2}unknown key/]);
});
