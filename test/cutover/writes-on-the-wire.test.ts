/** Writes that are held, and writes that are cut, through real sockets. */
import { once } from 'node:events';
import http from 'node:http';
import t, { type Test } from 'tap';
import { WebSocket, WebSocketServer } from 'ws';
import { InFlightWrites } from '../../src/cutover/in-flight-writes.ts';
import { createGateway } from '../../src/gateway.ts';
import { createSnapshot } from '../../src/state/snapshot.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { type Backend, startBackend, takeBody } from '../harness/backend.ts';
import { testConfig } from '../harness/gateway.ts';
import { MemoryState } from '../harness/memory-state.ts';
import { within } from '../harness/within.ts';

interface Wired {
  readonly port: number;
  readonly state: MemoryState;
  readonly writes: InFlightWrites;
  readonly fence: { fenced: boolean };
  readonly legacy: Backend;
  readonly next: Backend;
  /** Puts `stage` in force, with or without a hold. */
  readonly put: (stage: 'off' | 'shadow' | 'live', held: boolean) => void;
  /** Resolves when so many writes wait. */
  readonly waiting: (count: number) => Promise<void>;
}

async function wire(t: Test, settings: Readonly<Record<string, unknown>> = {}): Promise<Wired> {
  const legacy = await startBackend(t);
  const next = await startBackend(t);
  const config = testConfig({
    backends: { legacy: legacy.port, new: next.port },
    settings: { cohorts: [{ name: 'movers', default: true, stage: 'shadow' }], ...settings },
  });
  const telemetry = createTelemetry({ level: 'error', accessSample: 0, destination: { write: () => {} } });
  const state = new MemoryState(config.cohorts);
  const writes = new InFlightWrites();
  const fence = { fenced: false };
  const gateway = await createGateway({ config, state, telemetry, writes, fence });
  t.teardown(async () => {
    await gateway.close({ graceMs: 200 });
    telemetry.close();
  });
  const put = (stage: 'off' | 'shadow' | 'live', held: boolean): void => {
    const epoch = state.snapshot.epoch + 1;
    state.replace(
      createSnapshot({
        mapId: 'memory',
        epoch,
        cohorts: config.cohorts.map((each) => ({ ...each, stage })),
        cohortHolds: new Map(held ? [['movers', { change: 'x', epoch }]] : []),
      }),
    );
  };
  const heldNow = async (): Promise<number> => {
    const found = (await telemetry.families()).find(({ name }) => name === 'turnout_held_writes');
    return found?.kind === 'plain' ? (found.samples[0]?.value ?? 0) : 0;
  };
  const waiting = (count: number): Promise<void> =>
    within(
      (async () => {
        while ((await heldNow()) !== count) await new Promise((resolve) => setTimeout(resolve, 2));
      })(),
      `${count} held writes`,
    );
  return { port: gateway.address.port, state, writes, fence, legacy, next, put, waiting };
}

function send(port: number, method: string, path: string, body?: string): Promise<number> {
  return fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    body: body ?? null,
    headers: { 'x-user': 'nina' },
  }).then(async (answer) => {
    await answer.arrayBuffer();
    return answer.status;
  });
}

/** For what nobody announces. */
async function until(reached: () => boolean, what: string): Promise<void> {
  const asked = (async () => {
    while (!reached()) await new Promise((resolve) => setTimeout(resolve, 2));
  })();
  await within(asked, what);
}

void t.test('held writes go to the new truth in the order in which they came', async (t) => {
  const { port, put, legacy, next, writes, waiting } = await wire(t);
  put('shadow', true);
  const answers: Promise<number>[] = [];
  for (let n = 0; n < 5; n += 1) {
    answers.push(send(port, 'POST', `/${n}`, 'body'));
    // One after the other, so that the order in which they come is known.
    await waiting(n + 1);
    t.equal(await send(port, 'GET', `/read/${n}`), 200, 'reads go on');
  }
  t.equal(writes.total, 0, 'a write that waits is not in flight');
  put('live', true);
  t.equal(await send(port, 'GET', '/read/after'), 200);
  t.equal(next.requests.at(-1)?.url, '/read/after', 'reads move with the switch');
  put('live', false);
  t.same(await Promise.all(answers), [200, 200, 200, 200, 200]);
  const posted = ({ requests }: Backend): string[] =>
    requests.filter(({ method }) => method === 'POST').map(({ url }) => url);
  t.same(posted(next), ['/0', '/1', '/2', '/3', '/4']);
  t.same(posted(legacy), []);
  await until(() => writes.total === 0, 'the end of all writes');
});

void t.test('a write is in flight from its decision until its answer, a read never', async (t) => {
  const { writes, put, port, legacy } = await wire(t);
  put('shadow', false);
  const answer = Promise.withResolvers<void>();
  legacy.server.removeAllListeners('request');
  legacy.server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    const seen = legacy.note(request);
    void takeBody(request, seen)
      .then(() => answer.promise)
      .then(() => response.end('ok'));
  });
  const post = send(port, 'POST', '/', 'body');
  const get = send(port, 'GET', '/');
  await legacy.request(2);
  t.same([writes.ofCohort('movers'), writes.ofUser('nina')], [1, 1]);
  const drained = writes.whenDrained('movers');
  answer.resolve();
  t.same(await Promise.all([post, get]), [200, 200]);
  await within(drained, 'the end of the write');
});

void t.test('a client that leaves while its write is placed or held leaves nothing in flight', async (t) => {
  const { writes, put, port, waiting } = await wire(t);
  put('shadow', true);
  const request = http.request({ port, method: 'POST', headers: { 'x-user': 'nina' } });
  request.on('error', () => undefined).end('body');
  await waiting(1);
  request.destroy();
  await waiting(0);
  put('live', false);
  t.equal(await send(port, 'POST', '/', 'another'), 200);
  await until(() => writes.total === 0, 'the end of all writes');
});

/** A write whose first piece has arrived at legacy. */
async function halfSent(wired: Wired): Promise<{ request: http.ClientRequest; arrived: () => number }> {
  const { port, legacy } = wired;
  let bytes = 0;
  const began = Promise.withResolvers<void>();
  legacy.server.removeAllListeners('request');
  legacy.server.on('request', (incoming: http.IncomingMessage) => {
    incoming
      .on('error', () => undefined)
      .on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        began.resolve();
      });
  });
  const request = http.request({ port, method: 'POST', headers: { 'x-user': 'nina' } });
  request.on('error', () => undefined).write('first piece');
  await within(began.promise, 'the first piece at the backend');
  return { request, arrived: () => bytes };
}

void t.test('a gateway that becomes fenced cuts a write in the middle of its body', async (t) => {
  const wired = await wire(t);
  wired.put('shadow', false);
  const { request, arrived } = await halfSent(wired);
  wired.fence.fenced = true;
  const answered = once(request, 'response');
  request.end('second piece');
  const [response]: http.IncomingMessage[] = await within(answered, 'an answer');
  t.equal(response?.statusCode, 503);
  response?.resume();
  await wired.legacy.abandoned();
  t.equal(arrived(), 'first piece'.length, 'nothing more reached the backend');
  await until(() => wired.writes.total === 0, 'the end of the write');
});

void t.test('a cohort that is not under way is not fenced, unless it is held', async (t) => {
  const wired = await wire(t);
  wired.put('off', false);
  wired.fence.fenced = true;
  t.equal(await send(wired.port, 'POST', '/', 'body'), 200);
  wired.put('off', true);
  t.equal(await send(wired.port, 'POST', '/', 'body'), 503, 'its truth is on the move at this moment');
  t.equal(await send(wired.port, 'GET', '/'), 200);
});

void t.test('while a cohort is held, users whom attributes place are recorded first', async (t) => {
  const wired = await wire(t);
  const { state, port } = wired;
  const [movers] = state.snapshot.cohorts;
  if (movers === undefined) throw new Error('no cohort');
  const ruled = createSnapshot({
    mapId: 'memory',
    epoch: 10,
    cohorts: [
      {
        ...movers,
        name: 'staff',
        isDefault: false,
        rule: { kind: 'exists', attribute: { source: 'header', name: 'x-plan' } },
      },
      ...state.snapshot.cohorts,
    ],
    cohortHolds: new Map([['staff', { change: 'x', epoch: 10 }]]),
  });
  state.replace(ruled);
  t.equal(await send(port, 'POST', '/', 'body'), 200);
  t.match(state.cached('nina').membership, { cohort: 'movers', by: 'rule' });
});

void t.test('a write whose client left is in flight for as long as its backend may be at work', async (t) => {
  const lingerMs = 50;
  const wired = await wire(t, { cutover: { unansweredWriteMs: lingerMs } });
  const { writes, put, legacy } = wired;
  put('shadow', false);
  const { request } = await halfSent(wired);
  const sentAtMs = performance.now();
  request.destroy();
  await legacy.abandoned();
  t.equal(writes.ofCohort('movers'), 1, 'its backend was told, and may still be at work');
  await within(writes.whenDrained('movers'), 'the end of the write');
  t.ok(performance.now() - sentAtMs >= lingerMs, 'the whole time passed');
});

/** A WebSocket of nina that legacy and new echo, and the name of who echoes. */
async function openTunnel(t: Test, wired: Wired, path = '/'): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${wired.port}${path}`, { headers: { 'x-user': 'nina' } });
  socket.on('error', () => undefined);
  t.teardown(() => socket.terminate());
  await within(once(socket, 'open'), 'the tunnel');
  return socket;
}

function echoNames(t: Test, { legacy, next }: Wired): void {
  for (const [name, { server }] of Object.entries({ legacy, next })) {
    const ends = new WebSocketServer({ server });
    ends.on('connection', (end) => end.on('message', () => end.send(name)));
    t.teardown(() => {
      for (const end of ends.clients) end.terminate();
    });
  }
}

async function answerOf(socket: WebSocket): Promise<string> {
  const message = once(socket, 'message');
  socket.send('who');
  const [data]: unknown[] = await within(message, 'an echo');
  return String(data);
}

void t.test(
  'a hold closes the tunnels of its users, and those that come wait for the new truth',
  async (t) => {
    const wired = await wire(t, { cutover: { unansweredWriteMs: 20 } });
    const { put, writes } = wired;
    echoNames(t, wired);
    put('shadow', false);
    const before = await openTunnel(t, wired);
    t.equal(await answerOf(before), 'legacy');
    t.equal(writes.ofCohort('movers'), 1, 'nobody sees what is written through it');
    const closed = once(before, 'close');
    put('shadow', true);
    await within(closed, 'the end of the tunnel');
    await within(writes.whenDrained('movers'), 'the drain');
    const after = openTunnel(t, wired);
    await wired.waiting(1);
    put('live', true);
    put('live', false);
    t.equal(await answerOf(await after), 'next');
  },
);

void t.test('a tunnel that only reads stays during a hold, and is closed by the switch', async (t) => {
  const wired = await wire(t, { routes: [{ match: '/ticker', class: 'read' }, { match: '/*' }] });
  const { put, writes } = wired;
  echoNames(t, wired);
  put('shadow', false);
  const ticker = await openTunnel(t, wired, '/ticker');
  put('shadow', true);
  t.equal(await answerOf(ticker), 'legacy');
  t.equal(writes.total, 0);
  const closed = once(ticker, 'close');
  put('live', true);
  await within(closed, 'the end of the tunnel');
});

void t.test('nothing passes through a tunnel of a gateway that is fenced', async (t) => {
  const wired = await wire(t);
  echoNames(t, wired);
  wired.put('shadow', false);
  const socket = await openTunnel(t, wired);
  t.equal(await answerOf(socket), 'legacy');
  let heard = false;
  socket.on('message', () => {
    heard = true;
  });
  wired.fence.fenced = true;
  const closed = once(socket, 'close');
  socket.send('who');
  await within(closed, 'the end of the tunnel');
  t.notOk(heard);
});
