/** Requests that follow each other on one connection, in HTTP/1.1 and in HTTP/1.0. */
import t from 'tap';
import { WAITING_MAX } from '../../src/intake/turn.ts';
import { AS_USER_OF, onBothBackends } from '../harness/gateway.ts';
import { statusesToTheEnd } from '../harness/raw-client.ts';
import { startWire } from '../harness/wire.ts';

t.jobs = 8;

onBothBackends(t, 'pipelined requests are answered in order, whatever they are', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    const body = await exchange.body();
    // The first is the slowest.
    if (exchange.request.target === '/0') await new Promise((resolve) => setTimeout(resolve, 50));
    const text = `${exchange.request.target}:${body.length}`;
    await exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  });
  const client = await wire.gateway.connect();
  const count = 30;
  const bodies = Array.from({ length: count }, (_, index) => 'x'.repeat(index % 3));
  await client.send(
    bodies
      .map((body, index) =>
        wire.text({
          method: 'POST',
          target: `/${index}`,
          headers: `Content-Length: ${body.length}\r\n`,
          body,
        }),
      )
      .join(''),
  );
  for (const [index, body] of bodies.entries()) {
    t.equal((await client.answer('POST')).body.toString(), `/${index}:${body.length}`);
  }
  t.equal(wire.backend.requests.length, count);
});

onBothBackends(t, 'a request sent ahead reaches the backend after the answer before it', async (t, side) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let answered = false;
  const wire = await startWire(t, side, async (exchange) => {
    if (exchange.request.method === 'PUT') {
      await promise;
      answered = true;
      await exchange.body();
    } else t.ok(answered, 'a read sees what the write before it did');
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  });
  const client = await wire.gateway.connect();
  const write = wire.text({ method: 'PUT', headers: 'Content-Length: 3\r\n', body: 'abc' });
  await client.send(write + wire.text());
  await wire.backend.request();
  // Served on another connection meanwhile: by then the one that was sent ahead would be there too.
  const other = await wire.gateway.connect();
  resolve();
  t.equal((await client.answer('PUT')).status, 200);
  t.equal((await client.answer()).status, 200);
  t.equal((await other.request(wire.text())).status, 200);
  t.equal(wire.backend.requests.length, 3);
});

onBothBackends(t, 'a flood of requests sent ahead is cut off', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.gone;
  });
  const client = await wire.gateway.connect();
  await client.send(wire.text().repeat(WAITING_MAX + 2));
  t.match(await client.closed, /fin|reset/);
  t.ok(wire.backend.requests.length <= 1);
});

onBothBackends(
  t,
  'a malformed request behind a good one is refused after the good one’s answer',
  async (t, side) => {
    const wire = await startWire(t, side, async (exchange) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood');
    });
    const client = await wire.gateway.connect();
    await client.send(`${wire.text()}GET / HTTP/1.1\r\nHost : a\r\n\r\n`);
    // The connection may be cut before the good answer, which is safe; a wrong answer in its place is not.
    const got = await statusesToTheEnd(client, 'GET', 'pipelined');
    t.ok(got.length === 0 || got[0] === 200, got.join());
    t.ok(got.length < 2 || got[1] === 400, got.join());
  },
);

onBothBackends(
  t,
  'HTTP/1.0 is served, with the connection closed unless kept on request',
  async (t, side) => {
    const wire = await startWire(t, side, undefined);
    const head = `GET / HTTP/1.0\r\nHost: shop.test\r\n${AS_USER_OF[side]}`;
    const closing = await wire.gateway.connect();
    t.equal((await closing.request(`${head}\r\n`)).body.toString(), 'ok');
    t.equal(await closing.closed, 'fin');
    const keeping = await wire.gateway.connect();
    const first = await keeping.request(`${head}Connection: keep-alive\r\n\r\n`);
    t.equal(first.head.value('connection')?.toLowerCase(), 'keep-alive');
    t.equal((await keeping.request(`${head}Connection: keep-alive\r\n\r\n`)).body.toString(), 'ok');
    const withoutHost = await wire.gateway.connect();
    const answer = await withoutHost.request(`GET / HTTP/1.0\r\n${AS_USER_OF[side]}\r\n`);
    t.ok(answer.status === 200 || answer.status === 400);
    t.match(wire.backend.requests[0]?.rawHead, /^via: 1\.0 /im);
  },
);

onBothBackends(t, 'an HTTP/1.0 client never gets chunks', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
  });
  const client = await wire.gateway.connect();
  const answer = await client.request(`GET / HTTP/1.0\r\nHost: shop.test\r\n${AS_USER_OF[side]}\r\n`);
  t.equal(answer.head.value('transfer-encoding'), undefined);
  t.strictSame([answer.body.toString(), answer.ending], ['abc', 'complete']);
});
