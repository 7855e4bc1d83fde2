import t from 'tap';
import { VERSION } from '../../src/telemetry/version.ts';
import { CONFIGURATION, configurationFile } from './configuration.ts';
import { run } from './run-in-process.ts';

const COMMANDS = ['start', 'demo', 'check', 'explain', 'status', 'cohort', 'stage', 'changes', 'gateways'];

void t.test('without a command it prints help and ends with 64', async (t) => {
  const { code, out, err } = await run([]);
  t.equal(code, 64);
  t.equal(out, '', 'a pipe that expects a result gets none');
  for (const command of COMMANDS) t.match(err, new RegExp(`^  ${command}`, 'mu'));
});

void t.test('help that was asked for goes to standard output and ends with 0', async (t) => {
  for (const args of [['--help'], ['help'], ['-h']]) {
    const { code, out, err } = await run(args);
    t.match({ code, err }, { code: 0, err: '' });
    t.match(out, /turnout start --config turnout\.yaml/u);
  }
});

void t.test('every command explains itself with examples', async (t) => {
  for (const command of COMMANDS) {
    const { code, out } = await run([command, '--help']);
    t.equal(code, 0, command);
    t.match(out, /Examples?:\n/u, command);
    t.match(out, `$ turnout ${command}`, command);
  }
});

void t.test('the version is the version of the package', async (t) => {
  t.match(await run(['--version']), { code: 0, out: `${VERSION}\n` });
});

void t.test('an unknown command or option suggests the nearest and ends with 64', async (t) => {
  t.match(await run(['chek']), { code: 64, out: '', err: /Did you mean check\?/u });
  t.match(await run(['dmo']), { code: 64, err: /Did you mean demo\?/u });
  t.match(await run(['explain', '--metod', 'GET']), { code: 64, err: /Did you mean --method\?/u });
  t.match(await run(['start']), { code: 64, err: /--config/u });
  t.match(await run(['check']), { code: 64, err: /missing required argument/u });
});

void t.test('check says what the gateway would do', async (t) => {
  const file = await configurationFile(t);
  const { code, out } = await run(['check', file]);
  t.equal(code, 0);
  for (const expected of [
    'http://127.0.0.1:9001',
    'http://127.0.0.1:9002',
    'staff  live',
    'half  live  ramp 50 %',
    'everyone  off  (default)',
    '/static/*  always legacy',
    'POST  /api/search  by user  as read',
    'header x-user-id; without one: legacy',
  ]) {
    t.ok(out.includes(expected), expected);
  }
});

void t.test('check --json is for programs, and holds no secret', async (t) => {
  const file = await configurationFile(
    t,
    CONFIGURATION.replace(
      'admin: { listen: { port: 0 } }',
      'admin: { listen: { port: 0 }, tokens: [{ name: ops, role: operator, token: "${TOKEN}" }] }',
    ),
  );
  const { code, out } = await run(['check', file, '--json'], {
    env: { TOKEN: 'a-rather-long-secret-token-0123456789' },
  });
  t.equal(code, 0);
  t.match(JSON.parse(out), {
    ok: true,
    backends: { legacy: 'http://127.0.0.1:9001' },
    admin: { tokens: [{ name: 'ops', role: 'operator' }] },
    cohorts: [{ name: 'staff', stage: 'live' }, { ramp: '50 %' }, { default: true }],
  });
  t.notMatch(out, /rather-long-secret|sha256/u);
});

void t.test('check reports every problem at once and ends with 78', async (t) => {
  const file = await configurationFile(t, 'listn: { port: 1 }\nbackends: { legacy: { url: nonsense } }\n');
  const { code, out, err } = await run(['check', file]);
  t.equal(code, 78);
  t.equal(out, '');
  t.match(err, /turnout\.yaml:1:\d+ .*listn.*did you mean `listen`/u);
  t.match(err, /backends\.legacy\.url/u);
  t.match(err, /backends\.new|new: missing/u);
  const json = await run(['check', file, '--json']);
  t.equal(json.code, 78);
  t.match(JSON.parse(json.out), { ok: false, problems: [{ line: Number, message: String }] });
});

void t.test('check of a file that is not there ends with 78', async (t) => {
  t.match(await run(['check', '/nowhere/turnout.yaml']), { code: 78, err: /does not exist/u });
});

void t.test('explain on a configuration prints the backend and every reason', async (t) => {
  const file = await configurationFile(t);
  const { code, out } = await run([
    'explain',
    '--config',
    file,
    '--user',
    'u1',
    '--path',
    '/api/orders?x=1',
    '-H',
    'x-plan: staff',
  ]);
  t.equal(code, 0);
  t.match(out, /^GET \/api\/orders goes to new$/mu);
  t.match(out, /1\. .*\n {2}2\. .*staff/u);
  t.match(out, /cohort +staff/u);
  t.match(out, /stage +live/u);
});

void t.test('explain finds the user in the headers, as a request would', async (t) => {
  const file = await configurationFile(t);
  const args = ['explain', '--config', file, '--json', '-H', 'x-user-id: u7', '-H', 'x-plan: staff'];
  const explanation = JSON.parse((await run(args)).out);
  t.match(explanation, { user: 'u7', decision: { target: 'new', cohort: 'staff' }, epoch: 0 });
  const anonymous = JSON.parse((await run(args.slice(0, 4))).out);
  t.match(anonymous, { user: null, decision: { target: 'legacy', reasons: [{ code: 'anonymous' }] } });
});

void t.test('explain of a request that would be refused says with what', async (t) => {
  const file = await configurationFile(t);
  const ran = await run(['explain', '--config', file, '--path', '/private/x']);
  t.match(ran, { code: 1, out: '', err: /Refused with 401.*user_required/u });
});

void t.test('explain refuses what is no header and no path', async (t) => {
  t.match(await run(['explain', '-H', 'nonsense']), { code: 64, err: /NAME: VALUE/u });
  t.match(await run(['explain', '--path', 'nonsense']), { code: 64, err: /begins with/u });
});

void t.test('start with a wrong configuration ends with 78, with wrong ports 64', async (t) => {
  const wrong = await configurationFile(t, 'nonsense: 1\n');
  t.match(await run(['start', '--config', wrong]), { code: 78, err: /nonsense/u });
  const right = await configurationFile(t);
  for (const port of ['x', '70000', '-1', '']) {
    t.match(
      await run(['start', '--config', right, `--port=${port}`]),
      { code: 64, err: /0 to 65535/u },
      port,
    );
  }
  const same = ['--port', '7777', '--admin-port', '7777'];
  t.match(await run(['start', '--config', right, ...same]), { code: 64, err: /both 7777/u });
});

void t.test('colours are for people: only on a terminal, and not against NO_COLOR', async (t) => {
  const file = await configurationFile(t);
  const escape = '\u001b[';
  t.ok((await run(['check', file], { isTTY: true })).out.includes(escape));
  t.notOk((await run(['check', file])).out.includes(escape));
  t.notOk((await run(['check', file], { isTTY: true, env: { NO_COLOR: '1' } })).out.includes(escape));
  t.notOk((await run(['check', file], { isTTY: true, env: { TERM: 'dumb' } })).out.includes(escape));
});
