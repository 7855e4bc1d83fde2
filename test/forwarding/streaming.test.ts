import t from 'tap';
import { onBothBackends } from '../harness/gateway.ts';
import { okAnswer } from '../harness/raw-backend.ts';
import { startWire } from '../harness/wire.ts';
import { within } from '../harness/within.ts';

t.jobs = 8;

onBothBackends(t, 'a server-sent event arrives while the backend holds the rest', async (t, side) => {
  const { promise: seen, resolve } = Promise.withResolvers<void>();
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n',
    );
    await seen;
    await exchange.send('9\r\ndata: 2\n\n\r\n0\r\n\r\n');
  });
  const client = await wire.gateway.connect();
  await client.send(wire.text({ headers: 'Accept: text/event-stream\r\n' }));
  const head = await client.nextHead();
  t.equal((await within(Promise.resolve(head.body.read()), 'the first event'))?.toString(), 'data: 1\n\n');
  resolve();
  t.equal((await head.body.all()).toString(), 'data: 2\n\n');
});

onBothBackends(t, 'a head arrives while the backend holds the body, of any framing', async (t, side) => {
  for (const framing of ['Content-Length: 4', 'Transfer-Encoding: chunked', 'Connection: close']) {
    const { promise: seen, resolve } = Promise.withResolvers<void>();
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`);
      await seen;
      await exchange.send(framing.endsWith('chunked') ? '4\r\nbody\r\n0\r\n\r\n' : 'body');
      if (framing.endsWith('close')) exchange.finish();
    });
    const client = await wire.gateway.connect();
    await client.send(wire.text());
    const head = await client.nextHead();
    t.equal(head.status, 200, framing);
    resolve();
    t.equal((await head.body.all()).toString(), 'body');
  }
});

onBothBackends(t, 'a piece of an upload arrives while the client holds the rest', async (t, side) => {
  const { promise: seen, resolve } = Promise.withResolvers<string | undefined>();
  const wire = await startWire(t, side, async (exchange) => {
    resolve((await exchange.request.body.read())?.toString());
    await exchange.body();
    await exchange.send(okAnswer());
  });
  const client = await wire.gateway.connect();
  await client.send(
    wire.text({ method: 'POST', headers: 'Transfer-Encoding: chunked\r\n', body: '3\r\none\r\n' }),
  );
  t.equal(await within(seen, 'the first piece'), 'one');
  await client.send('3\r\ntwo\r\n0\r\n\r\n');
  t.equal((await client.answer('POST')).status, 200);
  t.equal(wire.backend.requests[0]?.body.bytes, 6);
});

onBothBackends(t, 'both directions flow at once', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let piece = await exchange.request.body.read(); piece; piece = await exchange.request.body.read()) {
      await exchange.send(`${piece.length.toString(16)}\r\n${piece.toString()}\r\n`);
    }
    await exchange.send('0\r\n\r\n');
  });
  const client = await wire.gateway.connect();
  await client.send(wire.text({ method: 'POST', headers: 'Transfer-Encoding: chunked\r\n' }));
  const head = await client.nextHead('POST');
  for (const word of ['ping', 'pong', 'over']) {
    await client.send(`4\r\n${word}\r\n`);
    t.equal((await within(head.body.read(), `the echo of ${word}`))?.toString(), word);
  }
  await client.send('0\r\n\r\n');
  t.equal((await head.body.all()).length, 0);
  t.equal(head.body.state, 'complete');
});

const MIB = 1024 * 1024;
/** More than the system's buffers and the gateway's own hold together, on both connections. */
const TOO_MUCH = 64 * MIB;

onBothBackends(t, 'a client that does not read makes the backend wait', async (t, side) => {
  let sent = 0;
  const { promise: blocked, resolve } = Promise.withResolvers<void>();
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: ${TOO_MUCH}\r\n\r\n`);
    const piece = Buffer.alloc(MIB, 'x');
    for (; sent < TOO_MUCH; sent += MIB) {
      const flushed = exchange.send(piece);
      const timer = setTimeout(resolve, 500);
      await flushed;
      clearTimeout(timer);
    }
    resolve();
  });
  const client = await wire.gateway.connect();
  client.pause();
  await client.send(wire.text());
  await within(blocked, 'the backend to be stopped');
  t.ok(sent < TOO_MUCH, `${sent / MIB} MiB went before the backend had to wait`);
  client.resume();
  const head = await client.nextHead();
  await within(head.body.drain(), 'the rest', 20_000);
  t.equal(head.body.bytes, TOO_MUCH);
});

onBothBackends(t, 'a backend that does not read makes the client wait', async (t, side) => {
  const { promise: goOn, resolve } = Promise.withResolvers<void>();
  const wire = await startWire(t, side, async (exchange) => {
    exchange.pause();
    await goOn;
    exchange.resume();
    await exchange.request.body.drain();
    await exchange.send(okAnswer());
  });
  const client = await wire.gateway.connect();
  await client.send(wire.text({ method: 'PUT', headers: `Content-Length: ${TOO_MUCH}\r\n` }));
  await wire.backend.request();
  const piece = Buffer.alloc(MIB, 'x');
  let sent = 0;
  let waited = false;
  for (; sent < TOO_MUCH; sent += MIB) {
    const flushed = client.send(piece);
    const timer = setTimeout(() => {
      waited = true;
      resolve();
    }, 500);
    await flushed;
    clearTimeout(timer);
  }
  t.ok(waited, 'the client had to wait');
  t.equal((await client.answer('PUT')).status, 200);
  t.equal(wire.backend.requests[0]?.body.bytes, TOO_MUCH);
});
