import t, { type Test } from 'tap';
import type { TokenModel } from '../../src/config/model.ts';
import { GuardTrippedError } from '../../src/guard/guard-control.ts';
import { FakeControl } from './fake-control.ts';
import { cohortGuardOf, FakeGuard, FIGURES, GUARD_CONFIG, runOf, sideOf, tripOf } from './fake-guard.ts';
import { type Asked, bearer, openAdmin, TOKENS } from './open-admin.ts';

async function open(t: Test, tokens: readonly TokenModel[] = []) {
  const guard = new FakeGuard();
  const control = new FakeControl();
  return { guard, control, ...(await openAdmin(t, { tokens, guard: () => guard, control: () => control })) };
}

const RAMP = '/api/v1/cohorts/beta/ramp';
const post = (json: unknown, headers: Record<string, string> = {}): Asked => ({
  method: 'POST',
  json,
  headers,
});
const [ERRORS] = GUARD_CONFIG.conditions;
if (ERRORS === undefined) throw new Error('no condition');

void t.test('the guard says what it sees and judges of every cohort, and by which settings', async (t) => {
  const { guard, ask } = await open(t);
  const judgement = {
    condition: ERRORS,
    verdict: 'tripped',
    path: 'overwhelming',
    figures: FIGURES,
  } as const;
  guard.list = [
    cohortGuardOf('staff', {
      phase: 'tripped',
      judgements: [judgement],
      trip: tripOf(3),
      ramp: runOf('paused', { cohort: 'staff', note: 'the guard tripped' }),
      legacy: sideOf([100]),
      new: sideOf([100, 20], 51),
    }),
    cohortGuardOf('beta', { phase: 'idle' }),
  ];
  t.match(await ask('/api/v1/guard'), {
    status: 200,
    json: {
      windowMs: 30_000,
      conditions: [
        { name: 'errorRate', over: 0.05, overLegacy: 1.5, cohorts: null },
        {},
        { overLegacy: null },
      ],
      fallback: { enabled: true, share: 0.2 },
      plans: {
        slowly: { steps: [{ ramp: 100, bakeMs: 0 }, { ramp: '10%' }, { ramp: '100%' }], automatic: false },
      },
      cohorts: [
        {
          cohort: 'staff',
          phase: 'tripped',
          judgements: [
            { condition: { name: 'errorRate' }, verdict: 'tripped', figures: { value: 0.42, apart: null } },
          ],
          trip: { id: tripOf(3).id },
          ramp: { status: 'paused', note: 'the guard tripped', plan: { gates: { guard: 'healthy' } } },
          legacy: { window: { requests: 100, failed: 0 } },
          new: {
            seconds: [{ second: 1_000, requests: 100, failed: 51 }, { requests: 20 }],
            kinds: { status: 51 },
          },
          mirrorBacklog: null,
        },
        { cohort: 'beta', phase: 'idle', judgements: [], trip: null, ramp: null },
      ],
    },
  });
  t.match(await ask('/api/v1/guard/beta'), { status: 200, json: { cohort: 'beta', phase: 'idle' } });
  t.match(await ask('/api/v1/guard/nobody'), { status: 404, json: { code: 'cohort_unknown' } });
});

void t.test('trips come page by page, the newest first, of one cohort if asked', async (t) => {
  const { ask } = await open(t);
  const ids = ({ json }: { json: Record<string, unknown> }) =>
    Array.isArray(json['items']) ? json['items'].map(({ id }) => id) : [];
  const first = await ask('/api/v1/guard/trips?limit=2');
  t.same(ids(first), [tripOf(3).id, tripOf(2).id]);
  const next = await ask(`/api/v1/guard/trips?limit=2&cursor=${String(first.json['next'])}`);
  t.same(ids(next), [tripOf(1).id]);
  t.equal(next.json['next'], null);
  t.same(ids(await ask('/api/v1/guard/trips?cohort=beta')), [tripOf(2).id]);
  t.match(await ask('/api/v1/guard/trips?cursor=eA'), { status: 400 });
});

void t.test('a trip says in words what tripped, what was measured, who told, what followed', async (t) => {
  const { ask, guard } = await open(t);
  const answer = await ask(`/api/v1/guard/trips/${tripOf(3).id}`);
  t.match(answer, { status: 200, json: { untilInForceMs: 400, sinceFirstBadMs: 1_000, change: /^1{8}-/ } });
  t.same(answer.json['sentences'], [
    'At 2026-11-21T03:00:00.000Z the condition errorRate (over 5 % and 1.5 × what legacy has) tripped for cohort staff, which was at live.',
    'In the last 30 s, the share of failed requests at new was 42 % of 120 requests; more than 5 % trips.',
    'legacy had 0.1 % in the same time, of 900 requests.',
    'The newest of them were overwhelming evidence, whatever came before: it did not wait for whole windows.',
    'What failed: 49 × refused or no connection, 2 × answered 5xx.',
    'Told by g1, g2.',
    'staff was back on legacy everywhere 0.4 s after the trip, 1 s after the first failure that counted.',
    'It stays there until a person clears it.',
  ]);
  guard.tripList = [
    tripOf(1, {
      action: 'hold',
      path: 'windows',
      figures: { ...FIGURES, windowsOver: 3, kinds: {}, apart: { gateway: 'g1', userGroups: [2, 5] } },
      change: undefined,
      inForceAt: undefined,
      note: 'the ramp stands at 10%',
    }),
    tripOf(2, {
      inForceAt: undefined,
      note: 'change 7 is not over yet; it is tried again',
      clearedAt: new Date('2026-11-21T09:00:00Z'),
      clearedBy: 'ann',
    }),
  ];
  const held = await ask(`/api/v1/guard/trips/${tripOf(1).id}`);
  t.match(held.json, { inForceAt: null, untilInForceMs: null, figures: { apart: { gateway: 'g1' } } });
  t.same(Object(held.json['sentences']).slice(2), [
    'With 99 % confidence it is between 31 % and 54 %.',
    'legacy had 0.1 % in the same time, of 900 requests.',
    'It was shown in 3 of the last 5 windows; 3 are needed.',
    'Told by g1, g2.',
    'Without gateway g1 it does not hold.',
    'Without 2 of the 16 groups of users it does not hold.',
    'Nobody was moved: this condition stops the ramp where it is.',
    'The ramp stands at 10%.',
  ]);
  const slow = await ask(`/api/v1/guard/trips/${tripOf(2).id}`);
  t.same(Object(slow.json['sentences']).slice(-3), [
    'staff is not back on legacy everywhere yet; it goes back by change 11111111-1111-4111-8111-111111111111.',
    'Change 7 is not over yet; it is tried again.',
    'Cleared by ann at 2026-11-21T09:00:00.000Z.',
  ]);
  t.match(await ask(`/api/v1/guard/trips/${tripOf(9).id}`), { status: 404, json: { code: 'trip_unknown' } });
});

void t.test("a dry run takes the conditions in force, or others with the guard's own defaults", async (t) => {
  const { send, guard } = await open(t);
  const period = { cohort: 'staff', from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' };
  guard.dryRunAnswer = {
    slots: 86_400,
    from: new Date('2026-11-20T00:00:00Z'),
    to: new Date('2026-11-21T00:00:00Z'),
    trips: [
      { at: new Date('2026-11-20T03:00:00Z'), condition: 'errorRate', path: 'windows', figures: FIGURES },
    ],
  };
  t.match(await send('/api/v1/guard/dry-run', post(period)), {
    status: 200,
    json: {
      slots: 86_400,
      trips: [{ at: '2026-11-20T03:00:00.000Z', condition: 'errorRate', figures: { value: 0.42 } }],
    },
  });
  t.match(guard.asked.at(-1), {
    cohort: 'staff',
    from: new Date('2026-11-20T00:00:00Z'),
    conditions: undefined,
  });
  await send(
    '/api/v1/guard/dry-run',
    post({ ...period, conditions: [{ metric: 'p99LatencyMs', over: 800 }] }),
  );
  t.match(guard.asked.at(-1), {
    conditions: [
      { name: 'p99LatencyMs', over: 800, windowMs: 30_000, minRequests: 50, windows: { over: 3, of: 5 } },
    ],
  });
});

void t.test('what a dry run cannot judge is refused, an unknown metric with the known ones', async (t) => {
  const { send } = await open(t);
  const run = (more: object) =>
    send(
      '/api/v1/guard/dry-run',
      post({ cohort: 'staff', from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z', ...more }),
    );
  t.match(await run({ conditions: [{ metric: 'errorrate', over: 1 }] }), {
    status: 422,
    json: {
      code: 'condition_invalid',
      detail:
        /^Condition 1: there is no metric errorrate: it is one of errorRate, .*mirrorBacklog; did you mean errorRate\?/u,
    },
  });
  t.match(await run({ conditions: [{ metric: 'errorRate', over: 5 }] }), {
    status: 422,
    json: { detail: 'Condition 1: over: errorRate is a share; expected a number from 0 to 1.' },
  });
  const twice = { metric: 'errorRate', over: 0.1 };
  t.match(await run({ conditions: [twice, twice] }), { json: { detail: /another one is named errorRate/ } });
  t.match(await run({ from: 'yesterday' }), { status: 400, json: { detail: /from is a time/ } });
  t.match(await run({ from: '2026-11-22T00:00:00Z' }), { status: 400, json: { detail: /before/ } });
  t.match(await run({ conditions: [{ metric: 'errorRate', over: 0.1, odd: 1 }] }), { status: 400 });
});

void t.test('a ramp is started by the name of a plan or by a plan, and told what to do', async (t) => {
  const { send, ask, guard } = await open(t);
  t.match(await send(RAMP, post({ action: 'start', plan: 'slowly', reason: 'go' })), {
    status: 200,
    json: { trip: null, ramp: { cohort: 'beta', status: 'stepping', step: -1, plan: { automatic: false } } },
  });
  t.match(guard.asked.at(-1), {
    start: 'beta',
    actor: 'local',
    reason: 'go',
    plan: GUARD_CONFIG.ramps['slowly'],
  });
  const plan = {
    steps: [{ ramp: 100 }, { ramp: '100%', bakeMs: 0 }],
    gates: { comparedMin: 5 },
    automatic: true,
  };
  t.match(await send(RAMP, post({ action: 'start', plan, reason: 'go' })), { status: 200 });
  t.match(guard.asked.at(-1), {
    plan: {
      steps: [
        { ramp: { kind: 'count', count: 100 }, bakeMs: 600_000 },
        { ramp: { kind: 'percent', buckets: 10_000 }, bakeMs: 0 },
      ],
      gates: { guard: 'healthy', comparedMin: 5, mismatchShareMax: undefined },
      automatic: true,
    },
  });
  for (const action of ['pause', 'resume', 'approve', 'abort'] as const) {
    t.match(await send(RAMP, post({ action, reason: 'because' })), {
      status: 200,
      json: { ramp: { id: /^2/ } },
    });
    t.match(guard.asked.at(-1), { [action]: 'beta', reason: 'because' });
  }
  t.match(await ask(RAMP), {
    status: 200,
    json: { items: [{ status: 'aborted', approved: true }], next: null },
  });
});

void t.test('plans that are not there, shrink, or do not belong are refused', async (t) => {
  const { send, guard } = await open(t);
  const start = (plan: unknown) => send(RAMP, post({ action: 'start', plan, reason: 'go' }));
  t.match(await start('quick'), {
    status: 422,
    json: { code: 'plan_unknown', detail: 'There is no plan quick under guard.ramps: there are slowly.' },
  });
  t.match(await start('constructor'), { status: 422, json: { code: 'plan_unknown' } });
  t.match(await start({ steps: [{ ramp: '10%' }, { ramp: '5%' }] }), {
    status: 422,
    json: { code: 'plan_invalid', detail: /^Step 2: each step is larger/ },
  });
  t.match(await start({ steps: [] }), { status: 400 });
  t.match(await start(undefined), { status: 400, json: { detail: /needs a `plan`/ } });
  t.match(await send(RAMP, post({ action: 'pause', plan: 'slowly', reason: 'x' })), { status: 400 });
  t.match(await send(RAMP, post({ action: 'stop', reason: 'x' })), { status: 400 });
  t.match(await send(RAMP, post({ action: 'pause' })), { status: 400 });
  t.same(guard.asked, []);
});

void t.test('a trip is cleared by a person, once', async (t) => {
  const { send, guard } = await open(t);
  const clear = post({ action: 'clear', reason: 'the fix is deployed' });
  t.match(await send('/api/v1/cohorts/staff/ramp', clear), {
    status: 200,
    json: { ramp: null, trip: { id: tripOf(3).id, clearedBy: 'local' } },
  });
  t.match(guard.asked, [{ clear: 'staff', actor: 'local', reason: 'the fix is deployed' }]);
  guard.tripList = [];
  t.match(await send('/api/v1/cohorts/staff/ramp', clear), {
    status: 409,
    json: { code: 'guard_refused', detail: 'Nothing of cohort staff is tripped.' },
  });
});

void t.test('a tripped cohort is 409 with the trip, wherever it is moved', async (t) => {
  const { send, guard, control } = await open(t);
  const tripped = new GuardTrippedError('beta', tripOf(2).id);
  control.failure = tripped;
  guard.failure = tripped;
  const expected = { status: 409, json: { code: 'guard_tripped', trip: tripOf(2).id, detail: /clear trip/ } };
  t.match(await send('/api/v1/cohorts/beta/stage', post({ stage: 'live', reason: 'r' })), expected);
  t.match(await send('/api/v1/cohorts/beta/rollback', post({ reason: 'r' })), expected);
  t.match(
    await send('/api/v1/cohorts/beta', { method: 'PATCH', json: { mirror: true, reason: 'r' } }),
    expected,
  );
  t.match(await send(RAMP, post({ action: 'start', plan: 'slowly', reason: 'go' })), expected);
});

void t.test('viewers look, operators act, nobody else does either', async (t) => {
  const { send, ask } = await open(t, TOKENS);
  const looked = [
    '/api/v1/guard',
    '/api/v1/guard/staff',
    '/api/v1/guard/trips',
    `/api/v1/guard/trips/${tripOf(1).id}`,
    RAMP,
  ];
  for (const path of looked) {
    t.match(await ask(path), { status: 401 }, path);
    t.match(await ask(path, bearer('viewer-token')), { status: 200 }, path);
  }
  t.match(await ask('/api/v1/events'), { status: 401 });
  const acts = [
    [RAMP, { action: 'pause', reason: 'r' }],
    ['/api/v1/guard/dry-run', { cohort: 'staff', from: '2026-11-20', to: '2026-11-21' }],
  ] as const;
  for (const [path, body] of acts) {
    t.match(await send(path, post(body, bearer('viewer-token'))), { status: 403 }, path);
    t.match(await send(path, post(body, bearer('operator-token'))), { status: 200 }, path);
  }
});

void t.test('while it starts, and when its store fails, it says so', async (t) => {
  const starting = await openAdmin(t);
  t.match(await starting.ask('/api/v1/guard'), { status: 503, json: { code: 'no_worker' } });
  t.match(await starting.send(RAMP, post({ action: 'pause', reason: 'r' })), { status: 503 });
  const { guard, ask } = await open(t);
  guard.failure = new Error('connection lost');
  t.match(await ask('/api/v1/guard/trips'), {
    status: 503,
    json: { code: 'store_unavailable', detail: /connection lost/ },
  });
});
