import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { createAdmin } from '../../src/admin/create-admin.ts';
import type { TokenModel } from '../../src/config/model.ts';
import { durationInWords } from '../../src/wording/duration-in-words.ts';
import { EXPLANATION, FakeSource, STATUS } from '../admin/fake-source.ts';
import { run } from './run-in-process.ts';

const TOKENS: TokenModel[] = [
  { name: 'ops', role: 'viewer', sha256: createHash('sha256').update('the-token').digest('hex') },
];

async function open(t: Test, tokens: TokenModel[] = []) {
  const source = new FakeSource();
  const admin = await createAdmin({
    listen: { host: '127.0.0.1', port: 0 },
    tokens,
    source,
    log: pino({ enabled: false }),
  });
  t.teardown(() => admin.close());
  return { source, env: { TURNOUT_ADMIN_URL: `http://127.0.0.1:${admin.address.port}` } };
}

void t.test('status prints workers and cohorts, or the whole document', async (t) => {
  const { env } = await open(t);
  const { code, out } = await run(['status'], { env });
  t.equal(code, 0);
  t.match(out, /listening on 127\.0\.0\.1:8080/u);
  t.match(out, /^1 +1 +ready +0s +4 +attached +0$/mu);
  t.match(out, /^staff +live +100 % +cohort$/mu);
  t.match(out, /nothing can be changed/u);
  const json = await run(['status', '--json'], { env });
  t.same(JSON.parse(json.out), { ...STATUS, changes: null, registry: null });
});

void t.test('explain asks the gateway with user, method, path and headers', async (t) => {
  const { env, source } = await open(t);
  const args = ['-m', 'POST', '--user', 'u 1', '--path', '/a?b=c&d', '-H', 'x-plan: a&b', '-H', 'x-plan: c'];
  const { code, out } = await run(['explain', ...args], { env });
  t.equal(code, 0);
  t.match(out, /goes to new/u);
  t.same(source.asked, [
    {
      method: 'POST',
      target: '/a?b=c&d',
      headers: [
        ['x-plan', 'a&b'],
        ['x-plan', 'c'],
      ],
      user: 'u 1',
    },
  ]);
  const json = await run(['explain', '--json'], { env });
  t.same(JSON.parse(json.out), JSON.parse(JSON.stringify(EXPLANATION)));
});

void t.test('with tokens configured it needs TURNOUT_TOKEN, and says so', async (t) => {
  const { env } = await open(t, TOKENS);
  t.match(await run(['status'], { env }), { code: 1, out: '', err: /TURNOUT_TOKEN/u });
  const wrong = await run(['status'], { env: { ...env, TURNOUT_TOKEN: 'wrong' } });
  t.match(wrong, { code: 1, err: /not one of the configured/u });
  t.match(await run(['status'], { env: { ...env, TURNOUT_TOKEN: 'the-token' } }), { code: 0 });
});

void t.test('a gateway that is not there is one clear line', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  server.close();
  await once(server, 'close');
  const { code, out, err } = await run(['status'], {
    env: { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}` },
  });
  t.match({ code, out }, { code: 1, out: '' });
  t.match(err, /^No admin API at http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED.*\n$/u);
  t.match(await run(['status'], { env: { TURNOUT_ADMIN_URL: 'nonsense' } }), { code: 1, err: /not a URL/u });
});

void t.test('something else that listens there is recognised', async (t) => {
  const server = createServer((_request, response) => response.end('<html>')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const ran = await run(['status'], { env: { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}` } });
  t.match(ran, { code: 1, err: /did not answer with JSON/u });
});

void t.test('durations are written with their two largest units', async (t) => {
  t.same([0, 999, 5_000, 65_000, 3_600_000, 90_061_000].map(durationInWords), [
    '0s',
    '0s',
    '5s',
    '1m 5s',
    '1h 0m',
    '1d 1h',
  ]);
});
