import t from 'tap';
import { type Asked, bearer, openAdmin, TOKENS } from './open-admin.ts';

import { idIn, LIVE, openFakeControl, post, STAGE } from './stage-requests.ts';

void t.test('a stage that is in force everywhere is 200 with its epoch', async (t) => {
  const { send, control } = await openFakeControl(t);
  const answer = await send(STAGE, post({ ...LIVE, expectedEpoch: 4 }, { 'idempotency-key': 'k-1' }));
  t.match(answer, {
    status: 200,
    json: {
      epoch: 7,
      change: {
        cohort: 'beta',
        phase: 'done',
        from: { stage: 'shadow', ramp: '50%' },
        to: { stage: 'live', ramp: '10%' },
        epoch: 7,
        epochs: { hold: 5, switch: 6, release: 7 },
        reason: 'the figures are good',
        actor: 'local',
        createdAt: '2026-11-21T09:00:00.000Z',
      },
    },
  });
  t.equal(answer.headers.location, `/api/v1/changes/${idIn(answer)}`);
  t.same(control.asked, [
    {
      cohort: 'beta',
      stage: 'live',
      ramp: { kind: 'percent', buckets: 1_000 },
      dirtyUsers: 'drain',
      actor: 'local',
      reason: 'the figures are good',
      expectedEpoch: 4,
      idempotencyKey: 'k-1',
    },
  ]);
});

void t.test('a ramp is a share or a number of users; without one it stays', async (t) => {
  const { send, control } = await openFakeControl(t);
  for (const [ramp, expected] of [
    [undefined, undefined],
    ['12.34%', { kind: 'percent', buckets: 1_234 }],
    ['100%', { kind: 'percent', buckets: 10_000 }],
    [1_000, { kind: 'count', count: 1_000 }],
    [0, { kind: 'count', count: 0 }],
  ] as const) {
    t.match(await send(STAGE, post({ ...LIVE, ramp })), { status: 200 });
    const { ramp: asked } = Object(control.asked.at(-1));
    t.same(asked, expected);
  }
  for (const ramp of ['101%', '10', '-1%', '1.234%', -1, 1.5, null, true, '1e2%', 2_000_000_000]) {
    t.match(await send(STAGE, post({ ...LIVE, ramp })), { status: 400, json: { code: 'invalid_request' } });
  }
});

void t.test('a change that is not over is 202, at once when it says so itself', async (t) => {
  const { send, control } = await openFakeControl(t);
  control.next = { phase: 'pending', note: 'waits for gateway g2' };
  const answer = await send(STAGE, post(LIVE));
  t.match(answer, {
    status: 202,
    json: { epoch: null, change: { phase: 'pending', note: 'waits for gateway g2', endedAt: null } },
  });
  t.match(answer.headers.location, /^\/api\/v1\/changes\/[0-9a-f-]{36}$/u);
});

void t.test('a change that takes longer than the caller waits is 202 and goes on', async (t) => {
  const { send, control } = await openFakeControl(t);
  const slow = Promise.withResolvers<void>();
  control.slow = slow.promise;
  control.next = { phase: 'holding' };
  const answer = await send(STAGE, post(LIVE, { prefer: 'respond-async, wait=0' }));
  t.match(answer, {
    status: 202,
    headers: { 'preference-applied': 'wait=0' },
    json: { change: { phase: 'holding' } },
  });
  const key = control.log[0]?.idempotencyKey ?? '';
  t.match(key, /^api-/u, 'found again by a key of our own');
  control.moveOn({ phase: 'done', releaseEpoch: 7 });
  slow.resolve();
  t.match(await send(STAGE, post(LIVE, { 'idempotency-key': key })), { status: 200, json: { epoch: 7 } });
});

void t.test('a change that was undone is 409 with its id and why', async (t) => {
  const { send, control } = await openFakeControl(t);
  control.next = { phase: 'undone', note: '2 writes on gateway g1 did not end' };
  const answer = await send(STAGE, post(LIVE));
  t.match(answer, { status: 409, json: { code: 'change_undone', detail: /2 writes on gateway g1/u } });
  t.equal(answer.json['change'], control.log[0]?.id);
});

void t.test(
  'a retried call gets the change of the first one; the key of another change is 422',
  async (t) => {
    const { send, control } = await openFakeControl(t);
    const key = { 'idempotency-key': 'retry-1' };
    const first = await send(STAGE, post(LIVE, key));
    const again = await send(STAGE, post(LIVE, key));
    t.match(again, { status: 200 });
    t.equal(idIn(again), idIn(first));
    t.equal(control.log.length, 1);
    for (const [path, body] of [
      [STAGE, { ...LIVE, stage: 'off' }],
      [STAGE, { ...LIVE, ramp: '11%' }],
      ['/api/v1/cohorts/staff/stage', LIVE],
    ] as const) {
      const answer = await send(path, post(body, key));
      t.match(answer, { status: 422, json: { code: 'idempotency_key_reused', change: idIn(first) } });
    }
  },
);

void t.test('a second change of the cohort is 409 with the id of the first', async (t) => {
  const { send, control } = await openFakeControl(t);
  control.next = { phase: 'holding' };
  const first = await send(STAGE, post(LIVE));
  const second = await send(STAGE, post({ ...LIVE, ramp: '20%' }));
  t.match(second, { status: 409, json: { code: 'change_conflict', change: idIn(first) } });
});

void t.test('another epoch than the expected one is 409 with the one that is', async (t) => {
  const { send } = await openFakeControl(t);
  const answer = await send(STAGE, post({ ...LIVE, expectedEpoch: 3 }));
  t.match(answer, { status: 409, json: { code: 'epoch_mismatch', epoch: 4 } });
});

void t.test('an unknown cohort is 404, an unknown stage 422', async (t) => {
  const { send, ask, control } = await openFakeControl(t);
  const nobody = { status: 404, json: { code: 'cohort_unknown', detail: /nobody/u } };
  t.match(await send('/api/v1/cohorts/nobody/stage', post(LIVE)), nobody);
  t.match(await ask('/api/v1/cohorts/nobody'), nobody);
  const meant = { status: 404, json: { detail: 'There is no cohort btea. Did you mean beta?' } };
  t.match(await send('/api/v1/cohorts/btea/stage', post(LIVE)), meant);
  t.match(await ask('/api/v1/cohorts/btea'), meant);
  const answer = await send(STAGE, post({ ...LIVE, stage: 'Live' }));
  t.match(answer, { status: 422, json: { code: 'stage_unknown', detail: /off, dualwrite, shadow, live/u } });
  t.equal(control.asked.length, 2, 'the stage is checked before anything is asked');
});

void t.test('a body that is not what the schema says is 400', async (t) => {
  const { send, control } = await openFakeControl(t);
  const wrong = [
    {},
    { stage: 'live' },
    { reason: 'x' },
    { ...LIVE, reason: '' },
    { ...LIVE, reason: ' \n' },
    { ...LIVE, reason: 'x'.repeat(1_001) },
    { ...LIVE, stage: 4 },
    { ...LIVE, expectedEpoch: '4' },
    { ...LIVE, expectedEpoch: -1 },
    { ...LIVE, dryRun: true },
    [],
    null,
    'live',
  ];
  for (const json of wrong) {
    t.match(
      await send(STAGE, post(json)),
      { status: 400, json: { code: 'invalid_request' } },
      JSON.stringify(json).slice(0, 60),
    );
  }
  const headers = { 'content-type': 'application/json' };
  t.match(await send(STAGE, { method: 'POST', headers, body: '{"stage":' }), { status: 400 });
  for (const key of ['', 'a b', 'x'.repeat(129)]) {
    t.match(await send(STAGE, post(LIVE, { 'idempotency-key': key })), { status: 400 }, key.slice(0, 20));
  }
  t.same(control.asked, []);
});

void t.test('a body is JSON and says so, within its bound', async (t) => {
  const { send, control } = await openFakeControl(t);
  const body = JSON.stringify(LIVE);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const answer = await send(STAGE, { method: 'POST', headers: { 'content-type': type }, body });
    t.match(answer, { status: 415, json: { code: 'unsupported_media_type' } }, type);
  }
  t.match(await send(STAGE, { method: 'POST', body }), { status: 415 }, 'no type at all');
  t.match(await send(STAGE, { method: 'POST' }), { status: 400 }, 'no body at all');
  t.match(await send(STAGE, post({ ...LIVE, reason: 'x'.repeat(70_000) })), {
    status: 413,
    json: { code: 'body_too_large' },
  });
  t.same(control.asked, []);
});

void t.test('a store that does not answer is 503, logged with its cause', async (t) => {
  const { send, ask, control, lines } = await openFakeControl(t);
  control.failure = new Error('connect ECONNREFUSED 10.0.0.5:5432');
  const down = { status: 503, headers: { 'retry-after': '1' }, json: { code: 'store_unavailable' } };
  t.match(await send(STAGE, post(LIVE)), down);
  for (const path of ['cohorts', 'cohorts/beta', 'changes', 'gateways']) {
    t.match(await ask(`/api/v1/${path}`), down, path);
  }
  t.match(lines[0], /admin_request_failed.*ECONNREFUSED/u);
  control.failure = new TypeError('a defect');
  t.match(await ask('/api/v1/changes'), { status: 500, json: { code: 'internal' } });
});

void t.test('while the gateway starts, control is 503', async (t) => {
  const { send, ask } = await openAdmin(t, { control: () => undefined });
  t.match(await send(STAGE, post(LIVE)), { status: 503, json: { code: 'no_worker' } });
  t.match(await ask('/api/v1/gateways'), { status: 503, json: { code: 'no_worker' } });
});

void t.test('viewers read, operators change, and the audit has the name of the token', async (t) => {
  const { send, ask, control } = await openFakeControl(t, TOKENS);
  for (const path of ['cohorts', 'cohorts/beta', 'changes', 'gateways', 'status']) {
    t.match(await ask(`/api/v1/${path}`), { status: 401 }, path);
    t.match(await ask(`/api/v1/${path}`, bearer('viewer-token')), { status: 200 }, path);
  }
  t.match(await send(STAGE, post(LIVE)), { status: 401 });
  t.match(await send(STAGE, post(LIVE, bearer('viewer-token'))), {
    status: 403,
    json: { code: 'role_insufficient' },
  });
  const evict: Asked = { method: 'DELETE', json: {}, headers: bearer('viewer-token') };
  t.match(await send('/api/v1/gateways/g1', evict), { status: 403 });
  t.same(control.asked, []);
  t.match(await send(STAGE, post(LIVE, bearer('operator-token'))), { status: 200 });
  t.equal(control.asked[0]?.actor, 'the-operator');
});

void t.test('without tokens, a page of another site cannot change anything', async (t) => {
  const { send, control } = await openFakeControl(t);
  const foreign: Record<string, string>[] = [
    { host: 'evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'http://evil.example' },
  ];
  for (const headers of foreign) {
    t.match(
      await send(STAGE, post(LIVE, headers)),
      { status: headers['host'] === undefined ? 403 : 421 },
      JSON.stringify(headers),
    );
  }
  t.same(control.asked, []);
});
