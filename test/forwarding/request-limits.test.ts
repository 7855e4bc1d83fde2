import t from 'tap';
import { trickle } from '../faults/trickle.ts';
import { AS_USER_OF, onBothBackends } from '../harness/gateway.ts';
import { startWire } from '../harness/wire.ts';

t.jobs = 8;

onBothBackends(t, 'a head over the limit is answered 431 and the connection is closed', async (t, side) => {
  const wire = await startWire(t, side, undefined, { settings: { limits: { headBytesMax: 8_192 } } });
  const long = 'x'.repeat(9_000);
  for (const parts of [
    { target: `/${long}` },
    { headers: `X-Long: ${long}\r\n` },
    { headers: `${'x'.repeat(9_000)}: 1\r\n` },
    { headers: 'X-Many: 0123456789\r\n'.repeat(450) },
  ]) {
    const client = await wire.gateway.connect();
    await client.send(wire.text(parts));
    const answer = await client.answer();
    t.equal(answer.status, 431);
    t.match(JSON.parse(answer.body.toString()), { code: 'head_too_large' });
    t.match(await client.closed, /fin|reset/);
  }
  t.equal(wire.backend.receivedBytes, 0);
  t.equal(await wire.gateway.failures('head_too_large'), 4);
});

onBothBackends(t, 'a head that never ends is answered 431, however fast it comes', async (t, side) => {
  const wire = await startWire(t, side, undefined, { settings: { limits: { headBytesMax: 8_192 } } });
  const client = await wire.gateway.connect();
  void client.send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(4_000_000)}`);
  t.equal((await client.answer()).status, 431);
  await client.closed;
});

onBothBackends(
  t,
  'more headers than the limit are answered 431, and none is dropped in silence',
  async (t, side) => {
    const wire = await startWire(t, side, undefined, { settings: { limits: { headersMax: 60 } } });
    const lines = (count: number): string =>
      Array.from({ length: count }, (_, index) => `X-${index}: ${index}\r\n`).join('');
    const many = await wire.request({ headers: lines(61) });
    t.equal(many.status, 431);
    t.equal(wire.backend.requests.length, 0);
    const some = await wire.request({ headers: lines(58) });
    t.equal(some.status, 200);
    t.match(wire.backend.requests[0]?.rawHead, 'X-57: 57\r\n');
  },
);

onBothBackends(t, 'a head within the limits arrives whole', async (t, side) => {
  const wire = await startWire(t, side, undefined, {
    settings: { limits: { headersMax: 3_000, headBytesMax: 100_000 } },
  });
  const headers = Array.from({ length: 2_500 }, (_, index) => `X-${index}: ${index}\r\n`).join('');
  t.equal((await wire.request({ headers })).status, 200);
  t.match(wire.backend.requests[0]?.rawHead, headers);
});

onBothBackends(t, 'a head that comes a byte at a time is answered 408', async (t, side) => {
  const wire = await startWire(t, side, undefined, { settings: { limits: { headMs: 300 } } });
  const client = await wire.gateway.connect();
  const sending = trickle(
    client,
    wire.text({ headers: 'X-Slow: 0123456789\r\n'.repeat(100) }),
    10,
    client.closed,
  );
  const answer = await client.answer();
  t.equal(answer.status, 408);
  t.match(JSON.parse(answer.body.toString()), { code: 'request_head_timeout' });
  await client.closed;
  await sending;
  t.equal(wire.backend.receivedBytes, 0);
  t.equal(await wire.gateway.failures('request_head_timeout'), 1);
});

onBothBackends(t, 'a connection that says nothing is closed after a while', async (t, side) => {
  const wire = await startWire(t, side, undefined, { settings: { limits: { headMs: 300 } } });
  const client = await wire.gateway.connect();
  t.match(await client.closed, /fin|reset/);
});

onBothBackends(
  t,
  'an idle connection is closed after the keep-alive time, not within it',
  async (t, side) => {
    const wire = await startWire(t, side, undefined, { settings: { limits: { keepAliveMs: 1_000 } } });
    const client = await wire.gateway.connect();
    t.equal((await client.request(wire.text())).status, 200);
    t.equal((await client.request(wire.text())).status, 200);
    t.match(await client.closed, /fin|reset/);
  },
);

onBothBackends(t, 'a slow head does not keep others from being served', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  for (let slow = 0; slow < 50; slow += 1) {
    const client = await wire.gateway.connect();
    await client.send(`GET / HTTP/1.1\r\nHost: shop.test\r\n${AS_USER_OF[side]}X-Unfinished: `);
  }
  t.equal((await wire.request()).status, 200);
  t.equal(wire.backend.requests.length, 1);
});

onBothBackends(t, 'connections over the limit are closed, those within it are served', async (t, side) => {
  const wire = await startWire(t, side, undefined, { settings: { limits: { connectionsMax: 3 } } });
  const within = [];
  for (let open = 0; open < 3; open += 1) {
    const client = await wire.gateway.connect();
    t.equal((await client.request(wire.text())).status, 200);
    within.push(client);
  }
  const over = await wire.gateway.connect();
  t.match(await over.closed, /fin|reset/);
  for (const client of within) t.equal((await client.request(wire.text())).status, 200);
});
