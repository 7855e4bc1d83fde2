import t from 'tap';
import { AUTHOR, cohortNamed, gatewayView } from './fake-control.ts';
import { STATUS } from './fake-source.ts';

import { idIn, LIVE, openFakeControl, post, STAGE } from './stage-requests.ts';

void t.test('cohorts come with the epoch, page by page', async (t) => {
  const { ask, control } = await openFakeControl(t);
  control.next = { phase: 'holding' };
  control.begin(control.list[1] ?? cohortNamed('beta', 'off'), {
    cohort: 'beta',
    stage: 'live',
    ramp: undefined,
    dirtyUsers: 'drain',
    ...AUTHOR,
  });
  const whole = await ask('/api/v1/cohorts');
  t.match(whole.json, {
    epoch: 0,
    next: null,
    items: [
      { name: 'staff', stage: 'live', ramp: '100%', change: null },
      { name: 'beta', stage: 'shadow', ramp: '50%', change: control.log[0]?.id ?? '' },
      { name: 'everyone', default: true, byRule: false, migration: 'cohort', mirror: false, held: false },
    ],
  });
  const first = await ask('/api/v1/cohorts?limit=2');
  t.match(first.json, { items: [{ name: 'staff' }, { name: 'beta' }], next: String });
  const second = await ask(`/api/v1/cohorts?limit=2&cursor=${String(first.json['next'])}`);
  t.match(second.json, { items: [{ name: 'everyone' }], next: null });
  t.match((await ask('/api/v1/cohorts/staff')).json, { epoch: 0, cohort: { name: 'staff' } });
  for (const query of ['limit=0', 'limit=501', 'limit=x', 'cursor=AAAA', 'cursor=', 'page=2']) {
    t.match(await ask(`/api/v1/cohorts?${query}`), { status: 400, json: { code: 'invalid_request' } }, query);
  }
});

void t.test('the audit is read newest first, page by page, also for one cohort', async (t) => {
  const { ask, send, control } = await openFakeControl(t);
  for (let n = 0; n < 5; n += 1) {
    await send(`/api/v1/cohorts/${n % 2 === 0 ? 'beta' : 'staff'}/stage`, post({ ...LIVE, ramp: n }));
  }
  const ids = control.log.map(({ id }) => id);
  const seen: unknown[] = [];
  let cursor = '';
  do {
    const { json } = await ask(`/api/v1/changes?limit=2${cursor}`);
    if (Array.isArray(json['items'])) seen.push(...json['items'].map(({ id }: { id: string }) => id));
    cursor = json['next'] === null ? '' : `&cursor=${JSON.stringify(json['next']).slice(1, -1)}`;
  } while (cursor !== '');
  t.same(seen, ids);
  const { json } = await ask('/api/v1/changes?cohort=staff');
  t.match(json, { items: [{ cohort: 'staff' }, { cohort: 'staff' }], next: null });
  t.match(await ask('/api/v1/changes?cursor=bm9uc2Vuc2U'), { status: 400 }, 'a cursor that is no change');
});

void t.test('a change in progress has every acknowledgement; one that is over has none', async (t) => {
  const { ask, send, control } = await openFakeControl(t);
  control.next = { phase: 'holding' };
  control.gatewayViews = [
    gatewayView('g1', { applied: 5, drained: 5 }),
    gatewayView('g2', { applied: 5, drained: 4 }),
    gatewayView('g3', { applied: undefined, drained: undefined, verdict: 'silent' }),
  ];
  const id = idIn(await send(STAGE, post(LIVE)));
  const acknowledged = async () => {
    const { gateways } = (await ask(`/api/v1/changes/${id}`)).json;
    return Array.isArray(gateways)
      ? gateways.map((each: { acknowledged: boolean }) => each.acknowledged)
      : [];
  };
  t.match((await ask(`/api/v1/changes/${id}`)).json, {
    phase: 'holding',
    gateways: [{ id: 'g1', state: 'live', applied: 5 }, {}, { state: 'silent', drained: null }],
  });
  t.same(await acknowledged(), [true, false, false], 'while it holds, those that have drained');
  control.moveOn({ phase: 'switching', switchEpoch: 6 });
  t.same(await acknowledged(), [false, false, false]);
  control.gatewayViews = control.gatewayViews.map((gateway) => ({ ...gateway, applied: 6 }));
  t.same(await acknowledged(), [true, true, true], 'later, those that have applied');
  control.moveOn({ phase: 'done', releaseEpoch: 7 });
  t.same(await acknowledged(), []);
  t.match(await ask('/api/v1/changes/00000000-0000-4000-8000-000000000000'), {
    status: 404,
    json: { code: 'change_unknown' },
  });
  t.match(await ask('/api/v1/changes/nonsense'), { status: 400 });
});

void t.test('a gateway that is gone is evicted by who accepts the risk', async (t) => {
  const { ask, send, control, lines } = await openFakeControl(t);
  control.gatewayViews = [gatewayView('g2', { verdict: 'fenced', applied: undefined }), gatewayView('g1')];
  t.match((await ask('/api/v1/gateways')).json, {
    items: [
      { id: 'g1', state: 'live' },
      { id: 'g2', state: 'fenced', applied: null, silentMs: 12 },
    ],
    next: null,
  });
  const evict = (id: string, json: unknown) => send(`/api/v1/gateways/${id}`, { method: 'DELETE', json });
  const accepted = { risk: 'accepted', reason: 'the machine burnt down' };
  for (const json of [{}, { reason: 'x' }, { risk: 'accepted' }, { ...accepted, risk: true }]) {
    t.match(await evict('g2', json), { status: 400 }, JSON.stringify(json));
  }
  t.match(await evict('g3', accepted), { status: 404, json: { code: 'gateway_unknown' } });
  t.match(await evict('g1', accepted), { status: 409, json: { code: 'gateway_live' } });
  t.same(control.evicted, []);
  t.match(await evict('g2', accepted), { status: 200, json: { evicted: 'g2' } });
  t.same(control.evicted, ['g2']);
  t.match(lines.at(-1), /gateway_evicted.*g2.*local.*the machine burnt down/u);
});

void t.test('status has what is in progress and who has to agree, while the stores answer', async (t) => {
  const { ask, send, control } = await openFakeControl(t);
  await send(STAGE, post(LIVE));
  control.next = { phase: 'pending' };
  await send(STAGE, post(LIVE));
  const { json } = await ask('/api/v1/status');
  t.match(json, { ...STATUS, changes: [{ phase: 'pending' }], registry: [{ id: 'g1' }, { id: 'g2' }] });
  t.match(json, { changes: { length: 1 } }, 'what is done is not in progress');
  control.failure = new Error('down');
  t.same((await ask('/api/v1/status')).json, { ...STATUS, changes: null, registry: null });
});
