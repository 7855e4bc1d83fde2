import t from 'tap';
import { createReportReader } from '../../src/reports/create-report-reader.ts';
import { batches } from '../reports/batches.ts';
import { comparedRead } from '../reports/reads.ts';
import { FakeControl } from './fake-control.ts';
import { bearer, openAdmin, TOKENS } from './open-admin.ts';
import { LONG_ROUTE, reportWorld } from './report-world.ts';

await t.test('mismatch reports over the admin API', async (t) => {
  const { reader, reports, replay, body } = await reportWorld(t);
  const control = new FakeControl();
  const { send } = await openAdmin(t, { tokens: TOKENS, reports: () => reader, control: () => control });
  const as = (token: string) => bearer(`${token}-token`);
  const get = (path: string, headers = {}) => send(path, { headers: { ...as('viewer'), ...headers } });
  const post = (path: string, json: unknown, token = 'operator') =>
    send(path, { method: 'POST', json, headers: as(token) });

  const list = await get('/api/v1/mismatches');
  const [price] = list.json['items'] as Record<string, string>[];
  const id = price?.['id'] ?? '';

  await t.test(
    'the list has what is not noise, with shares and judgements; the rest on demand',
    async (t) => {
      t.match(list, {
        status: 200,
        json: {
          total: 1,
          next: null,
          judged: { reported: 1, unproven: 0, unconfirmed: 0, noise: 1 },
          items: [
            {
              where: '$.price',
              route: 'orders',
              status: 'open',
              judgement: { kind: 'reported', because: 'above_noise' },
              share: { count: 40, total: 80, share: 0.5 },
              confirmed: 40,
              cohorts: [{ cohort: 'staff', reads: 40 }],
            },
          ],
        },
      });
      t.ok(
        Math.abs((list.json['items'] as { users: { estimate: number } }[])[0]?.users.estimate ?? 0 - 40) < 45,
      );
      t.match(await get('/api/v1/mismatches?judgement=noise'), { json: { items: [{ where: '$.at' }] } });
      t.match(await get('/api/v1/mismatches?judgement=all&limit=1'), { json: { total: 2, next: /./ } });
      const first = await get('/api/v1/mismatches?judgement=all&limit=1');
      const next = await get(`/api/v1/mismatches?judgement=all&limit=1&cursor=${String(first.json['next'])}`);
      t.match(next.json, { items: [{ where: '$.at' }], next: null });
      t.match(await get('/api/v1/mismatches?cohort=beta'), { status: 200, json: { total: 0 } });
      t.match(await get('/api/v1/mismatches?route=orders&status=resolved'), { json: { total: 0 } });
      t.match(await get('/api/v1/mismatches?status=odd'), { status: 400, json: { code: 'invalid_request' } });
      t.match(await get('/api/v1/mismatches?sort=odd'), { status: 400 });
      t.match(await get('/api/v1/mismatches?cursor=Z29uZQ'), { status: 400, json: { detail: /go on from/ } });
    },
  );

  await t.test('one group has its samples, redacted', async (t) => {
    const shown = await get(`/api/v1/mismatches/${id}`);
    t.match(shown, {
      status: 200,
      json: {
        group: { id, samples: 5 },
        watch: null,
        samples: [
          {
            authoritative: 'legacy',
            request: { method: 'GET', target: '/orders/1', changed: null },
            answers: { authoritative: { status: 200, body: { kind: 'text', text: /"price":1/ } } },
            differences: [{ where: '$.price', left: { type: 'number', value: 1 }, right: { value: 2 } }],
          },
        ],
      },
    });
    t.notMatch(shown.body, /ann@example/);
    t.match(await get('/api/v1/mismatches/0123456789abcdef'), {
      status: 404,
      json: { code: 'mismatch_unknown' },
    });
    t.match(await get('/api/v1/mismatches/odd'), { status: 400 });
  });

  await t.test(
    'an operator acknowledges, assigns, ignores, resolves and reopens; a viewer does not',
    async (t) => {
      const act = (action: string, json: unknown = {}) => post(`/api/v1/mismatches/${id}/${action}`, json);
      t.match(await post(`/api/v1/mismatches/${id}/resolve`, {}, 'viewer'), { status: 403 });
      t.match(await act('acknowledge', { owner: 'bob', note: 'rounding' }), {
        status: 200,
        json: { status: 'acknowledged', owner: 'bob' },
      });
      t.match(await act('assign', { owner: null }), { json: { owner: null, note: 'rounding' } });
      t.match(await act('ignore', { until: '2001-01-01T00:00:00Z' }), {
        status: 400,
        json: { detail: /still to come/ },
      });
      t.match(await act('ignore', { until: 'tomorrow' }), { status: 400 });
      t.match(await act('ignore', { until: '2999-01-01T00:00:00Z' }), {
        json: { status: 'ignored', ignoredUntil: '2999-01-01T00:00:00.000Z' },
      });
      t.match(await act('resolve', { note: 'deployed' }), {
        json: { status: 'resolved', ignoredUntil: null },
      });
      t.match(await act('reopen'), { json: { status: 'open' } });
      t.match(await act('resolve', { odd: 1 }), { status: 400 });
      const shown = await get(`/api/v1/mismatches/${id}`);
      t.match(shown.json, {
        events: [
          { action: 'reopen', actor: 'the-operator' },
          { action: 'resolve', detail: 'deployed' },
        ],
      });
    },
  );

  await t.test('verify tells what the samples tell, and begins a watch where they cannot', async (t) => {
    const verify = () => post(`/api/v1/mismatches/${id}/verify`, {});
    t.match(await verify(), {
      status: 200,
      json: {
        verdict: 'waiting',
        samples: [{ verdict: 'unknown', why: 'skipped' }],
        watch: { reads: 0, verdict: 'waiting' },
      },
    });
    const fixed = comparedRead(body(1, 1), body(1, 1));
    for (let read = 0; read < 20; read += 1) reports.compared(fixed);
    await reports.flush();
    t.match(await verify(), { json: { verdict: 'fixed', watch: { reads: 20, seen: 0, verdict: 'fixed' } } });
    const broken = comparedRead(body(1, 1), body(2, 1));
    replay.outcome = { kind: 'compared', comparison: broken.comparison, answers: broken.answers };
    t.match(await verify(), { json: { verdict: 'still_there' } });
    replay.outcome = { kind: 'compared', comparison: fixed.comparison, answers: fixed.answers };
    t.match(await verify(), { json: { verdict: 'fixed' } });
  });

  await t.test('coverage says what was compared, skipped, and never', async (t) => {
    t.match(await get('/api/v1/coverage'), {
      status: 200,
      json: {
        rows: [
          { route: 'orders', cohort: 'staff', compared: 100, noiseReads: 20, skipped: { breaker_open: 1 } },
        ],
        never: [LONG_ROUTE],
        notShadowed: ['/static/*'],
      },
    });
    t.match(await get('/api/v1/coverage?cohort=beta&days=1'), {
      json: { rows: [], never: ['orders', LONG_ROUTE] },
    });
    t.match(await get('/api/v1/coverage?days=0'), { status: 400 });
  });

  await t.test("a cohort's report is JSON, or Markdown for who accepts it", async (t) => {
    t.match(await get('/api/v1/cohorts/staff/report'), {
      status: 200,
      json: {
        cohort: 'staff',
        compared: 100,
        matched: { count: 60 },
        groups: [{ id, inCohort: { count: 40, total: 100 } }],
        latencies: [{ route: 'orders', pairs: 100 }],
        unknown: [/./],
      },
    });
    const markdown = await get('/api/v1/cohorts/staff/report', { accept: 'text/markdown' });
    t.match(markdown.headers['content-type'], 'text/markdown; charset=utf-8');
    t.match(markdown.body, /^# Shadow reads of cohort staff\n/);
    t.match(markdown.body, /`\$\.price`/);
  });

  await t.test('evidence on a cohort that never was is 404 with the name that was meant', async (t) => {
    const paths = (name: string) => [
      `/api/v1/cohorts/${name}/report`,
      `/api/v1/coverage?cohort=${name}`,
      `/api/v1/mismatches?cohort=${name}`,
    ];
    for (const path of paths('stafff')) {
      t.match(
        await get(path, { accept: 'text/markdown' }),
        {
          status: 404,
          headers: { 'content-type': /^application\/problem\+json/ },
          json: { code: 'cohort_unknown', detail: 'There is no cohort stafff. Did you mean staff?' },
        },
        path,
      );
    }
    t.match(await get('/api/v1/cohorts/nobody/report'), { json: { detail: 'There is no cohort nobody.' } });
    for (const path of paths('beta'))
      t.match(await get(path), { status: 200 }, `${path}: there is, but no read`);
    t.match(await get('/api/v1/coverage?cohort='), { status: 200 }, 'reads without a cohort');
    control.list.splice(0, 1);
    t.match(await get('/api/v1/cohorts/staff/report'), { status: 200, json: { compared: 100 } }, 'deleted');
  });

  await t.test('rules are read, tried, saved once, and given back to the configuration', async (t) => {
    const path = '/api/v1/routes/orders/rules';
    const put = (json: unknown) => send(path, { method: 'PUT', json, headers: as('operator') });
    t.match(await get(path), {
      json: { source: 'configuration', version: 0, rules: { ignore: ['$.configured'] }, history: [] },
    });
    t.match(await post(`${path}/try`, { rules: { ignore: ['$.price'] } }), {
      status: 200,
      json: {
        samples: 10,
        groups: [{ verdict: /gone|unknown|stays/ }, { verdict: /gone|unknown|stays/ }],
        appear: [],
      },
    });
    t.match(await post(`${path}/try`, { rules: { ignore: ['no path'], odd: 1 } }), {
      status: 422,
      json: { code: 'rules_invalid', detail: /odd/ },
    });
    const saved = await put({ rules: { ignore: ['$.price'] }, reason: 'rounded', expectedVersion: 0 });
    t.match(saved, { status: 200, json: { route: 'orders', version: 1 } });
    t.match(await put({ rules: {}, reason: 'late', expectedVersion: 0 }), {
      status: 409,
      json: { code: 'rules_conflict', version: 1 },
    });
    t.match(await put({ rules: {} }), { status: 400 });
    t.match(await get(path), {
      json: {
        source: 'run-time',
        rules: { ignore: ['$.price'] },
        history: [{ actor: 'the-operator', reason: 'rounded' }],
      },
    });
    t.match(await put({ rules: null, reason: 'back' }), { status: 200 });
    t.match(await get(path), { json: { source: 'configuration' } });
    t.match(await get(`/api/v1/routes/${encodeURIComponent(LONG_ROUTE)}/rules`), {
      status: 200,
      json: { route: LONG_ROUTE, source: 'none' },
    });
    t.match(await get('/api/v1/routes/odd/rules'), { status: 404, json: { code: 'route_unknown' } });
  });
});

await t.test('without reports, or with a record that fails, the answer is 503', async (t) => {
  const none = await openAdmin(t, {});
  t.match(await none.ask('/api/v1/mismatches'), { status: 503, json: { code: 'no_worker' } });
  const failing = createReportReader({
    store: batches(),
    now: () => 0,
    routes: () => [],
    replay: undefined,
  });
  const { ask } = await openAdmin(t, { reports: () => failing });
  t.match(await ask('/api/v1/mismatches'), { status: 503, json: { code: 'store_unavailable' } });
});
