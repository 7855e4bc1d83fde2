/** The tunnel under a WebSocket, byte by byte. */
import t from 'tap';
import { closeBeforeHead } from '../faults/close-before-head.ts';
import { stall } from '../faults/stall.ts';
import { AS_USER_OF, onBothBackends } from '../harness/gateway.ts';
import { okAnswer, type Script } from '../harness/raw-backend.ts';
import type { RawClient } from '../harness/raw-client.ts';
import { startWire, type Wire } from '../harness/wire.ts';
import { within } from '../harness/within.ts';

t.jobs = 8;

const UPGRADE =
  'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

/** Agrees, and sends back every byte. */
const echoing: Script = async (exchange) => {
  await exchange.send(SWITCHED);
  const { reader } = exchange.request.connection;
  for (let piece = await reader.some(65_536); piece !== undefined; piece = await reader.some(65_536)) {
    await exchange.send(piece);
  }
  exchange.finish();
};

async function upgraded(wire: Wire): Promise<RawClient> {
  const client = await wire.gateway.connect();
  await client.send(wire.text({ headers: UPGRADE }));
  const head = await client.nextHead();
  if (head.status !== 101) throw new Error(`not upgraded: ${head.status}`);
  return client;
}

async function take(client: RawClient, size: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let taken = 0;
  while (taken < size) {
    const piece = await client.bytes();
    if (piece === undefined) break;
    pieces.push(piece);
    taken += piece.length;
  }
  return Buffer.concat(pieces);
}

onBothBackends(t, 'bytes pass untouched in both directions, whatever they are', async (t, side) => {
  const wire = await startWire(t, side, echoing);
  const client = await upgraded(wire);
  const every = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256));
  await client.send(every);
  t.ok((await take(client, every.length)).equals(every));
  const text = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
  await client.send(text);
  t.equal((await take(client, text.length)).toString(), text);
  t.equal(wire.backend.requests.length, 1);
});

onBothBackends(t, 'the head of the upgrade keeps what the ends agree upon', async (t, side) => {
  const wire = await startWire(t, side, echoing);
  const client = await wire.gateway.connect();
  await client.send(
    wire.text({
      headers: `${UPGRADE}Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: x; y=1\r\nKeep-Alive: 5\r\n`,
    }),
  );
  const head = await client.nextHead();
  t.equal(head.value('upgrade'), 'websocket');
  t.match(head.value('connection'), /^upgrade$/i);
  t.equal(head.value('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  const [request] = wire.backend.requests;
  t.match(request?.rawHead, /^upgrade: websocket\r$/im);
  t.match(request?.rawHead, /^connection: upgrade\r$/im);
  t.match(request?.rawHead, 'Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: x; y=1\r\n');
  t.notMatch(request?.rawHead, /^keep-alive:/im);
});

onBothBackends(t, 'bytes behind the request and behind the 101 are not lost', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send(`${SWITCHED}early from the backend`);
    const early = await exchange.request.connection.reader.some(100);
    await exchange.send(`|${early?.toString()}`);
    exchange.finish();
  });
  const client = await wire.gateway.connect();
  await client.send(`${wire.text({ headers: UPGRADE })}early from the client`);
  t.equal((await client.nextHead()).status, 101);
  t.equal((await client.rest()).toString(), 'early from the backend|early from the client');
});

onBothBackends(t, 'a tunnel may be idle for longer than any deadline of requests', async (t, side) => {
  const wire = await startWire(t, side, echoing, {
    settings: { limits: { keepAliveMs: 800, headMs: 800 } },
    backendSettings: { headersMs: 800, bodyMs: 800, keepAliveMs: 800, connectMs: 800 },
  });
  const client = await upgraded(wire);
  const ended = await Promise.race([
    client.closed,
    new Promise<string>((resolve) => setTimeout(resolve, 2_000, 'open')),
  ]);
  t.equal(ended, 'open');
  await client.send('still here');
  t.equal((await take(client, 10)).toString(), 'still here');
});

const TOO_MUCH = 48 * 1024 * 1024;
const PIECE = Buffer.alloc(1024 * 1024, 'x');

onBothBackends(
  t,
  'a client that does not read makes the backend wait, and loses nothing',
  async (t, side) => {
    const { promise: blocked, resolve } = Promise.withResolvers<void>();
    let sent = 0;
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.send(SWITCHED);
      for (; sent < TOO_MUCH; sent += PIECE.length) {
        const timer = setTimeout(resolve, 300);
        await exchange.send(PIECE);
        clearTimeout(timer);
      }
      // The end comes while most of it is still on the way.
      exchange.finish();
      resolve();
    });
    const client = await upgraded(wire);
    client.pause();
    await within(blocked, 'the backend to be stopped');
    t.ok(sent < TOO_MUCH);
    client.resume();
    let received = 0;
    for (let piece = await client.bytes(); piece !== undefined; piece = await client.bytes())
      received += piece.length;
    t.equal(received, TOO_MUCH);
    t.equal(await client.closed, 'fin');
  },
);

onBothBackends(
  t,
  'a backend that does not read makes the client wait, and loses nothing',
  async (t, side) => {
    const { promise: goOn, resolve: letGo } = Promise.withResolvers<void>();
    const { promise: all, resolve: done } = Promise.withResolvers<number>();
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.send(SWITCHED);
      exchange.pause();
      await goOn;
      exchange.resume();
      const { reader } = exchange.request.connection;
      let received = 0;
      for (let piece = await reader.some(Infinity); piece; piece = await reader.some(Infinity))
        received += piece.length;
      done(received);
      exchange.finish();
    });
    const client = await upgraded(wire);
    let waited = false;
    for (let sent = 0; sent < TOO_MUCH; sent += PIECE.length) {
      const timer = setTimeout(() => {
        waited = true;
        letGo();
      }, 300);
      await client.send(PIECE);
      clearTimeout(timer);
    }
    client.finish();
    t.ok(waited);
    t.equal(await within(all, 'the end of the bytes at the backend', 20_000), TOO_MUCH);
  },
);

onBothBackends(t, 'each end’s end reaches the other', async (t, side) => {
  for (const end of ['client closes', 'client resets', 'backend closes', 'backend resets'] as const) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.send(SWITCHED);
      await promise;
      if (end === 'backend closes') exchange.finish();
      if (end === 'backend resets') exchange.abort();
      await exchange.gone;
    });
    const client = await upgraded(wire);
    if (end === 'client closes') client.finish();
    if (end === 'client resets') client.abort();
    resolve();
    const connection = await wire.backend.connection();
    await within(Promise.all([client.closed, connection.gone]), `both ends after: ${end}`);
    await wire.gateway.ended('1xx', side);
    t.pass(end);
  }
});

onBothBackends(
  t,
  'a refused upgrade is answered like any request, and the connection is closed',
  async (t, side) => {
    for (const answer of [
      'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 7\r\n\r\nlog in!',
      'HTTP/1.1 426 Upgrade Required\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nlog in!\r\n0\r\n\r\n',
      okAnswer('log in!'),
    ]) {
      const wire = await startWire(t, side, async (exchange) => {
        await exchange.send(answer);
      });
      const client = await wire.gateway.connect();
      await client.send(wire.text({ headers: UPGRADE }) + wire.text({ target: '/smuggled' }));
      const refusal = await client.answer();
      t.equal(refusal.status, Number(answer.slice(9, 12)));
      t.equal(refusal.body.toString(), 'log in!');
      t.match(await client.closed, /fin|reset/);
      t.equal(wire.backend.requests.length, 1);
    }
  },
);

onBothBackends(t, 'a backend that fails at the upgrade is a problem document', async (t, side) => {
  for (const [script, status, code] of [
    [closeBeforeHead(), 502, 'backend_closed'],
    [stall(), 504, 'backend_headers_timeout'],
    [stall('nonsense\r\n\r\n'), 502, 'backend_malformed'],
  ] as const) {
    const backendSettings = status === 504 ? { headersMs: 200 } : {};
    const wire = await startWire(t, side, script, { backendSettings });
    const answer = await wire.request({ headers: UPGRADE });
    t.equal(answer.status, status);
    t.match(JSON.parse(answer.body.toString()), { code });
    await wire.gateway.ended(code, side);
    t.equal(wire.backend.requests.length, 1);
  }
});

onBothBackends(t, 'a client that leaves before the 101 ends the backend’s upgrade', async (t, side) => {
  const wire = await startWire(t, side, stall());
  const client = await wire.gateway.connect();
  await client.send(wire.text({ headers: UPGRADE }));
  await wire.backend.request();
  client.abort();
  await within((await wire.backend.connection()).gone, 'the end of the upgrade');
  await wire.gateway.ended('client_closed', side);
  t.equal(wire.backend.requests.length, 1);
});

onBothBackends(
  t,
  'an upgrade that is sent ahead is not served, and does not hurt the answer before it',
  async (t, side) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wire = await startWire(t, side, async (exchange) => {
      await promise;
      await exchange.send(okAnswer('first'));
    });
    const client = await wire.gateway.connect();
    await client.send(wire.text() + wire.text({ target: '/up', headers: UPGRADE }));
    await wire.backend.request();
    resolve();
    t.equal((await client.answer()).body.toString(), 'first');
    t.match(await client.closed, /fin|reset/);
    t.equal(wire.backend.requests.length, 1);
    t.equal((await wire.request()).status, 200);
  },
);

onBothBackends(t, 'an upgrade with a body is served as a plain request', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  for (const [headers, body] of [
    ['Content-Length: 5\r\n', 'hello'],
    ['Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'],
  ] as const) {
    const answer = await wire.request({ headers: UPGRADE + headers, body });
    t.equal(answer.status, 200);
    t.equal(wire.backend.requests.at(-1)?.body.bytes, 5);
    t.notMatch(wire.backend.requests.at(-1)?.rawHead, /^upgrade:/im);
  }
});

onBothBackends(t, 'an upgrade to anything but a WebSocket is served as a plain request', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  for (const protocol of ['h2c', 'TLS/1.0', 'websocket2', 'foo, websocket']) {
    const client = await wire.gateway.connect();
    const answer = await client.request(
      wire.text({ headers: `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n` }),
    );
    t.equal(answer.status, 200, protocol);
    t.notMatch(wire.backend.requests.at(-1)?.rawHead, /^upgrade:/im);
  }
  const post = { method: 'POST', headers: `${UPGRADE}Content-Length: 2\r\n`, body: 'ok' };
  t.equal((await wire.request(post)).status, 200, 'a WebSocket begins with GET');
  t.notMatch(wire.backend.requests.at(-1)?.rawHead, /^upgrade:/im);
});

onBothBackends(t, 'an upgrade with a hostile head is refused like any other', async (t, side) => {
  const wire = await startWire(t, side, echoing);
  for (const bytes of [
    `GET / HTTP/1.1\r\n${AS_USER_OF[side]}${UPGRADE}\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n${AS_USER_OF[side]}${UPGRADE}\r\n`,
    `GET a:1 HTTP/1.1\r\nHost: a\r\n${AS_USER_OF[side]}${UPGRADE}\r\n`,
  ]) {
    const client = await wire.gateway.connect();
    t.equal((await client.request(bytes)).status, 400);
    t.match(await client.closed, /fin|reset/);
  }
  t.equal(wire.backend.connections.length, 0);
});
