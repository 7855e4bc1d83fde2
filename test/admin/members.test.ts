import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as passed } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ABSENT_RECORD } from '../../src/model.ts';
import { within } from '../harness/within.ts';
import { FakeControl } from './fake-control.ts';
import { bearer, openAdmin, TOKENS } from './open-admin.ts';

const PATH = '/api/v1/cohorts/beta/members?reason=the+list';
const PLAIN = { 'content-type': 'text/plain' };

async function open(t: Test) {
  const control = new FakeControl();
  const opened = await openAdmin(t, { control: () => control });
  const upload = (body: string | Buffer, query = '', method = 'POST') =>
    opened.send(`${PATH}${query}`, { method, headers: PLAIN, body });
  /** An upload that the test sends piece by piece. */
  const begin = (): ClientRequest => {
    const headers = { ...PLAIN, 'transfer-encoding': 'chunked' };
    const sent = httpRequest({ host: '127.0.0.1', port: opened.port, path: PATH, method: 'POST', headers });
    sent.on('error', () => undefined);
    t.teardown(() => sent.destroy());
    return sent;
  };
  return { control, ...opened, upload, begin };
}

/** However it ends. */
function closed(stream: ClientRequest | IncomingMessage): Promise<void> {
  stream.on('error', () => undefined);
  return new Promise((resolve) => void stream.once('close', resolve));
}

const linesOf = (body: string): Record<string, unknown>[] =>
  body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

async function answerTo(sent: ClientRequest): Promise<IncomingMessage> {
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (response === undefined) throw new Error('no answer');
  return response;
}

void t.test('lines become members, batch by batch, and each batch is reported', async (t) => {
  const { upload, control } = await open(t);
  const answer = await upload('u1\nu2\r\n\n#u3\n u4 ');
  t.match(answer, { status: 200, headers: { 'content-type': 'application/x-ndjson' } });
  t.same(linesOf(answer.body), [
    { line: 2, changed: 2, unchanged: 0, refused: 0 },
    { line: 5, changed: 4, unchanged: 0, refused: 0 },
    { done: true, line: 5, changed: 4, unchanged: 0, refused: 0, epoch: 4 },
  ]);
  t.same([...control.records.keys()], ['u1', 'u2', '#u3', ' u4 ']);
  t.match(control.asked, [
    { cohort: 'beta', action: 'add', reason: 'the list', actor: 'local', dirtyUsers: 'drain' },
  ]);
  const again = await upload('u1\nu2\nu9\n');
  t.match(linesOf(again.body).at(-1), { done: true, changed: 1, unchanged: 2 });
  const gone = await upload('u1\nnobody\n', '&dirtyUsers=force&expectedEpoch=4', 'DELETE');
  t.match(linesOf(gone.body).at(-1), { done: true, changed: 1, unchanged: 1 });
  t.match(control.asked.at(-1), { action: 'remove', dirtyUsers: 'force', expectedEpoch: 4 });
  t.same(linesOf((await upload('')).body), [
    { done: true, line: 0, changed: 0, unchanged: 0, refused: 0, epoch: null },
  ]);
});

void t.test('a line that is no user is refused with its number, and the rest goes on', async (t) => {
  const { upload, control } = await open(t);
  const bytes = Buffer.concat([
    Buffer.from('u1\n'),
    Buffer.from([0xff, 0x41, 0x0a]),
    Buffer.from(`${'x'.repeat(257)}\n`),
    Buffer.from(`${'y'.repeat(100_000)}\n`),
    Buffer.from(`${'é'.repeat(128)}\nrefuse-me\nu2\n${'z'.repeat(1_025)}`),
  ]);
  const answer = linesOf((await upload(bytes)).body);
  t.match(
    answer.flatMap(({ refused }) => (typeof refused === 'object' ? [refused] : [])),
    [
      { line: 2, reason: /UTF-8/u },
      { line: 3, user: 'x'.repeat(256), reason: /at most 256 bytes, this one has 257/u },
      { line: 4, user: 'y'.repeat(256), reason: /more than 1024 bytes/u },
      { line: 6, user: 'refuse-me', reason: 'wrote to new' },
      { line: 8, reason: /more than 1024 bytes/u },
    ],
  );
  t.same([...control.records.keys()], ['u1', 'é'.repeat(128), 'u2']);
  t.match(answer.at(-1), { done: true, line: 8, changed: 3, refused: 5 });
});

void t.test('a thousand refusals are listed, the rest is counted', async (t) => {
  const { upload } = await open(t);
  const body = `u1\nu2\n${`${'x'.repeat(300)}\n`.repeat(1_500)}`;
  const lines = linesOf((await upload(body)).body);
  t.equal(lines.filter(({ refused }) => typeof refused === 'object').length, 1_000);
  t.match(lines.at(-1), { done: true, line: 1_502, refused: 1_500 });
});

void t.test(
  'a mark at the beginning of a file is not part of the first user; UTF-16 is refused',
  async (t) => {
    const { upload, control } = await open(t);
    await upload(Buffer.from('\ufeffu1\nu2\n'));
    t.same([...control.records.keys()], ['u1', 'u2']);
    t.match(await upload(Buffer.from('\ufeffu1\n', 'utf16le')), {
      status: 400,
      json: { detail: /UTF-16/u },
    });
  },
);

void t.test('an upload goes on where the one before it broke off', async (t) => {
  const { upload, control, begin } = await open(t);
  const sent = begin();
  sent.write('u1\nu2\nu3\nu');
  const lines = createInterface({ input: await answerTo(sent) });
  lines.on('error', () => undefined);
  const [first]: string[] = await once(lines, 'line');
  t.same(JSON.parse(first ?? ''), { line: 2, changed: 2, unchanged: 0, refused: 0 });
  sent.destroy();
  const resumed = await upload('u1\nu2\nu3\nu4\n', '&fromLine=3');
  t.same(linesOf(resumed.body), [
    { line: 4, changed: 2, unchanged: 0, refused: 0 },
    { done: true, line: 4, changed: 2, unchanged: 0, refused: 0, epoch: 4 },
  ]);
  t.same([...control.records.keys()], ['u1', 'u2', 'u3', 'u4'], 'half a line made nobody a member');
});

void t.test('a client that leaves stops the job after the batch under way', async (t) => {
  const { ask, control, begin } = await open(t);
  const began = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  control.inBatch = async () => {
    if (control.batches !== 1) return;
    began.resolve();
    await left.promise;
  };
  const ended = Promise.withResolvers<void>();
  control.onJobEnd = () => ended.resolve();
  const sent = begin();
  sent.end(Array.from({ length: 100 }, (_, n) => `u${n}\n`).join(''));
  const response = await answerTo(sent);
  await within(began.promise, 'the second batch');
  const gone = closed(response);
  sent.destroy();
  await gone;
  await ask('/livez');
  left.resolve();
  await within(ended.promise, 'the end of the job');
  t.ok(control.records.has('u3'), 'the second batch was finished');
  t.equal(control.batches, 2, 'those after it were not begun');
});

void t.test('a client that leaves before anything was in force stops the job too', async (t) => {
  const { ask, control, begin } = await open(t);
  const began = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  control.inBatch = async () => {
    began.resolve();
    await left.promise;
  };
  const ended = Promise.withResolvers<void>();
  control.onJobEnd = () => ended.resolve();
  const sent = begin();
  sent.end(Array.from({ length: 100 }, (_, n) => `u${n}\n`).join(''));
  await within(began.promise, 'the first batch');
  const gone = closed(sent);
  sent.destroy();
  await gone;
  // The listener learns of it in its own time; a request on another connection comes after that.
  await ask('/livez');
  left.resolve();
  await within(ended.promise, 'the end of the job');
  t.equal(control.batches, 1);
});

void t.test('nothing is read from a client whose answer nobody reads', async (t) => {
  const { control, begin } = await open(t);
  const held = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  control.inBatch = () => {
    began.resolve();
    return held.promise;
  };
  const sent = begin();
  const piece = `${'u'.repeat(200)}\n`.repeat(1_000);
  for (let pieces = 0; pieces < 200; pieces += 1) sent.write(piece);
  await within(began.promise, 'the first batch');
  // The buffers of the system fill up, then nothing moves until the batch is through.
  await filled(sent);
  t.equal(control.batches, 0);
  t.ok(sent.writableLength > 10_000_000, 'most of it is still here');
  control.batch = 5_000;
  held.resolve();
  sent.end();
  const response = await answerTo(sent);
  t.match(linesOf(await text(response)).at(-1), { done: true, line: 200_000 });
});

/** Resolves when the system takes no more of what is written. */
async function filled(sent: ClientRequest): Promise<void> {
  for (let left = -1; left !== sent.writableLength; ) {
    left = sent.writableLength;
    await passed(100);
  }
}

void t.test('what is refused at once is a status; what fails later is the last line', async (t) => {
  const { upload, control, send, lines } = await open(t);
  t.match(
    await send('/api/v1/cohorts/nobody/members?reason=r', { method: 'POST', headers: PLAIN, body: 'u1\n' }),
    {
      status: 404,
      json: { code: 'cohort_unknown' },
    },
  );
  control.inBatch = async () => {
    if (control.batches === 1) control.failure = new Error('connect ECONNREFUSED');
  };
  const answer = await upload('u1\nu2\nu3\nu4\nu5\n');
  t.equal(answer.status, 200);
  t.match(linesOf(answer.body), [
    { line: 2, changed: 2 },
    { error: { code: 'store_unavailable', status: 503, detail: /ECONNREFUSED/u } },
  ]);
  t.match(lines.at(-1), /admin_request_failed.*store_unavailable/u);
  t.match(await upload('u1\n'), { status: 503, json: { code: 'store_unavailable' } });
});

void t.test('an upload is plain text, says why, and has its bounds', async (t) => {
  const { send, control, begin } = await open(t);
  const body = 'u1\n';
  for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/csv']) {
    const headers = { 'content-type': type };
    t.match(await send(PATH, { method: 'POST', headers, body }), { status: 415 }, type);
  }
  const zipped = { ...PLAIN, 'content-encoding': 'gzip' };
  t.match(await send(PATH, { method: 'POST', headers: zipped, body }), { status: 415 });
  for (const query of ['', '?reason=', '?reason=r&fromLine=0', '?reason=r&dirtyUsers=x', '?reason=r&x=1']) {
    const path = `/api/v1/cohorts/beta/members${query}`;
    t.match(await send(path, { method: 'POST', headers: PLAIN, body }), { status: 400 }, query);
  }
  t.same(control.asked, []);
  const headers = { ...PLAIN, 'content-length': '1000000001' };
  const large = httpRequest({ ...hostOf(begin()), path: PATH, method: 'POST', headers });
  large.on('error', () => undefined);
  large.write('u1\n');
  const refused = await answerTo(large);
  t.match(JSON.parse(await text(refused)), { code: 'body_too_large' });
  await closed(large);
  t.pass('and what it still had to send is not waited for');
});

function hostOf(unused: ClientRequest): { host: string; port: number } {
  const [host = '', port = ''] = String(unused.getHeader('host')).split(':');
  unused.destroy();
  return { host, port: Number(port) };
}

void t.test('while the listener closes, a job ends after its batch and says so', async (t) => {
  const { control, begin, admin } = await open(t);
  const sent = begin();
  sent.write('u1\nu2\nu3\n');
  const response = await answerTo(sent);
  const told: string[] = [];
  const lines = createInterface({ input: response }).on('line', (line) => void told.push(line));
  await once(lines, 'line');
  const closed = admin.close();
  await once(lines, 'close');
  t.match(JSON.parse(told.at(-1) ?? ''), { error: { code: 'shutting_down', status: 503 } });
  t.equal(control.batches, 1);
  sent.destroy();
  await within(closed, 'the end of the listener');
});

void t.test('viewers may not, and are told before anything is read', async (t) => {
  const control = new FakeControl();
  const { send } = await openAdmin(t, { tokens: TOKENS, control: () => control });
  const headers = { ...PLAIN, ...bearer('viewer-token') };
  t.match(await send(PATH, { method: 'POST', headers, body: 'u1\n' }), { status: 403 });
  const allowed = { ...PLAIN, ...bearer('operator-token') };
  t.match(await send(PATH, { method: 'POST', headers: allowed, body: 'u1\n' }), { status: 200 });
  t.match(control.asked, [{ actor: 'the-operator' }]);
});

void t.test('members are listed page by page, or streamed as a file', async (t) => {
  const { ask, control } = await open(t);
  const users = Array.from({ length: 2_500 }, (_, n) => `u${String(n).padStart(5, '0')}`);
  for (const [ordinal, user] of users.entries()) {
    control.records.set(user, { ...ABSENT_RECORD, membership: { cohort: 'beta', ordinal, by: 'explicit' } });
  }
  const placed = { cohort: 'beta', ordinal: undefined, by: 'rule' } as const;
  control.records.set('two\nlines', { ...ABSENT_RECORD, pin: 'new', membership: placed });
  control.records.set('elsewhere', { ...ABSENT_RECORD, membership: { ...placed, cohort: 'staff' } });
  const first = await ask('/api/v1/cohorts/beta/members?limit=2');
  t.match(first.json, {
    items: [
      { user: 'two\nlines', by: 'rule', ordinal: null, pin: 'new' },
      { user: 'u00000', by: 'explicit', ordinal: 0 },
    ],
    next: String,
  });
  const second = await ask(`/api/v1/cohorts/beta/members?limit=2&cursor=${String(first.json['next'])}`);
  t.match(second.json, { items: [{ user: 'u00001' }, { user: 'u00002' }] });
  const file = await ask('/api/v1/cohorts/beta/members', { accept: 'text/plain' });
  t.match(file.headers['content-type'], /^text\/plain/u);
  t.same(file.body.trimEnd().split('\n'), users);
  t.match(await ask('/api/v1/cohorts/nobody/members'), { status: 404 });
});

void t.test('a reassignment is reported the same way', async (t) => {
  const { send, control } = await open(t);
  const path = '/api/v1/cohorts/beta/reassign';
  const answer = await send(path, { method: 'POST', json: { reason: 'new plans', dirtyUsers: 'keep' } });
  t.same(linesOf(answer.body), [
    { line: 2, changed: 2, unchanged: 0, refused: 0 },
    { line: 4, changed: 4, unchanged: 0, refused: 0 },
    { done: true, line: 4, changed: 4, unchanged: 0, refused: 0, epoch: 4 },
  ]);
  t.match(control.asked, [{ cohort: 'beta', dirtyUsers: 'keep', reason: 'new plans' }]);
});
