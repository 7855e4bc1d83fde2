/** What is sent to a backend is counted there, by how it went: on the wire. */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Counts } from '../../src/guard/slot.ts';
import type { SideReport } from '../../src/guard/slot-feed.ts';
import type { Backend } from '../../src/model.ts';
import { closeBeforeHead } from '../faults/close-before-head.ts';
import { closeInBody } from '../faults/close-in-body.ts';
import { garbage } from '../faults/garbage.ts';
import { unacceptingPort } from '../faults/never-accept.ts';
import { refusingPort } from '../faults/refuse.ts';
import { stall } from '../faults/stall.ts';
import { AS_USER_OF, BACKENDS, onBothBackends, startGateway, type TestGateway } from '../harness/gateway.ts';
import { okAnswer, type Script, startRawBackend } from '../harness/raw-backend.ts';
import { startWire, type Wire, type WireOptions } from '../harness/wire.ts';

t.jobs = 8;

/** The cohorts of the harness's two users. */
const COHORT_OF: { readonly [B in Backend]: string } = { legacy: 'everyone', new: 'movers' };

type Sums = Omit<Counts, 'latency' | 'compared' | 'mismatched'>;

/** Everything counted so far at this side; nothing may be counted elsewhere. */
function countedAt(t: Test, gateway: TestGateway, side: Backend): Sums & Pick<SideReport, 'kinds'> {
  const cohorts = gateway.attempts.drain();
  const other = side === 'legacy' ? 'new' : 'legacy';
  t.notOk(cohorts.has(COHORT_OF[other]), `nothing is counted of ${COHORT_OF[other]}`);
  const sides = cohorts.get(COHORT_OF[side]);
  t.equal(sides?.[other], undefined, `nothing is counted at ${other}`);
  const sum = { requests: 0, failed: 0, stalled: 0, late: 0 };
  for (const { requests, failed, stalled, late } of sides?.[side]?.byGroup.values() ?? []) {
    sum.requests += requests;
    sum.failed += failed;
    sum.stalled += stalled;
    sum.late += late;
  }
  return { ...sum, kinds: sides?.[side]?.kinds ?? {} };
}

const FAILED = { requests: 1, failed: 1, stalled: 0, late: 0 };
const GOOD = { ...FAILED, failed: 0, kinds: {} };
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** One request meets this backend, and its exchange ends so. */
async function afterOne(
  t: Test,
  side: Backend,
  script: Script,
  outcome: Parameters<TestGateway['ended']>[0],
  parts: WireOptions & Parameters<Wire['text']>[0] = {},
): Promise<ReturnType<typeof countedAt>> {
  const wire = await startWire(t, side, script, parts);
  const client = await wire.gateway.connect();
  await client.send(wire.text(parts));
  await wire.gateway.ended(outcome, side);
  client.abort();
  return countedAt(t, wire.gateway, side);
}

const whole: Script = async (exchange) => {
  await exchange.body();
  await exchange.send(okAnswer('hello'));
};

onBothBackends(t, 'an answer is a request', async (t, side) => {
  t.same(await afterOne(t, side, whole, '2xx'), GOOD);
});

onBothBackends(t, 'so is that to a body in one piece, and to one that comes in chunks', async (t, side) => {
  const sized = { method: 'POST', headers: 'Content-Length: 3\r\n', body: 'abc' };
  t.same(await afterOne(t, side, whole, '2xx', sized), GOOD);
  const inChunks = {
    method: 'POST',
    headers: 'Transfer-Encoding: chunked\r\n',
    body: '3\r\nabc\r\n0\r\n\r\n',
  };
  t.same(await afterOne(t, side, whole, '2xx', inChunks), GOOD);
});

onBothBackends(t, 'and to one whose client waits to be told', async (t, side) => {
  const expecting = {
    method: 'POST',
    headers: 'Content-Length: 3\r\nExpect: 100-continue\r\n',
    body: 'abc',
  };
  t.same(await afterOne(t, side, whole, '2xx', expecting), GOOD);
});

onBothBackends(t, 'a 5xx is a failure of the kind status', async (t, side) => {
  const script: Script = (exchange) =>
    exchange.send('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
  t.same(await afterOne(t, side, script, '5xx'), { ...FAILED, kinds: { status: 1 } });
});

onBothBackends(t, 'a connection closed before or in the answer is of the kind reset', async (t, side) => {
  const reset = { ...FAILED, kinds: { reset: 1 } };
  t.same(await afterOne(t, side, closeBeforeHead(), 'backend_closed'), reset);
  t.same(await afterOne(t, side, closeInBody('chunked'), 'backend_body_closed'), reset);
  t.same(await afterOne(t, side, closeInBody('length'), 'backend_body_closed'), reset);
  t.same(await afterOne(t, side, garbage(), 'backend_malformed'), reset);
});

onBothBackends(t, 'no answer in time is of the kind timeout', async (t, side) => {
  const backendSettings = { headersMs: 200 };
  const counts = await afterOne(t, side, stall(), 'backend_headers_timeout', { backendSettings });
  t.same(counts.kinds, { timeout: 1 });
  t.equal(counts.failed, 1);
});

for (const [what, portOf] of [
  ['a refused connection', refusingPort],
  ['a connection that is not accepted', unacceptingPort],
] as const) {
  onBothBackends(t, `${what} is of the kind connect`, async (t, side) => {
    const port = await portOf(t);
    const other = await startRawBackend(t);
    const backends = { legacy: other.port, new: other.port, [side]: port };
    const gateway = await startGateway(t, { backends, backendSettings: { connectMs: 100 } });
    const client = await gateway.connect();
    await client.request(`GET / HTTP/1.1\r\nHost: a\r\n${AS_USER_OF[side]}\r\n`);
    const { failed, kinds } = countedAt(t, gateway, side);
    t.equal(failed, 1);
    t.same(kinds, { connect: 1 });
  });
}

onBothBackends(t, 'a queue that is full is of the kind overload', async (t, side) => {
  const backendSettings = { connectionsMax: 1, queueMax: 0 };
  const wire = await startWire(t, side, stall(), { backendSettings });
  const first = await wire.gateway.connect();
  await first.send(wire.text());
  await wire.backend.request();
  t.equal((await wire.request()).status, 503);
  t.same(countedAt(t, wire.gateway, side), { ...FAILED, kinds: { overload: 1 } });
  first.abort();
  await wire.gateway.ended('client_closed', side);
});

onBothBackends(t, 'a client that leaves is no failure', async (t, side) => {
  const wire = await startWire(t, side, stall());
  const client = await wire.gateway.connect();
  await client.send(wire.text());
  await wire.backend.request();
  client.abort();
  await wire.gateway.ended('client_closed', side);
  t.same(countedAt(t, wire.gateway, side), GOOD);
});

onBothBackends(t, 'a client that breaks its upload off is no failure', async (t, side) => {
  const wire = await startWire(t, side, whole, { violationsExpected: true });
  const client = await wire.gateway.connect();
  const headers = 'Transfer-Encoding: chunked\r\n';
  await client.send(wire.text({ method: 'POST', headers, body: '3\r\nabc\r\n' }));
  await wire.backend.request();
  client.abort();
  await wire.gateway.ended('client_closed_upload', side);
  t.same(countedAt(t, wire.gateway, side), GOOD);
});

onBothBackends(t, 'a request that hangs is stalled while it hangs', async (t, side) => {
  const backend = await startRawBackend(t, stall());
  const other = await startRawBackend(t);
  const backends = { legacy: other.port, new: other.port, [side]: backend.port };
  const counting = { failures: [], stalledAfterMs: 20 };
  const gateway = await startGateway(t, { backends, counting });
  const client = await gateway.connect();
  await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${AS_USER_OF[side]}\r\n`);
  await backend.request();
  let counts = countedAt(t, gateway, side);
  while (counts.stalled === 0) {
    await sleep(5);
    counts = countedAt(t, gateway, side);
  }
  t.same(counts, { requests: 0, failed: 0, stalled: 1, late: 0, kinds: {} });
  client.abort();
  await gateway.ended('client_closed', side);
  t.same(countedAt(t, gateway, side), { requests: 1, failed: 0, stalled: 0, late: 1, kinds: {} });
});

onBothBackends(t, 'a body that its client sends slowly is nobody’s stall', async (t, side) => {
  const backend = await startRawBackend(t, whole);
  const other = await startRawBackend(t);
  const backends = { legacy: other.port, new: other.port, [side]: backend.port };
  const gateway = await startGateway(t, { backends, counting: { failures: [], stalledAfterMs: 20 } });
  const client = await gateway.connect();
  const chunked = 'Transfer-Encoding: chunked\r\n';
  await client.send(`POST / HTTP/1.1\r\nHost: a\r\n${AS_USER_OF[side]}${chunked}\r\n3\r\nabc\r\n`);
  await backend.request();
  await sleep(100);
  t.same(gateway.attempts.drain().size, 0, 'it is of age, and waits for its client');
  await client.send('0\r\n\r\n');
  t.equal((await client.answer('POST')).status, 200);
  t.equal(countedAt(t, gateway, side).requests, 1);
});

onBothBackends(t, 'a request that is repeated on a new connection is one', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    if (exchange.request.connection.requests.length === 1) await exchange.send(okAnswer('first'));
    else exchange.finish();
    // The second connection answers both.
  });
  t.equal((await wire.request()).status, 200);
  t.equal((await wire.request()).status, 200);
  t.equal(wire.backend.requests.length, 3, 'one was sent twice');
  t.same(countedAt(t, wire.gateway, side), { ...GOOD, requests: 2 });
});

onBothBackends(t, 'a tunnel is answered by its handshake, and its end is nothing', async (t, side) => {
  const switched = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
  const wire = await startWire(t, side, (exchange) => exchange.send(switched));
  const client = await wire.gateway.connect();
  await client.send(wire.text({ headers: UPGRADE }));
  t.equal((await client.nextHead()).status, 101);
  t.same(countedAt(t, wire.gateway, side), GOOD);
  client.abort();
  await wire.gateway.ended('1xx', side);
  t.equal(wire.gateway.attempts.drain().size, 0);
});

onBothBackends(t, 'a tunnel that is not opened is a failure', async (t, side) => {
  const counts = await afterOne(t, side, closeBeforeHead(), 'backend_closed', { headers: UPGRADE });
  t.same(counts, { ...FAILED, kinds: { reset: 1 } });
});

void t.test('what goes to a backend whatever the cohort is not counted', async (t) => {
  const backend = await startRawBackend(t, (exchange) => exchange.send(okAnswer('hello')));
  const settings = { routes: [{ match: '/*', backend: 'new' }] };
  const gateway = await startGateway(t, {
    backends: { legacy: backend.port, new: backend.port },
    settings,
  });
  for (const side of BACKENDS) {
    const client = await gateway.connect();
    await client.request(`GET / HTTP/1.1\r\nHost: a\r\n${AS_USER_OF[side]}\r\n`);
  }
  const client = await gateway.connect();
  await client.request('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  t.equal(gateway.attempts.drain().size, 0);
});

void t.test('nor what belongs to nobody', async (t) => {
  const backend = await startRawBackend(t, (exchange) => exchange.send(okAnswer('hello')));
  const gateway = await startGateway(t, { backends: { legacy: backend.port, new: backend.port } });
  const client = await gateway.connect();
  await client.request('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  t.equal(gateway.attempts.drain().size, 0);
});
