import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { SourceUnavailable } from '../../src/admin/admin-source.ts';
import { createAdmin } from '../../src/admin/create-admin.ts';
import type { TokenModel } from '../../src/config/model.ts';
import { TurnoutError } from '../../src/errors.ts';
import { FakeControl } from './fake-control.ts';
import { EXPLANATION, STATUS } from './fake-source.ts';
import { bearer, openAdmin, TOKENS } from './open-admin.ts';

const open = (t: Test, tokens: readonly TokenModel[] = []) => openAdmin(t, { tokens });

void t.test('a live process says so, and a ready one too', async (t) => {
  const { ask } = await open(t);
  t.match(await ask('/livez'), { status: 200, json: { status: 'alive' } });
  t.match(await ask('/readyz'), { status: 200, json: { status: 'ready', workers: { ready: 1, wanted: 1 } } });
});

void t.test('while it starts or stops it is not ready', async (t) => {
  const { ask, source } = await open(t);
  for (const status of ['starting', 'stopping'] as const) {
    source.ready = { status, detached: false, workers: { ready: 0, wanted: 1 } };
    t.match(await ask('/readyz'), { status: 503, json: { status } });
    t.match(await ask('/livez'), { status: 200 });
  }
});

void t.test('a gateway that lost the state map stays ready and reports it', async (t) => {
  const { ask, source } = await open(t);
  source.ready = { status: 'ready', detached: true, workers: { ready: 1, wanted: 1 } };
  t.match(await ask('/readyz'), { status: 200, json: { detached: true } });
});

void t.test('metrics are plain text for Prometheus', async (t) => {
  const { ask } = await open(t);
  const answer = await ask('/metrics');
  t.match(answer, { status: 200, body: 'turnout_epoch 4\n' });
  t.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/u);
});

void t.test('explain passes on method, path, user and headers', async (t) => {
  const { ask, source } = await open(t);
  const query =
    'user=u%201&method=POST&path=%2Fapi%2Forders%3Fa%3D1&header.x-plan=staff&header.X-Two=a&header.X-Two=b';
  const answer = await ask(`/api/v1/explain?${query}`);
  t.equal(answer.status, 200);
  t.same(answer.json, JSON.parse(JSON.stringify(EXPLANATION)));
  t.same(source.asked, [
    {
      method: 'POST',
      target: '/api/orders?a=1',
      headers: [
        ['x-plan', 'staff'],
        ['X-Two', 'a'],
        ['X-Two', 'b'],
      ],
      user: 'u 1',
    },
  ]);
});

void t.test('explain without parameters is about GET / of nobody', async (t) => {
  const { ask, source } = await open(t);
  await ask('/api/v1/explain');
  t.same(source.asked, [{ method: 'GET', target: '/', headers: [] }]);
});

void t.test('what explain does not understand is refused with a problem document', async (t) => {
  const { ask, source } = await open(t);
  const wrong = [
    'usr=u1',
    'path=orders',
    'method=GE%20T',
    'user=',
    `user=${'u'.repeat(257)}`,
    `user=${'%C3%A9'.repeat(200)}`,
    'header.=x',
    'header.a%0Ab=x',
    `path=/${'a'.repeat(8_192)}`,
  ];
  for (const query of wrong) {
    const answer = await ask(`/api/v1/explain?${query}`);
    t.match(answer, { status: 400, json: { code: 'invalid_request', status: 400 } }, query.slice(0, 40));
    t.match(answer.headers['content-type'], /^application\/problem\+json/u);
  }
  t.same(source.asked, []);
});

void t.test(
  'status is the whole document, without changes and registry while nobody knows them',
  async (t) => {
    const { ask } = await open(t);
    t.same((await ask('/api/v1/status')).json, { ...STATUS, changes: null, registry: null });
  },
);

void t.test('an unknown path is a 404 problem with the request id of the header', async (t) => {
  const { ask } = await open(t);
  const answer = await ask('/api/v1/nothing?secret=1');
  t.match(answer, { status: 404, json: { type: 'urn:turnout:problem:not_found', code: 'not_found' } });
  t.equal(answer.json['requestId'], answer.headers['x-request-id']);
  t.notMatch(answer.body, /secret/u);
  t.match(await ask('/api/v1/status', {}, 'DELETE'), { status: 404, json: { code: 'not_found' } });
});

void t.test('a path that cannot be decoded is a problem document too', async (t) => {
  const { ask } = await open(t);
  const answer = await ask('/%zz');
  t.match(answer, { status: 400, json: { code: 'invalid_request' } });
});

void t.test('a user whose state is unknown is 503 with the code of the data path', async (t) => {
  const { ask, source } = await open(t);
  source.failure = new TurnoutError('state_unknown');
  const answer = await ask('/api/v1/explain');
  t.match(answer, { status: 503, json: { code: 'state_unknown' }, headers: { 'retry-after': '1' } });
});

void t.test('without any worker it is 503, and says so', async (t) => {
  const { ask, source } = await open(t);
  source.failure = new SourceUnavailable('No worker is ready.');
  t.match(await ask('/api/v1/explain'), {
    status: 503,
    json: { code: 'no_worker', detail: 'No worker is ready.' },
  });
});

void t.test('a defect is a 500 without its cause, which is in the log', async (t) => {
  const { ask, source, lines } = await open(t);
  source.failure = new Error('the inner workings');
  const answer = await ask('/api/v1/explain');
  t.match(answer, { status: 500, json: { code: 'internal' } });
  t.notMatch(answer.body, /inner workings/u);
  t.match(lines.join(), /admin_request_failed.*inner workings/u);
  t.ok(lines.join().includes(String(answer.json['requestId'])));
});

void t.test('with tokens, the API needs one; probes and metrics do not', async (t) => {
  const { ask } = await open(t, TOKENS);
  for (const path of ['/livez', '/readyz', '/metrics']) t.match(await ask(path), { status: 200 }, path);
  const answer = await ask('/api/v1/status');
  t.match(answer, { status: 401, json: { code: 'token_required' } });
  t.match(answer.headers['www-authenticate'], /^Bearer/u);
  t.match(await ask('/api/v1/nothing'), { status: 401 }, 'and it does not tell what exists');
});

void t.test('each role may read, and a wrong token may not', async (t) => {
  const { ask, lines } = await open(t, TOKENS);
  for (const role of ['viewer', 'operator', 'admin']) {
    t.match(await ask('/api/v1/status', bearer(`${role}-token`)), { status: 200 }, role);
  }
  const wrong = ['nonsense', 'viewer-toke', 'viewer-token2', 'x'.repeat(1_000)];
  for (const token of wrong)
    t.match(await ask('/api/v1/status', bearer(token)), { status: 401 }, token.slice(0, 20));
  t.match(await ask('/api/v1/status', { authorization: 'Basic dmlld2VyLXRva2Vu' }), {
    status: 401,
    json: { code: 'token_invalid' },
  });
  t.match(lines.join(), /admin_token_refused/u);
  t.notMatch(lines.join(), /nonsense/u, 'the log does not keep what was presented');
});

void t.test('a viewer may not change anything', async (t) => {
  const { ask } = await open(t, TOKENS);
  t.match(await ask('/api/v1/status', bearer('viewer-token'), 'POST'), {
    status: 403,
    json: { code: 'role_insufficient' },
  });
  t.match(await ask('/api/v1/status', bearer('operator-token'), 'POST'), { status: 404 });
});

void t.test('whoever guesses tokens is slowed down, and may try again later', async (t) => {
  const { ask, passMs } = await open(t, TOKENS);
  for (let guess = 0; guess < 10; guess += 1) {
    t.match(await ask('/api/v1/status', bearer(`guess-${guess}`)), { status: 401 });
  }
  const refused = await ask('/api/v1/status', bearer('viewer-token'));
  t.match(refused, {
    status: 429,
    json: { code: 'too_many_failed_logins' },
    headers: { 'retry-after': '1' },
  });
  t.match(await ask('/readyz'), { status: 200 }, 'probes go on');
  passMs(1_000);
  t.match(await ask('/api/v1/status', bearer('viewer-token')), { status: 200 });
});

void t.test('tokens can be replaced while it runs', async (t) => {
  const { ask, admin } = await open(t, TOKENS);
  admin.setTokens(TOKENS.slice(1));
  t.match(await ask('/api/v1/status', bearer('viewer-token')), { status: 401 });
  t.match(await ask('/api/v1/status', bearer('admin-token')), { status: 200 });
});

void t.test('without tokens, a page that rebinds its name to this machine gets nothing', async (t) => {
  const { ask, port } = await open(t);
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '127.0.0.1.nip.io']) {
    t.match(await ask('/api/v1/status', { host }), { status: 421, json: { code: 'host_refused' } }, host);
    t.match(await ask('/metrics', { host }), { status: 421 }, host);
  }
  for (const host of ['localhost', `LOCALHOST:${port}`, '127.0.0.1:1', '[::1]:8081']) {
    t.match(await ask('/api/v1/status', { host }), { status: 200 }, host);
  }
});

void t.test('without tokens, pages of other sites may not call it from a browser', async (t) => {
  const { ask } = await open(t);
  t.match(await ask('/api/v1/status', { 'sec-fetch-site': 'cross-site' }), {
    status: 403,
    json: { code: 'origin_refused' },
  });
  t.match(await ask('/api/v1/status', { 'sec-fetch-site': 'same-origin' }), { status: 200 });
});

void t.test('without tokens, a browser that only says where its page is from is believed too', async (t) => {
  const { ask, port } = await open(t);
  for (const origin of [
    'http://evil.example',
    'null',
    `http://localhost:${port}`,
    `https://127.0.0.1:${port}`,
  ]) {
    t.match(
      await ask('/api/v1/status', { origin }),
      { status: 403, json: { code: 'origin_refused' } },
      origin,
    );
  }
  t.match(await ask('/api/v1/status', { origin: `http://127.0.0.1:${port}` }), { status: 200 });
});

void t.test('with tokens, any name of the listener will do', async (t) => {
  const { ask } = await open(t, TOKENS);
  t.match(await ask('/api/v1/status', { host: 'turnout.internal', ...bearer('viewer-token') }), {
    status: 200,
  });
});

void t.test('bytes that are not HTTP are answered with a problem and closed', async (t) => {
  const { port } = await open(t);
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write('nonsense\r\n\r\n');
  t.match(await text(socket), /^HTTP\/1\.1 400 [\s\S]*invalid_request/u);
});

void t.test('a head over the bound is refused', async (t) => {
  const { ask } = await open(t);
  t.match(await ask('/livez', { 'x-long': 'x'.repeat(20_000) }), { status: 400 });
});

void t.test('a port that is taken is the error of the listener', async (t) => {
  const { port, source } = await open(t);
  const log = pino({ enabled: false });
  const again = createAdmin({ listen: { host: '127.0.0.1', port }, tokens: [], source, log });
  await t.rejects(again, { code: 'EADDRINUSE' });
});

void t.test('answers are never cached and never sniffed', async (t) => {
  const { ask } = await open(t);
  const { headers } = await ask('/api/v1/status');
  t.match(headers, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
});

void t.test('a body that does not come in time ends its connection; an answer may take longer', async (t) => {
  const control = new FakeControl();
  const slow = Promise.withResolvers<void>();
  control.slow = slow.promise;
  const { port, send } = await openAdmin(t, { control: () => control, bodyMs: 50 });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('POST /api/v1/cohorts/beta/stage HTTP/1.1\r\nhost: 127.0.0.1\r\n');
  socket.write('content-type: application/json\r\ncontent-length: 100\r\n\r\n{');
  await new Promise<void>((resolve) => void socket.once('close', resolve));
  t.same(control.asked, []);
  const json = { stage: 'live', reason: 'r' };
  const answer = send('/api/v1/cohorts/beta/stage', { method: 'POST', json });
  setTimeout(() => slow.resolve(), 200);
  t.match(await answer, { status: 200 });
});
