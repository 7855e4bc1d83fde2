import { once } from 'node:events';
import { createServer } from 'node:http';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { LiveDocument } from '../../src/admin/live-document.ts';
import { LISTENERS_MAX, LiveFeed, type LiveOptions } from '../../src/admin/live-feed.ts';
import { openStream } from './event-stream.ts';
import { cohortGuardOf, FakeGuard, sideOf } from './fake-guard.ts';
import { STATUS } from './fake-source.ts';
import { bearer, openAdmin, TOKENS } from './open-admin.ts';

const manySeconds = Array.from({ length: 120 }, (_, index) => index + 1);

void t.test('first everything as it is, then what is new once a second', async (t) => {
  const guard = new FakeGuard();
  guard.list = [cohortGuardOf('staff', { legacy: sideOf(manySeconds), new: sideOf(manySeconds, 3) })];
  const { port, source } = await openAdmin(t, { guard: () => guard });
  const stream = await openStream(t, port);
  t.match(stream, {
    status: 200,
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-request-id': /^[0-9a-f-]{36}$/,
    },
  });
  const first = await stream.next();
  t.match(first, {
    name: 'snapshot',
    id: '1',
    data: {
      at: /^20\d\d-/,
      status: { cohorts: [{ name: 'staff' }], changes: null },
      guard: { cohorts: [{ cohort: 'staff', new: { seconds: { length: 120 } } }] },
    },
  });
  t.same(stream.rest, ['retry: 2000'], 'when to come back');
  source.statusDocument = { ...STATUS, truthDigest: 'other' };
  const second = await stream.next();
  t.match(second, { name: 'update', id: '2', data: { status: { truthDigest: 'other' } } });
  const [cohort] = Object(second.data['guard']).cohorts;
  t.same(
    cohort.new.seconds.map(({ second: at }: { second: number }) => at),
    [1110, 1111, 1112, 1113, 1114, 1115, 1116, 1117, 1118, 1119],
    'the last ten seconds',
  );
});

void t.test('without a guard, and with one whose store fails, the status is told all the same', async (t) => {
  const { port } = await openAdmin(t);
  t.match((await (await openStream(t, port)).next()).data, { guard: null, status: { version: '0.1.0' } });
  const guard = new FakeGuard();
  guard.failure = new Error('connection lost');
  const failing = await openAdmin(t, { guard: () => guard });
  t.match((await (await openStream(t, failing.port)).next()).data, { guard: null });
});

void t.test('closing the listener ends the streams', async (t) => {
  const { port, admin } = await openAdmin(t);
  const stream = await openStream(t, port);
  await stream.next();
  await Promise.all([admin.close(), stream.ended]);
});

void t.test('other tokens end the streams: whoever may go on looking connects again', async (t) => {
  const { port, admin, ask } = await openAdmin(t, { tokens: TOKENS });
  const stream = await openStream(t, port, { headers: bearer('viewer-token') });
  await stream.next();
  admin.setTokens(TOKENS.filter(({ role }) => role !== 'viewer'));
  await stream.ended;
  t.match(await ask('/api/v1/events', bearer('viewer-token')), { status: 401 });
});

void t.test('streams are bounded; one that leaves makes room', async (t) => {
  const { port, ask } = await openAdmin(t);
  const streams = [];
  for (let count = 0; count < LISTENERS_MAX; count += 1) streams.push(await openStream(t, port));
  t.match(await ask('/api/v1/events'), {
    status: 503,
    headers: { 'retry-after': '5' },
    json: { code: 'listeners_full' },
  });
  const [first] = streams;
  first?.response.destroy();
  await first?.ended;
  // The server hears of it in its own time.
  for (;;) {
    const again = await openStream(t, port);
    if (again.status === 200) break;
    again.response.destroy();
  }
  t.pass('there is room again');
});

/** A feed behind a server of its own. */
async function openFeed(t: Test, options: Omit<LiveOptions, 'log'>) {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const feed = new LiveFeed({ ...options, log });
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    feed.add(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    feed.end();
    server.close();
    server.closeAllConnections();
  });
  const bound = server.address();
  return { feed, server, lines, port: typeof bound === 'object' && bound !== null ? bound.port : 0 };
}

const LIVE: LiveDocument = { at: 'now', status: { ...STATUS, changes: null, registry: null }, guard: null };

void t.test('all listeners together cost one reading, and without any nothing is read', async (t) => {
  let readings = 0;
  const read = async () => {
    readings += 1;
    return LIVE;
  };
  const { feed, port } = await openFeed(t, { read, updateMs: 5 });
  t.equal(readings, 0);
  const streams = await Promise.all([openStream(t, port), openStream(t, port), openStream(t, port)]);
  const firsts = await Promise.all(streams.map((stream) => stream.next()));
  t.same(
    firsts.map(({ name }) => name),
    ['snapshot', 'snapshot', 'snapshot'],
  );
  const [one] = streams;
  let last = Number((await one?.next())?.id);
  for (let count = 0; count < 5; count += 1) last = Number((await one?.next())?.id);
  t.ok(readings <= last + 1, `${readings} readings for update ${last}`);
  for (const { response } of streams) response.destroy();
  while (feed.listeners > 0) await new Promise((resolve) => setImmediate(resolve));
  const before = readings;
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.ok(readings <= before + 1, 'at most the one under way');
});

void t.test('a comment says that the connection is alive while a reading takes long', async (t) => {
  const { port } = await openFeed(t, { read: () => new Promise(() => undefined), heartbeatMs: 5 });
  const stream = await openStream(t, port);
  const never = stream.next();
  never.catch(() => undefined);
  while (!stream.rest.includes(': here')) await once(stream.response, 'data');
  t.pass('it came');
});

void t.test('a reading that fails is logged, and the next one is told', async (t) => {
  let readings = 0;
  const read = async () => {
    readings += 1;
    if (readings === 1) throw new Error('no worker');
    return LIVE;
  };
  const { port, lines } = await openFeed(t, { read, updateMs: 5 });
  const stream = await openStream(t, port);
  t.match(await stream.next(), { name: 'snapshot' });
  t.match(lines.join(''), /"event":"live_view_failed".*no worker/);
});

void t.test('a listener that reads nothing is left out, then dropped; the others are told', async (t) => {
  const bulky = { ...LIVE, at: 'x'.repeat(400_000) };
  const { feed, port } = await openFeed(t, { read: async () => bulky, updateMs: 2, stuckMs: 20 });
  const lazy = await openStream(t, port);
  lazy.response.pause();
  const eager = await openStream(t, port);
  while (feed.listeners !== 1) await eager.next();
  t.match(await eager.next(), { name: 'update' });
});
