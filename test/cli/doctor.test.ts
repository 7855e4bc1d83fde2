import { once } from 'node:events';
import { createServer } from 'node:http';
import t, { type Test } from 'tap';
import { VERSION } from '../../src/telemetry/version.ts';
import { AUTHOR, FakeControl, gatewayView } from '../admin/fake-control.ts';
import { STATUS } from '../admin/fake-source.ts';
import { openAdmin, TOKENS } from '../admin/open-admin.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { configurationFile } from './configuration.ts';
import { type RunOptions, run } from './run-in-process.ts';

t.setTimeout(120_000);

/** By check: the verdicts, in their order. */
function verdictsIn(out: string): Record<string, string> {
  const { findings }: { findings: { check: string; verdict: string }[] } = JSON.parse(out);
  const verdicts: Record<string, string> = {};
  for (const { check, verdict } of findings) {
    verdicts[check] = check in verdicts ? `${verdicts[check]} ${verdict}` : verdict;
  }
  return verdicts;
}

async function open(t: Test) {
  const control = new FakeControl();
  const { port, source, admin } = await openAdmin(t, { control: () => control });
  source.statusDocument = { ...STATUS, version: VERSION };
  const env = { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}` };
  const doctor = (options: RunOptions = {}) => run(['doctor'], { env, ...options });
  const verdicts = async () => verdictsIn((await run(['doctor', '--json'], { env })).out);
  return { control, source, admin, env, doctor, verdicts };
}

void t.test('a gateway that is well is said to be, check by check', async (t) => {
  const { doctor, verdicts } = await open(t);
  const { code, out } = await doctor();
  t.equal(code, 0);
  t.match(out, /^ok {4}admin API +http:\/\/127\.0\.0\.1:\d+, version/mu);
  t.match(out, /^ok {4}leases +2 gateways, all of them live$/mu);
  t.match(out, /^\d+ right, 0 to look at, 0 wrong, 0 not looked at$/mu);
  t.same(await verdicts(), {
    'admin API': 'ok',
    token: 'ok',
    'worker 1': 'ok',
    leases: 'ok',
    digests: 'ok',
    'open changes': 'ok',
    holds: 'ok',
  });
});

void t.test('whatever is wrong with gateways and changes is named, with what to do', async (t) => {
  const { control, source, doctor, verdicts } = await open(t);
  control.gatewayViews = [
    gatewayView('g1'),
    gatewayView('g2', { verdict: 'fenced', silentMs: 65_000, digest: 'def' }),
  ];
  control.next = { phase: 'pending', note: 'waits for gateway g2' };
  const beta = control.list[1];
  if (beta === undefined) throw new Error('no cohort');
  control.begin(beta, { ...AUTHOR, cohort: 'beta', stage: 'live', ramp: undefined, dirtyUsers: 'drain' });
  const [worker] = STATUS.gateways;
  if (worker === undefined) throw new Error('no worker');
  source.statusDocument = {
    ...STATUS,
    version: '99.0.0',
    gateways: [
      { ...worker, attachment: 'fenced' },
      { ...worker, worker: '2', state: 'silent' },
      { ...worker, worker: '3', attachment: 'detached' },
    ],
  };
  const { code, out } = await doctor();
  t.equal(code, 1);
  t.match(
    out,
    /^warn {2}leases +g2 \(host-g2, process 1\) is fenced, silent for 1m 5s\n +Changes wait for it\..*turnout gateways evict g2/mu,
  );
  t.match(out, /^fail {2}digests +host-g2, process 1 differ from host-g1/mu);
  t.match(
    out,
    /^warn {2}open changes +shadow to live: 50 % of cohort beta: pending for .*, waits for gateway g2\n +turnout changes [0-9a-f-]{36} says/mu,
  );
  t.match(await verdicts(), {
    'admin API': 'warn',
    'worker 1': 'fail',
    'worker 2': 'warn',
    'worker 3': 'warn',
  });
});

void t.test('a hold that belongs to no change is wrong', async (t) => {
  const { source, control, verdicts } = await open(t);
  const cohorts = STATUS.cohorts.map((cohort) => ({ ...cohort, held: true }));
  source.statusDocument = { ...STATUS, cohorts };
  t.match(await verdicts(), { holds: 'fail' });
  control.failure = new Error('connect ECONNREFUSED');
  t.match(await verdicts(), { holds: 'warn', 'stores of the gateway': 'fail' });
});

void t.test('a token is told by what it may do', async (t) => {
  const control = new FakeControl();
  const { port } = await openAdmin(t, { tokens: TOKENS, control: () => control });
  const doctor = (token: string) =>
    run(['doctor'], { env: { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}`, TURNOUT_TOKEN: token } });
  t.match((await doctor('viewer-token')).out, /^warn {2}token +it may read/mu);
  t.match((await doctor('operator-token')).out, /^ok {4}token +role operator$/mu);
  t.match((await doctor('admin-token')).out, /^ok {4}token +role admin$/mu);
  const wrong = await doctor('nonsense');
  t.match(wrong, { code: 1, out: /^fail {2}admin API +Token not accepted.*\n +Set TURNOUT_TOKEN/mu });
  t.same(control.asked, []);
  t.same(control.rebuilt, [], 'and nothing was tried out');
});

void t.test(
  'a gateway that does not answer is wrong, unless only a configuration is looked at',
  async (t) => {
    const env = { TURNOUT_ADMIN_URL: 'http://127.0.0.1:1' };
    t.match(await run(['doctor'], { env }), { code: 1, out: /^fail {2}admin API .*ECONNREFUSED/mu });
  },
);

/** A backend that answers everything with this status. */
async function backendOf(t: Test, status: number): Promise<number> {
  const server = createServer((_request, response) => response.writeHead(status).end()).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

void t.test('a configuration is looked at with its stores and backends, before anything runs', async (t) => {
  const [redis, postgres, legacy] = await Promise.all([
    startRedis(t, { disposable: true, args: ['--maxmemory-policy', 'allkeys-lru', '--maxmemory', '1mb'] }),
    startPostgres(t),
    backendOf(t, 404),
  ]);
  const file = await configurationFile(
    t,
    `
listen: { port: 0 }
admin: { listen: { port: 0 } }
backends:
  legacy: { url: "http://127.0.0.1:${legacy}" }
  new: { url: "http://127.0.0.1:1" }
state: { kind: redis, url: "${redis.url}" }
record: { kind: postgres, url: "${postgres.url}" }
identity: [{ from: header, name: x-user, trusted: true }]
cohorts: [{ name: everyone, default: true, stage: off }]
`,
  );
  const doctor = (...more: string[]) => run(['doctor', '--config', file, ...more]);
  const { code, out } = await doctor();
  t.equal(code, 1);
  t.match(out, /^warn {2}record schema +\d+ migrations to run: state-map.*\n.*turnout db migrate --config/mu);
  t.match(out, /^fail {2}redis eviction .*allkeys-lru.*\n +Set maxmemory-policy noeviction/mu);
  t.match(out, /^ok {4}backend legacy .* answered HEAD \/ with 404/mu);
  t.match(out, /^fail {2}backend new .*ECONNREFUSED/mu);
  const verdicts = verdictsIn((await doctor('--json')).out);
  t.match(verdicts, {
    configuration: /^ok/u,
    tokens: 'ok',
    record: 'ok',
    'redis shape': 'warn',
    'redis version': 'ok',
    'redis persistence': 'ok',
    'redis memory': 'warn',
    'admin API': 'skip',
  });

  t.match(await run(['db', 'status', '--config', file]), { code: 1, out: /^1 +state-map +pending$/mu });
  t.match(await run(['db', 'migrate', '--config', file]), { code: 0, out: /^ran migration 1, state-map$/mu });
  t.match(await run(['db', 'migrate', '--config', file]), { code: 0, out: /has the newest schema already/u });
  const status = await run(['db', 'status', '--config', file]);
  t.match(status, { code: 0, out: /^1 +state-map +20\d\d-/mu });
  t.match(JSON.parse((await run(['db', 'status', '--config', file, '--json'])).out), { pending: [] });

  await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
  await redis.client.config('SET', 'maxmemory', '0');
  await redis.client.config('SET', 'appendonly', 'no');
  t.match(verdictsIn((await doctor('--json')).out), {
    'record schema': 'ok',
    'redis eviction': 'ok',
    'redis memory': 'ok',
    'redis persistence': 'warn',
  });
  await redis.kill();
  t.match(verdictsIn((await doctor('--json')).out), { redis: 'fail', record: 'ok' });
});

void t.test('a configuration that is wrong is all there is to say', async (t) => {
  const file = await configurationFile(t, 'listen: { port: nonsense }\n');
  t.match(await run(['doctor', '--config', file]), {
    code: 1,
    out: /^fail {2}configuration .*\n +turnout check/mu,
  });
  t.match(await run(['db', 'status', '--config', file]), { code: 78 });
});

void t.test('the gateway of a configuration is asked where it listens', async (t) => {
  const { env, source } = await open(t);
  const { port } = new URL(env.TURNOUT_ADMIN_URL);
  const file = await configurationFile(
    t,
    `
listen: { port: 0 }
admin: { listen: { host: 127.0.0.1, port: ${port} } }
backends: { legacy: { url: "http://127.0.0.1:1" }, new: { url: "http://127.0.0.1:1" } }
record: { kind: embedded, dir: "${t.testdirName}/data" }
cohorts: [{ name: everyone, default: true, stage: off }]
`,
  );
  const doctor = async () => verdictsIn((await run(['doctor', '--config', file, '--json'])).out);
  t.match(await doctor(), { 'admin API': 'ok', 'configuration in force': 'warn', redis: 'ok', record: 'ok' });
  const check = JSON.parse((await run(['check', file, '--json'])).out);
  source.statusDocument = { ...source.statusDocument, truthDigest: String(check.truthDigest) };
  t.match(await doctor(), { 'configuration in force': 'ok' });
});
