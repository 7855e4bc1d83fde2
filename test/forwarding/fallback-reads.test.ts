/** Reads that fail at `new` and are answered by `legacy`, through real sockets. */
import t, { type Test } from 'tap';
import type { ErrorCode } from '../../src/errors.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import { closeBeforeHead } from '../faults/close-before-head.ts';
import { closeInBody } from '../faults/close-in-body.ts';
import { garbage } from '../faults/garbage.ts';
import { refusingPort } from '../faults/refuse.ts';
import { resetAfterBytes } from '../faults/reset-after-bytes.ts';
import { stall } from '../faults/stall.ts';
import { answering, okAnswer, type Script } from '../harness/raw-backend.ts';
import type { RawAnswer } from '../harness/raw-client.ts';
import { within } from '../harness/within.ts';
import { MemorySink } from '../shadow/memory-sink.ts';
import { type FallbackWorld, startFallbackWorld } from './fallback-world.ts';

t.jobs = 4;

const failing = (status: number, body = 'broken'): Script =>
  answering(`HTTP/1.1 ${status} Broken\r\nX-From: new\r\nContent-Length: ${body.length}\r\n\r\n${body}`);

function codeOf(answer: RawAnswer): ErrorCode {
  return JSON.parse(answer.body.toString()).code;
}

async function isLegacys(t: Test, world: FallbackWorld, answer: RawAnswer): Promise<void> {
  t.strictSame([answer.status, answer.body.toString(), answer.ending], [200, 'legacy', 'complete']);
  t.equal(answer.head.value('x-turnout-backend'), 'legacy');
  await world.gateway.ended('2xx', 'legacy');
  t.equal(await world.counted('served'), 1);
  t.equal(world.legacy.requests.length, 1);
}

const FAILURES: readonly [string, () => Script][] = [
  ['closes before the head', closeBeforeHead],
  ['resets before the head', () => resetAfterBytes('', 0)],
  ['resets inside the head', () => resetAfterBytes(okAnswer(), 20)],
  ['resets after an interim answer', () => resetAfterBytes('HTTP/1.1 103 Early Hints\r\n\r\n', 30)],
  ['answers with garbage', garbage],
  ['answers 500', () => failing(500)],
  [
    'answers 503 with a body that it never ends',
    () => stall('HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nhalf'),
  ],
];

for (const [what, script] of FAILURES) {
  void t.test(`a read at a backend that ${what} is answered by legacy`, async (t) => {
    const world = await startFallbackWorld(t, { new: script() });
    await isLegacys(t, world, await world.ask());
    t.equal(world.new.requests.length, 1);
  });
}

void t.test('a read that is refused a connection is answered by legacy, as the same request', async (t) => {
  const world = await startFallbackWorld(t, { newPort: await refusingPort(t), accessSample: 1 });
  await isLegacys(t, world, await world.ask({ headers: 'X-Request-Id: abc\r\nAccept: text/x\r\n' }));
  const headers = world.legacy.requests[0]?.headers ?? [];
  const names = headers.map(([name]) => name.toLowerCase());
  t.equal(new Set(names).size, names.length, 'each header once');
  t.match(world.legacy.requests[0]?.rawHead, /x-request-id: abc/i);
  const line = world.gateway.log.map((each) => JSON.parse(each)).find(({ event }) => event === 'request');
  t.match(line, { backend: 'legacy', fallback: true, cohort: 'movers', outcome: '2xx' });
});

void t.test(
  'both sendings are of one trace, and the access log of others does not speak of it',
  async (t) => {
    const world = await startFallbackWorld(t, { new: failing(500), accessSample: 1 });
    await isLegacys(t, world, await world.ask());
    const traceOf = (rawHead = ''): string | undefined => /traceparent: (.*)\r\n/.exec(rawHead)?.[1];
    t.type(traceOf(world.new.requests[0]?.rawHead), 'string');
    t.equal(traceOf(world.legacy.requests[0]?.rawHead), traceOf(world.new.requests[0]?.rawHead));
    world.new.script = answering(okAnswer('new'));
    t.equal((await world.ask()).body.toString(), 'new');
    await world.gateway.ended('2xx', 'new');
    const lines = world.gateway.log
      .map((each) => JSON.parse(each))
      .filter(({ event }) => event === 'request');
    t.strictSame(
      lines.map(({ fallback }) => fallback),
      [true, undefined],
    );
  },
);

void t.test('a read that gets no head in time is answered by legacy', async (t) => {
  const world = await startFallbackWorld(t, { new: stall(), backendSettings: { headersMs: 600 } });
  await isLegacys(t, world, await world.ask());
});

void t.test('HEAD, OPTIONS and a search whose body is here fall back, with the body', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(502) });
  const asked = [
    { method: 'HEAD' },
    { method: 'OPTIONS' },
    { method: 'POST', target: '/search', body: 'a=1' },
  ];
  for (const each of asked) {
    const answer = await world.ask(each);
    t.equal(answer.head.value('x-turnout-backend'), 'legacy', each.method);
  }
  const search = world.legacy.requests.find(({ method }) => method === 'POST');
  t.match(search?.rawHead, /content-length: 3\r\n/);
  t.ok(search?.connection.received.includes('\r\n\r\na=1'));
});

void t.test('a read with a body falls back when new has no room for it', async (t) => {
  const world = await startFallbackWorld(t, {
    new: stall(),
    settings: { backends: { new: { connectionsMax: 1, queueMax: 0, connectMs: 60_000 } } },
  });
  await world.send({ method: 'POST', body: 'x', user: 'nick' });
  await world.new.request();
  t.equal((await world.ask({ method: 'POST', target: '/search', body: 'a=1' })).body.toString(), 'legacy');
  t.equal((await world.ask()).body.toString(), 'legacy');
  t.equal(world.new.requests.length, 1);
});

void t.test('a read whose body is still coming does not fall back', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(500) });
  const client = await world.send({
    method: 'POST',
    target: '/search',
    headers: 'Transfer-Encoding: chunked\r\n',
  });
  await client.send('3\r\nabc\r\n0\r\n\r\n');
  t.equal((await client.answer('POST')).status, 500);
  t.equal(world.legacy.requests.length, 0);
});

void t.test('a write never falls back', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(500) });
  for (const method of ['POST', 'PUT', 'DELETE'])
    t.equal((await world.ask({ method, body: 'x', user: `writer-${method}` })).status, 500, method);
  t.equal(world.legacy.requests.length, 0);
});

void t.test('an answer that fails after its head is not answered anew', async (t) => {
  const world = await startFallbackWorld(t, { new: closeInBody('length') });
  const answer = await world.ask();
  t.strictSame([answer.status, answer.ending], [200, 'cut']);
  await world.gateway.ended('backend_body_closed', 'new');
  t.equal(world.legacy.requests.length, 0);
});

void t.test('4xx is an answer', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(404) });
  t.equal((await world.ask()).status, 404);
  t.equal(world.legacy.requests.length, 0);
});

/** Nothing was asked of legacy, and the client has what new had for it. */
async function isNews(t: Test, world: FallbackWorld, answer: RawAnswer): Promise<void> {
  t.strictSame([answer.status, answer.body.toString(), answer.head.value('x-from')], [500, 'broken', 'new']);
  t.equal(answer.head.value('x-turnout-backend'), 'new');
  await world.gateway.ended('5xx', 'new');
  t.equal(world.legacy.requests.length, 0);
}

void t.test('a user who has written here gets the failure of new', async (t) => {
  const world = await startFallbackWorld(t);
  t.equal((await world.ask({ method: 'POST', body: 'x' })).status, 200);
  world.new.script = failing(500);
  await isNews(t, world, await world.ask());
  t.equal(await world.counted('dirty'), 1);
  t.equal(world.marks.asked, 0, 'what is known here is not asked for');
});

void t.test('a user who has written through another gateway gets the failure of new', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(500) });
  world.marks.elsewhere.add('nina');
  await isNews(t, world, await world.ask());
  t.equal(await world.counted('dirty'), 1);
});

void t.test('a user of whom nobody knows gets the failure of new', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(500) });
  world.marks.known = false;
  await isNews(t, world, await world.ask());
  t.equal(await world.counted('unknown'), 1);
});

void t.test('a failure without an answer keeps its code', async (t) => {
  const world = await startFallbackWorld(t, { newPort: await refusingPort(t) });
  world.marks.elsewhere.add('nina');
  const answer = await world.ask();
  t.strictSame([answer.status, codeOf(answer)], [502, 'backend_refused']);
  await world.gateway.ended('backend_refused', 'new');
});

void t.test('a large answer of new that is given in the end is whole', async (t) => {
  const body = 'x'.repeat(2_000_000);
  const world = await startFallbackWorld(t, { new: failing(500, body) });
  world.marks.elsewhere.add('nina');
  const answer = await world.ask();
  t.strictSame([answer.status, answer.body.length, answer.ending], [500, body.length, 'complete']);
});

void t.test('an answer of new that breaks while it is kept is cut when it is given', async (t) => {
  const cut = 'HTTP/1.1 500 Broken\r\nContent-Length: 9\r\n\r\nhalf';
  const world = await startFallbackWorld(t, { new: resetAfterBytes(cut, cut.length) });
  const connection = world.new.connection();
  world.marks.elsewhere.add('nina');
  world.marks.before = async () => void (await (await connection).gone);
  const answer = await world.ask();
  t.strictSame([answer.status, answer.ending], [500, 'cut']);
  await world.gateway.ended('backend_body_closed', 'new');
});

const NOT_TRACKED = { era: { number: 1, tracked: false } } as const;

const OTHERS: readonly [string, (world: FallbackWorld) => Promise<void> | void][] = [
  ['pinned to new', (world) => world.record('nina', { ...ABSENT_RECORD, pin: 'new' })],
  ['of a cohort at rampdown', (world) => world.stage('rampdown')],
  ['of a cohort at complete', (world) => world.put({ stage: 'complete', ...NOT_TRACKED })],
  ['of a cohort that is not tracked', (world) => world.put(NOT_TRACKED)],
];

for (const [who, prepare] of OTHERS) {
  void t.test(`a user ${who} gets the failure of new`, async (t) => {
    const world = await startFallbackWorld(t, { new: failing(500) });
    await prepare(world);
    await isNews(t, world, await world.ask());
    t.equal(world.marks.asked, 0);
  });
}

void t.test(
  'a cohort that attributes lead to is not tracked: nobody knows of users without a membership',
  async (t) => {
    const world = await startFallbackWorld(t, { new: failing(500), cohort: { stage: 'live' } });
    world.put({ stage: 'complete', ...NOT_TRACKED });
    await isNews(t, world, await world.ask({ user: 'somebody' }));
    await world.record('member', {
      ...ABSENT_RECORD,
      membership: { cohort: 'everyone', ordinal: 0, by: 'explicit' },
    });
    t.equal((await world.ask({ user: 'member' })).body.toString(), 'legacy', 'a member has a place');
  },
);

void t.test('in a cohort that moves by user those fall back who have moved', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(500), cohort: { migration: 'per-user' } });
  const membership = { cohort: 'movers', ordinal: 0, by: 'explicit' } as const;
  await world.record('nina', { ...ABSENT_RECORD, membership, state: 'migrated' });
  await isLegacys(t, world, await world.ask());
  await world.record('nick', { ...ABSENT_RECORD, membership });
  t.equal((await world.ask({ user: 'nick' })).body.toString(), 'legacy');
  t.equal(world.new.requests.length, 1, 'the other one is still legacy’s');
});

void t.test('switched off, every read ends as new has it, until it is switched on', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(500), fallback: { enabled: false } });
  await isNews(t, world, await world.ask());
  const { config } = world.gateway;
  const { guard } = config;
  const fallback = { ...guard.fallback, enabled: true };
  world.gateway.gateway.reload({ ...config, guard: { ...guard, fallback } });
  t.equal((await world.ask()).body.toString(), 'legacy');
});

void t.test('a gateway that is fenced answers nothing from legacy', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(500) });
  world.gateway.state.attach('fenced');
  await isNews(t, world, await world.ask());
  t.equal(await world.counted('unknown'), 1);
});

void t.test('legacy fails as well: the failure of new is given', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(500), legacyPort: await refusingPort(t) });
  await isNews(t, world, await world.ask());
  t.equal(await world.counted('failed'), 1);
  t.equal((await world.ask()).status, 500, 'its turn was given back');
});

void t.test('legacy answers 5xx as well: the failure of new is given', async (t) => {
  const world = await startFallbackWorld(t, {
    newPort: await refusingPort(t),
    legacy: answering('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy'),
  });
  const answer = await world.ask();
  t.strictSame([answer.status, codeOf(answer)], [502, 'backend_refused']);
  t.equal(await world.counted('failed'), 1);
  t.equal(await world.gateway.count('backend_refused', 'new'), 1);
});

void t.test('a write that comes before legacy answers takes the answer back', async (t) => {
  const asked = Promise.withResolvers<void>();
  const world = await startFallbackWorld(t, {
    new: async (exchange) => {
      const isWrite = exchange.request.method === 'POST';
      await exchange.body();
      await exchange.send(isWrite ? okAnswer('written') : 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n');
    },
    legacy: async (exchange) => {
      asked.resolve();
      await written;
      await exchange.send(okAnswer('old'));
    },
  });
  const write = asked.promise.then(() => world.ask({ method: 'POST', body: 'x' }));
  const written = write.then(() => undefined);
  const answer = await world.ask();
  t.equal((await write).body.toString(), 'written');
  t.equal(answer.status, 500);
  t.equal(await world.counted('dirty'), 1);
});

void t.test('a write between the failure and the check is seen', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(500) });
  world.marks.before = async () => void world.marks.elsewhere.add('nina');
  await isNews(t, world, await world.ask());
});

void t.test('a client that leaves while legacy is asked ends the request there', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(500), legacy: stall() });
  const client = await world.send();
  await world.legacy.request();
  client.abort();
  await within((await world.legacy.connection()).gone, 'the end of the request at legacy');
  await world.gateway.ended('client_closed', 'new');
  world.legacy.script = answering(okAnswer('legacy'));
  for (let n = 0; n < 4; n += 1) t.equal((await world.ask()).body.toString(), 'legacy');
});

void t.test('a client that leaves while its user is looked up is forgotten', async (t) => {
  const world = await startFallbackWorld(t, { new: failing(500) });
  const asked = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  world.marks.before = () => {
    asked.resolve();
    return left.promise;
  };
  const client = await world.send();
  await asked.promise;
  client.abort();
  await world.gateway.ended('client_closed', 'new');
  left.resolve();
  world.marks.before = async () => undefined;
  for (let n = 0; n < 4; n += 1) t.equal((await world.ask()).body.toString(), 'legacy');
  t.equal(world.legacy.requests.length, 4, 'nothing was sent for who left');
});

void t.test('an answer of legacy is compared with nothing, one of new as ever', async (t) => {
  const sink = new MemorySink();
  const world = await startFallbackWorld(t, {
    new: failing(500),
    reports: { sink, random: () => 0, lagging: () => false },
    settings: {
      routes: [{ name: 'all', match: '/*', shadow: { sample: 1 } }],
      shadow: { confirmAfterMs: 1, noiseSample: 0 },
    },
  });
  t.equal((await world.ask()).body.toString(), 'legacy');
  await sink.until(1);
  t.strictSame(sink.skips, ['not_whole']);
  t.equal(world.legacy.requests.length, 1);
  world.marks.elsewhere.add('nina');
  t.equal((await world.ask()).body.toString(), 'broken');
  await sink.until(2);
  t.equal(sink.reads.length, 1, 'the failure that new gave is its answer');
});
