import t, { type Test } from 'tap';
import { ChangeRefusedError, WritesStrandedError, WritesUnknownError } from '../../src/cutover/control.ts';
import { ABSENT_RECORD, type Rule } from '../../src/model.ts';
import { AUTHOR, cohortNamed, FakeControl } from './fake-control.ts';
import { type Asked, bearer, openAdmin, TOKENS } from './open-admin.ts';

async function open(t: Test) {
  const control = new FakeControl();
  return { control, ...(await openAdmin(t, { control: () => control })) };
}

const sent =
  (method: string) =>
  (json: unknown, headers: Record<string, string> = {}): Asked => ({ method, json, headers });
const [post, patch, del] = [sent('POST'), sent('PATCH'), sent('DELETE')];
const WHY = { reason: 'the plan' };
const BY_PLAN = { attribute: 'header.x-plan', in: ['beta'] };
const PLAN: Rule = {
  kind: 'in',
  attribute: { source: 'header', name: 'x-plan' },
  values: ['beta'],
};

void t.test('a cohort is created with what is given, and the rest as by default', async (t) => {
  const { send, ask, control } = await open(t);
  const answer = await send('/api/v1/cohorts', post({ name: 'sydney', rule: BY_PLAN, ramp: 1_000, ...WHY }));
  t.match(answer, {
    status: 201,
    json: {
      epoch: 7,
      change: {
        kind: 'cohort-create',
        cohort: 'sydney',
        from: null,
        to: { name: 'sydney', stage: 'off', ramp: 1_000, rule: BY_PLAN, default: false, migration: 'cohort' },
      },
    },
  });
  t.match(control.asked, [
    { name: 'sydney', rule: PLAN, isDefault: false, migration: 'cohort', mirror: true, actor: 'local' },
  ]);
  await send('/api/v1/cohorts', post({ name: 'perth', ...WHY }));
  t.match(control.asked[1], { rule: undefined, ramp: { kind: 'percent', buckets: 10_000 } });
  t.match((await ask('/api/v1/cohorts/sydney')).json, { cohort: { rule: BY_PLAN, byRule: true } });
  t.match((await ask('/api/v1/cohorts/perth')).json, { cohort: { rule: null, byRule: false } });
});

void t.test('a cohort that cannot be made is refused before anything is asked', async (t) => {
  const { send, control } = await open(t);
  const wrong = [
    { ...WHY },
    { name: 'sydney' },
    { name: 'Sydney', ...WHY },
    { name: 'a/b', ...WHY },
    { name: 'x'.repeat(64), ...WHY },
    { name: 'sydney', rule: 'plan', ...WHY },
    { name: 'sydney', rule: {}, ...WHY },
    { name: 'sydney', rule: { attribute: 'header.x-plan', in: [] }, ...WHY },
    { name: 'sydney', rule: { attribute: 'headers.x-plan', exists: true }, ...WHY },
    { name: 'sydney', rule: { all: [BY_PLAN, { not: { attribute: 'user' } }] }, ...WHY },
    { name: 'sydney', migration: 'none', ...WHY },
    { name: 'sydney', stage: 'live', ...WHY },
  ];
  for (const json of wrong) {
    const answer = await send('/api/v1/cohorts', post(json));
    t.match(answer, { status: 400, json: { code: 'invalid_request' } }, JSON.stringify(json));
  }
  const misspelt = { attribute: 'headers.x-plan', exists: true };
  const answer = await send('/api/v1/cohorts', post({ name: 'sydney', rule: { any: [misspelt] }, ...WHY }));
  t.match(answer.json, { detail: /rule\.any\[0\]\.attribute: .*did you mean `header\.x-plan`/u });
  t.same(control.asked, []);
});

void t.test('a cohort of that name is 409; the retried call gets the first answer', async (t) => {
  const { send, control } = await open(t);
  const key = { 'idempotency-key': 'k-1' };
  const body = { name: 'sydney', rule: BY_PLAN, ...WHY };
  const first = await send('/api/v1/cohorts', post(body, key));
  t.match(await send('/api/v1/cohorts', post(body, key)), {
    status: 201,
    json: { change: { id: control.log[0]?.id ?? '' } },
  });
  t.match(await send('/api/v1/cohorts', post({ ...body, mirror: false }, key)), {
    status: 422,
    json: { code: 'idempotency_key_reused' },
  });
  t.match(first, { status: 201 });
  t.match(await send('/api/v1/cohorts', post(body)), {
    status: 409,
    json: { code: 'cohort_exists', detail: /sydney/u },
  });
});

void t.test('what an edit leaves out stays; a rule of null goes away', async (t) => {
  const { send, control } = await open(t);
  control.list.push(cohortNamed('sydney', 'off', { rule: PLAN }));
  const path = '/api/v1/cohorts/sydney';
  t.match(await send(path, patch({ position: 0, mirror: true, ...WHY })), {
    status: 200,
    json: { change: { kind: 'cohort-edit', from: { mirror: false }, to: { mirror: true, rule: BY_PLAN } } },
  });
  t.match(control.asked[0], { cohort: 'sydney', position: 0, rule: undefined, isDefault: undefined });
  t.match(await send(path, patch({ rule: null, dirtyUsers: 'keep', ...WHY })), {
    status: 200,
    json: { change: { to: { rule: null } } },
  });
  t.match(control.asked[1], { rule: null, dirtyUsers: 'keep' });
  for (const json of [
    { ...WHY },
    { position: -1, ...WHY },
    { mirror: true },
    { name: 'perth', ...WHY },
    { dirtyUsers: 'lose', mirror: true, ...WHY },
  ]) {
    t.match(await send(path, patch(json)), { status: 400 }, JSON.stringify(json));
  }
  t.match(await send('/api/v1/cohorts/nobody', patch({ mirror: true, ...WHY })), { status: 404 });
});

void t.test('a cohort is deleted, unless that is refused with a reason', async (t) => {
  const { send, control } = await open(t);
  const deleted = await send('/api/v1/cohorts/beta', del({ ...WHY, expectedEpoch: 4 }));
  t.match(deleted, {
    status: 200,
    json: { change: { kind: 'cohort-delete', from: { name: 'beta' }, to: null } },
  });
  t.match(control.asked[0], { cohort: 'beta', dirtyUsers: 'drain', expectedEpoch: 4 });
  control.failure = new ChangeRefusedError('users would have no cohort: make another one the default first');
  t.match(await send('/api/v1/cohorts/everyone', del(WHY)), {
    status: 409,
    json: {
      code: 'change_refused',
      detail: 'Users would have no cohort: make another one the default first.',
    },
  });
});

void t.test('a deletion goes on while its members are taken out; calls under its key join it', async (t) => {
  const { send, control } = await open(t);
  const emptied = Promise.withResolvers<void>();
  control.deleting = emptied.promise;
  const ask = (key: string, wait: number) =>
    send('/api/v1/cohorts/beta', del(WHY, { 'idempotency-key': key, prefer: `wait=${wait}` }));
  const begun = await ask('k-1', 0);
  t.match(begun, { status: 202, json: { epoch: null, change: null } });
  t.match(await ask('k-1', 0), { status: 202 });
  t.match(await ask('k-2', 0), {
    status: 409,
    json: { code: 'change_conflict', detail: /beta is being deleted/u },
  });
  t.equal(control.deletions, 1);
  emptied.resolve();
  t.match(await ask('k-1', 5), { status: 200, json: { change: { kind: 'cohort-delete' } } });
});

/** What a deletion does first. */
const CLOSING = {
  rule: null,
  isDefault: false,
  migration: undefined,
  mirror: undefined,
  position: undefined,
  dirtyUsers: 'drain',
} as const;

void t.test('a deletion whose first step was undone says so', async (t) => {
  const { send, control } = await open(t);
  control.next = { phase: 'undone', note: 'a write did not end' };
  control.deleteCohort = () => control.editCohort({ ...AUTHOR, ...CLOSING, cohort: 'beta' });
  t.match(await send('/api/v1/cohorts/beta', del(WHY)), {
    status: 409,
    json: { code: 'change_undone', detail: /a write did not end/u },
  });
});

void t.test('a rollback says first what it would do, then what it did', async (t) => {
  const { ask, send, control } = await open(t);
  for (const user of ['u1', 'u2', 'u3']) control.records.set(user, ABSENT_RECORD);
  control.dirtyUsers.add('u2');
  const path = '/api/v1/cohorts/staff/rollback';
  const preview = await send(path, post({ dryRun: true, ...WHY }));
  t.match(preview, {
    status: 200,
    json: { dryRun: true, epoch: 4, stage: 'live', to: 'shadow', clean: 2, dirtyCount: 1, dirty: ['u2'] },
  });
  t.same(control.asked, [], 'nothing moved');
  const done = await send(path, post({ dirtyUsers: 'keep', ...WHY }, { prefer: 'wait=5' }));
  t.match(done, {
    status: 200,
    headers: { 'preference-applied': 'wait=5' },
    json: {
      epoch: 7,
      clean: 2,
      dirty: ['u2'],
      change: { kind: 'rollback', dirtyUsers: 'keep', dirty: 1, to: { stage: 'shadow' } },
    },
  });
  t.notOk('dryRun' in done.json);
  control.dirtyUsers.add('u3');
  const list = `${String(done.headers.location)}/dirty`;
  const first = await ask(`${list}?limit=1`);
  t.match(first.json, { items: ['u2'], next: String });
  const rest = await ask(`${list}?limit=1&cursor=${String(first.json['next'])}`);
  t.match(rest.json, { items: ['u3'] });
  const unknown = '/api/v1/changes/00000000-0000-4000-8000-000000000000/dirty';
  t.match(await ask(unknown), { status: 404, json: { code: 'change_unknown' } });
  control.failure = new WritesUnknownError('staff');
  t.match(await send(path, post(WHY)), {
    status: 409,
    json: { code: 'writes_unknown', detail: /only force/u },
  });
});

void t.test('users whose writes would be stranded are named, up to a hundred of them', async (t) => {
  const { send, control } = await open(t);
  const users = Array.from({ length: 120 }, (_, n) => `u${n}`);
  control.failure = new WritesStrandedError(users);
  const answer = await send('/api/v1/users/u1/pin', sent('PUT')({ backend: 'legacy', ...WHY }));
  t.match(answer, { status: 409, json: { code: 'writes_stranded', count: 120 } });
  t.same(answer.json['users'], users.slice(0, 100));
});

void t.test('what becomes of dirty users is part of a stage too', async (t) => {
  const { send, control } = await open(t);
  const body = { stage: 'off', dirtyUsers: 'force', ...WHY };
  t.match(await send('/api/v1/cohorts/staff/stage', post(body)), {
    json: { change: { dirtyUsers: 'force' } },
  });
  t.match(control.asked, [{ dirtyUsers: 'force' }]);
});

void t.test('the map is rebuilt by an admin only', async (t) => {
  const control = new FakeControl();
  const { send } = await openAdmin(t, { tokens: TOKENS, control: () => control });
  const rebuild = (token: string) => send('/api/v1/rebuild', post(WHY, bearer(token)));
  t.match(await rebuild('operator-token'), { status: 403, json: { code: 'role_insufficient' } });
  t.same(control.rebuilt, []);
  t.match(await rebuild('admin-token'), { status: 200, json: { mapId: 'map-2', epoch: 1_000_000 } });
  t.same(control.rebuilt, [{ actor: 'the-admin', reason: 'the plan' }]);
  const local = await open(t);
  t.match(await local.send('/api/v1/rebuild', post(WHY)), {
    status: 403,
    json: { detail: /needs the role admin.*admin\.tokens/u },
  });
});

void t.test('changes are found by kind, by user and while they are open', async (t) => {
  const { ask, control } = await open(t);
  await control.pin({ ...AUTHOR, user: 'u1', backend: 'new', dirtyUsers: 'drain' });
  await control.pin({ ...AUTHOR, idempotencyKey: 'k2', user: 'u2', backend: 'legacy', dirtyUsers: 'drain' });
  const stage = { ...AUTHOR, stage: 'live', ramp: undefined, dirtyUsers: 'drain' } as const;
  control.next = { phase: 'holding' };
  await control.changeStage({ ...stage, idempotencyKey: 'k3', cohort: 'beta' });
  await control.changeStage({ ...stage, idempotencyKey: 'k4', cohort: 'everyone' });
  const found = async (query: string) => (await ask(`/api/v1/changes?${query}`)).json['items'];
  t.match(await found('user=u1'), [
    { kind: 'pin', user: 'u1', pin: 'new', cohort: null, from: null, users: 1 },
  ]);
  t.match(await found('kind=pin,unpin'), [{ user: 'u2' }, { user: 'u1' }]);
  t.match(await found('open=true'), [{ cohort: 'everyone' }, { cohort: 'beta' }]);
  t.match(await found('open=true&cohort=beta'), [{ cohort: 'beta' }]);
  t.same(await found('open=true&kind=pin'), []);
  t.match(await found('open=false&cohort=beta'), [{ cohort: 'beta' }]);
  t.match(await ask('/api/v1/changes?kind=pins'), { status: 400, json: { detail: /cohort-create/u } });
  const page = await ask('/api/v1/changes?kind=pin&limit=1');
  const rest = await ask(`/api/v1/changes?kind=pin&limit=1&cursor=${String(page.json['next'])}`);
  t.match(rest.json, { items: [{ user: 'u1' }] });
});

void t.test('a search through many changes is bounded, and goes on with its cursor', async (t) => {
  const { ask, control } = await open(t);
  await control.pin({ ...AUTHOR, user: 'u1', backend: 'new', dirtyUsers: 'drain' });
  const [pinned] = control.log;
  if (pinned === undefined) throw new Error('no change');
  const stage = { ...pinned, kind: 'stage', user: undefined } as const;
  const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  const others = Array.from({ length: 6_000 }, (_, n) => ({ ...stage, id: id(n) }));
  control.log.unshift(...others);
  const first = await ask('/api/v1/changes?user=u1');
  t.same(first.json['items'], []);
  t.match(first.json['next'], String);
  const second = await ask(`/api/v1/changes?user=u1&cursor=${String(first.json['next'])}`);
  t.match(second.json, { items: [{ user: 'u1' }], next: null });
});
