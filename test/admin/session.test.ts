import t from 'tap';
import { SESSION_IDLE_MS, SESSIONS_MAX, Sessions } from '../../src/admin/sessions.ts';
import { bearer, openAdmin, TOKENS } from './open-admin.ts';

const PATH = '/api/v1/session';

type Opened = Awaited<ReturnType<typeof openAdmin>>;

/** What the console's own page sends. */
const own = ({ port }: Opened, more: Record<string, string> = {}) => ({
  host: `127.0.0.1:${port}`,
  origin: `http://127.0.0.1:${port}`,
  'x-turnout-console': '1',
  ...more,
});

async function logIn(admin: Opened, token: string) {
  const answer = await admin.send(PATH, { method: 'POST', headers: own(admin), json: { token } });
  const [set = ''] = answer.headers['set-cookie'] ?? [];
  return { answer, set, cookie: set.split(';')[0] ?? '' };
}

void t.test('a token is changed for a cookie that no script can read', async (t) => {
  const admin = await openAdmin(t, { tokens: TOKENS });
  const { answer, set, cookie } = await logIn(admin, 'viewer-token');
  t.equal(answer.status, 200);
  t.same(answer.json, { name: 'the-viewer', role: 'viewer', canLogOut: true });
  for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/api/v1', 'Max-Age=43200']) t.match(set, part);
  t.notMatch(set, 'Secure', 'over http it would never come back');
  t.notMatch(set, 'viewer-token');

  const who = await admin.ask(PATH, { cookie });
  t.same(who.json, { name: 'the-viewer', role: 'viewer', canLogOut: true });
  t.equal((await admin.ask('/api/v1/status', { cookie })).status, 200);
});

void t.test('a page that came over TLS gets a cookie for TLS only', async (t) => {
  const admin = await openAdmin(t, { tokens: TOKENS });
  const headers = { ...own(admin), origin: `https://127.0.0.1:${admin.port}` };
  const { headers: answered } = await admin.send(PATH, {
    method: 'POST',
    headers,
    json: { token: 'viewer-token' },
  });
  t.match(answered['set-cookie']?.[0], '; Secure');
});

void t.test('without a session the console is told to log in, and the log is not troubled', async (t) => {
  const admin = await openAdmin(t, { tokens: TOKENS });
  const answer = await admin.ask(PATH);
  t.equal(answer.status, 401);
  t.equal(answer.json['code'], 'login_required');
  t.same(admin.lines, []);
});

void t.test('a wrong token is refused, and guessing is slowed down', async (t) => {
  const admin = await openAdmin(t, { tokens: TOKENS });
  const statuses: number[] = [];
  for (let guess = 0; guess < 11; guess++) statuses.push((await logIn(admin, 'a guess')).answer.status);
  t.same(statuses, [...Array.from({ length: 10 }, () => 401), 429]);
  t.equal((await logIn(admin, 'viewer-token')).answer.status, 429, 'the right one as well, for a moment');
});

void t.test('a session changes something only from the page of this listener', async (t) => {
  const admin = await openAdmin(t, { tokens: TOKENS });
  const { cookie } = await logIn(admin, 'admin-token');
  const rebuild = (headers: Record<string, string>) =>
    admin.send('/api/v1/rebuild', { method: 'POST', headers: { ...headers, cookie }, json: { reason: 'x' } });
  const { origin, 'x-turnout-console': mark, host } = own(admin);
  const refused: Record<string, string>[] = [
    { host, origin },
    { host, 'x-turnout-console': mark },
    { host, origin: 'http://elsewhere.example', 'x-turnout-console': mark },
    { host, origin: `http://127.0.0.1:${admin.port + 1}`, 'x-turnout-console': mark },
    { host, origin: 'null', 'x-turnout-console': mark },
    { ...own(admin), 'sec-fetch-site': 'cross-site' },
  ];
  for (const headers of refused) {
    const answer = await rebuild(headers);
    t.equal(answer.status, 403, JSON.stringify(headers));
    t.equal(answer.json['code'], 'origin_refused');
  }
  // There is no control in this test: it was let in.
  t.equal((await rebuild(own(admin))).status, 503);
});

void t.test('nor can another page log somebody in', async (t) => {
  const admin = await openAdmin(t, { tokens: TOKENS });
  const headers = own(admin, { origin: 'http://elsewhere.example' });
  const answer = await admin.send(PATH, { method: 'POST', headers, json: { token: 'viewer-token' } });
  t.equal(answer.status, 403);
  t.notOk(answer.headers['set-cookie']);
});

void t.test('a viewer may look and not act', async (t) => {
  const admin = await openAdmin(t, { tokens: TOKENS });
  const { cookie } = await logIn(admin, 'viewer-token');
  const answer = await admin.send('/api/v1/rebuild', {
    method: 'POST',
    headers: own(admin, { cookie }),
    json: { reason: 'x' },
  });
  t.equal(answer.status, 403);
  t.equal(answer.json['code'], 'role_insufficient');
});

void t.test('logging out ends the session and takes the cookie away', async (t) => {
  const admin = await openAdmin(t, { tokens: TOKENS });
  const { cookie } = await logIn(admin, 'viewer-token');
  const answer = await admin.send(PATH, { method: 'DELETE', headers: own(admin, { cookie }) });
  t.equal(answer.status, 204);
  t.match(answer.headers['set-cookie']?.[0], 'Max-Age=0');
  t.equal((await admin.ask('/api/v1/status', { cookie })).status, 401);
});

void t.test('a session that nobody uses for 12 hours is over', async (t) => {
  const admin = await openAdmin(t, { tokens: TOKENS });
  const { cookie } = await logIn(admin, 'viewer-token');
  admin.passMs(SESSION_IDLE_MS - 1);
  t.equal((await admin.ask(PATH, { cookie })).status, 200, 'used');
  admin.passMs(SESSION_IDLE_MS);
  t.equal((await admin.ask(PATH, { cookie })).status, 200, 'used again');
  admin.passMs(SESSION_IDLE_MS + 1);
  t.equal((await admin.ask(PATH, { cookie })).status, 401);
});

void t.test('a session ends with its token, and when its role is another one', async (t) => {
  const admin = await openAdmin(t, { tokens: TOKENS });
  const viewer = await logIn(admin, 'viewer-token');
  const operator = await logIn(admin, 'operator-token');
  admin.admin.setTokens(
    TOKENS.flatMap((token) => {
      if (token.role === 'viewer') return [];
      return [token.role === 'operator' ? { ...token, role: 'viewer' as const } : token];
    }),
  );
  for (const { cookie } of [viewer, operator]) t.equal((await admin.ask(PATH, { cookie })).status, 401);
});

void t.test('a token in a header counts before a cookie, and is no session', async (t) => {
  const admin = await openAdmin(t, { tokens: TOKENS });
  const { cookie } = await logIn(admin, 'viewer-token');
  const { json } = await admin.ask(PATH, { cookie, ...bearer('admin-token') });
  t.same(json, { name: 'the-admin', role: 'admin', canLogOut: false });
});

void t.test('without tokens nobody has to log in', async (t) => {
  const admin = await openAdmin(t);
  const { json } = await admin.ask(PATH);
  t.same(json, { name: 'local', role: 'operator', canLogOut: false });
});

void t.test('the session that was quiet the longest makes room', async (t) => {
  const sessions = new Sessions(() => 0);
  const [token] = TOKENS;
  if (token === undefined) throw new Error('no token');
  const first = sessions.begin(token);
  const second = sessions.begin(token);
  t.ok(sessions.find(first), 'the first was used after the second');
  for (let more = 0; more < SESSIONS_MAX - 1; more++) sessions.begin(token);
  t.equal(sessions.size, SESSIONS_MAX);
  t.ok(sessions.find(first));
  t.notOk(sessions.find(second));
});
