import t, { type Test } from 'tap';
import { TurnoutError } from '../../src/errors.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import { FakeControl } from './fake-control.ts';
import { openAdmin } from './open-admin.ts';

async function open(t: Test) {
  const control = new FakeControl();
  return { control, ...(await openAdmin(t, { control: () => control })) };
}

const WHY = { reason: 'a complaint' };
const at = (user: string, more = '') => `/api/v1/users/${encodeURIComponent(user)}${more}`;

void t.test('one user is shown with record, cohort, routing, writes and history', async (t) => {
  const { ask, control, source } = await open(t);
  const membership = { cohort: 'staff', ordinal: 3, by: 'explicit' } as const;
  control.records.set('u1', { ...ABSENT_RECORD, pin: 'new', state: 'migrated', newId: '77', membership });
  control.dirtyUsers.add('u1');
  t.match(await ask(at('u1')), {
    status: 200,
    json: {
      user: 'u1',
      record: { state: 'migrated', pin: 'new', newId: '77', membership },
      dirty: true,
      routing: { decision: { target: 'new' }, sentences: [String] },
      history: [{ at: '2026-11-21T09:00:00.000Z', actor: 'the-operator', kind: 'pin', epoch: 4 }],
    },
  });
  t.match(source.asked, [{ user: 'u1', method: 'GET', target: '/' }]);
  t.match((await ask(at('u2'))).json, { record: { state: null, pin: null, membership: null }, dirty: false });
});

void t.test('a user whose request would be refused is shown without a routing', async (t) => {
  const { ask, source } = await open(t);
  source.failure = new TurnoutError('user_required');
  t.match(await ask(at('u1')), { status: 200, json: { user: 'u1', routing: null } });
});

void t.test('any user can be named in a path', async (t) => {
  const { ask, send, control } = await open(t);
  const users = ['a/b', 'ü', '漢字', 'a b', '%41', '?x=1#y', '..%2f', '"', 'é'.repeat(128), '\u0000'];
  for (const user of users) {
    t.match(await ask(at(user)), { status: 200, json: { user } }, user);
    const put = { method: 'PUT', json: { backend: 'new', ...WHY } };
    t.match(await send(at(user, '/pin'), put), { status: 200, json: { change: { user } } }, user);
  }
  // Not through a URL of the platform, which would take them for steps.
  for (const user of ['.', '..']) t.match(await ask(`/api/v1/users/${user}`), { json: { user } });
  t.equal(control.records.size, users.length);
  t.match(await ask(at('é'.repeat(129))), { status: 400, json: { code: 'invalid_request' } });
  t.match(await ask('/api/v1/users/%ff'), { status: 400 }, 'not UTF-8');
});

void t.test('a pin is set and taken away, with what was asked', async (t) => {
  const { send, control } = await open(t);
  const put = (json: unknown, key = 'k-1') =>
    send(at('u1', '/pin'), { method: 'PUT', json, headers: { 'idempotency-key': key } });
  t.match(await put({ backend: 'new', dirtyUsers: 'force', expectedEpoch: 4, ...WHY }), {
    status: 200,
    json: { epoch: 7, change: { kind: 'pin', user: 'u1', pin: 'new', cohort: null } },
  });
  t.match(control.asked[0], { user: 'u1', backend: 'new', dirtyUsers: 'force', expectedEpoch: 4 });
  t.match(await put({ backend: 'legacy', ...WHY }), {
    status: 422,
    json: { code: 'idempotency_key_reused' },
  });
  t.match(await put({ backend: 'new', ...WHY }), { status: 200 });
  for (const json of [
    WHY,
    { backend: 'old', ...WHY },
    { backend: 'new' },
    { backend: 'new', ...WHY, x: 1 },
  ]) {
    t.match(await put(json, 'k-2'), { status: 400 }, JSON.stringify(json));
  }
  t.match(await send(at('u1', '/pin'), { method: 'DELETE', json: WHY }), {
    status: 200,
    json: { change: { kind: 'unpin', pin: null } },
  });
  t.match(control.asked.at(-1), { user: 'u1', backend: undefined, dirtyUsers: 'drain' });
});
