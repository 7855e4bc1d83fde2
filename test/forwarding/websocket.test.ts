/** WebSockets between two real ends: what the one says, the other hears. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { type ClientOptions, type RawData, type ServerOptions, WebSocket, WebSocketServer } from 'ws';
import type { Backend as Side } from '../../src/model.ts';
import { type Backend, startBackend } from '../harness/backend.ts';
import { onBothBackends, startGateway, type TestGateway } from '../harness/gateway.ts';
import { within } from '../harness/within.ts';

t.jobs = 8;

interface Ends {
  readonly gateway: TestGateway;
  readonly backend: Backend;
  /** Connects through the gateway. */
  readonly connect: (protocols?: string[], options?: ClientOptions, path?: string) => WebSocket;
}

async function startEnds(
  t: Test,
  side: Side,
  serve: (socket: WebSocket) => void,
  options: Omit<ServerOptions, 'server' | 'port' | 'noServer'> = {},
): Promise<Ends> {
  const backend = await startBackend(t);
  const other = await startBackend(t);
  const server = new WebSocketServer({ server: backend.server, ...options });
  server.on('connection', serve);
  t.teardown(() => {
    for (const socket of server.clients) socket.terminate();
  });
  const ports =
    side === 'legacy' ? { legacy: backend.port, new: other.port } : { legacy: other.port, new: backend.port };
  const gateway = await startGateway(t, { backends: ports });
  const connect: Ends['connect'] = (protocols = [], clientOptions = {}, path = '/chat?room=1') => {
    const headers = { 'x-user': side === 'legacy' ? 'leo' : 'nina', ...clientOptions.headers };
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${path}`, protocols, {
      ...clientOptions,
      headers,
    });
    t.teardown(() => {
      socket.terminate();
    });
    return socket;
  };
  return { gateway, backend, connect };
}

const echo = (socket: WebSocket): void => {
  socket.on('message', (data, binary) => {
    socket.send(data, { binary });
  });
};

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

async function nextMessage(socket: WebSocket): Promise<{ bytes: Buffer; binary: boolean }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ bytes: Buffer; binary: boolean }>();
  const closed = (code: number): void => reject(new Error(`closed with ${code} instead of a message`));
  socket.once('close', closed);
  socket.once('message', (data, binary) => {
    socket.off('close', closed);
    resolve({ bytes: bytesOf(data), binary });
  });
  return within(promise, 'a message');
}

async function closeOf(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>();
  socket.once('close', (code, reason) => {
    resolve({ code, reason: reason.toString() });
  });
  return within(promise, 'the close');
}

onBothBackends(t, 'text and binary messages of any size are heard as they were said', async (t, side) => {
  const { connect } = await startEnds(t, side, echo);
  const socket = connect();
  await once(socket, 'open');
  for (const text of ['', 'a', 'grüße 🚂', 'x'.repeat(70_000)]) {
    socket.send(text);
    const { bytes, binary } = await nextMessage(socket);
    t.strictSame([bytes.toString(), binary], [text, false]);
  }
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
    const sent = randomBytes(size);
    socket.send(sent);
    const { bytes, binary } = await nextMessage(socket);
    t.ok(binary);
    t.ok(bytes.equals(sent), `${size} bytes`);
  }
});

onBothBackends(t, 'fragments make one message', async (t, side) => {
  const { connect } = await startEnds(t, side, echo, { perMessageDeflate: false });
  const socket = connect([], { perMessageDeflate: false });
  await once(socket, 'open');
  socket.send('one, ', { fin: false });
  socket.send('two, ', { fin: false });
  socket.ping('between');
  socket.send('three', { fin: true });
  t.equal((await nextMessage(socket)).bytes.toString(), 'one, two, three');
});

onBothBackends(t, 'pings and pongs pass in both directions with their payload', async (t, side) => {
  const { promise: answered, resolve } = Promise.withResolvers<string>();
  const { connect } = await startEnds(t, side, (socket) => {
    socket.on('pong', (data) => resolve(data.toString()));
    socket.ping('from the backend');
  });
  const socket = connect();
  await once(socket, 'open');
  t.equal(await within(answered, 'a pong at the backend'), 'from the backend');
  const pong = once(socket, 'pong');
  socket.ping('from the client');
  const [payload]: unknown[] = await within(pong, 'a pong at the client');
  t.equal(String(payload), 'from the client');
});

onBothBackends(t, 'close codes and reasons pass in both directions', async (t, side) => {
  const { promise: heard, resolve } = Promise.withResolvers<{ code: number; reason: string }>();
  const { gateway, connect } = await startEnds(t, side, (socket) => {
    socket.on('message', () => socket.close(4_001, 'backend says bye'));
    socket.on('close', (code, reason) => {
      if (code !== 4_001) resolve({ code, reason: reason.toString() });
    });
  });
  const first = connect();
  await once(first, 'open');
  first.send('go');
  t.strictSame(await closeOf(first), { code: 4_001, reason: 'backend says bye' });
  const second = connect();
  await once(second, 'open');
  second.close(3_000, 'client says bye');
  t.strictSame(await within(heard, 'the close at the backend'), { code: 3_000, reason: 'client says bye' });
  await gateway.ended('1xx', side, 2);
});

onBothBackends(t, 'of several subprotocols the backend chooses', async (t, side) => {
  let offered: string | undefined;
  const { backend, connect } = await startEnds(t, side, (socket) => socket.send(socket.protocol), {
    handleProtocols: (protocols) => [...protocols][1] ?? false,
  });
  backend.server.on('upgrade', (request) => {
    offered = request.headers['sec-websocket-protocol'];
  });
  const socket = connect(['chat.v3', 'chat.v2', 'chat.v1']);
  t.equal((await nextMessage(socket)).bytes.toString(), 'chat.v2');
  t.equal(socket.protocol, 'chat.v2');
  t.equal(offered, 'chat.v3,chat.v2,chat.v1');
});

onBothBackends(t, 'extensions are agreed between the ends', async (t, side) => {
  const { connect } = await startEnds(t, side, echo, { perMessageDeflate: { threshold: 0 } });
  const socket = connect([], { perMessageDeflate: { threshold: 0 } });
  await once(socket, 'open');
  t.match(socket.extensions, /permessage-deflate/);
  const text = 'compress me '.repeat(10_000);
  socket.send(text);
  t.equal((await nextMessage(socket)).bytes.toString(), text);
  const plain = connect([], { perMessageDeflate: false });
  await once(plain, 'open');
  t.equal(plain.extensions, '');
});

onBothBackends(t, 'the upgrade keeps path and headers, and tells who the client is', async (t, side) => {
  const { backend, connect } = await startEnds(t, side, (socket) => socket.send('hello'));
  const upgrade = once(backend.server, 'upgrade');
  const socket = connect(
    [],
    { headers: { cookie: 'session=1', authorization: 'Bearer x', origin: 'http://shop.test' } },
    '/a%2Fb?c=%20',
  );
  await nextMessage(socket);
  const [request] = await upgrade;
  t.match(request.url, '/a%2Fb?c=%20');
  t.match(request.headers, {
    cookie: 'session=1',
    authorization: 'Bearer x',
    origin: 'http://shop.test',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    via: /turnout/,
    traceparent: /^00-/,
    'x-request-id': String,
  });
});

onBothBackends(t, 'a backend that refuses is heard, with its body', async (t, side) => {
  const { gateway, connect } = await startEnds(t, side, echo, {
    verifyClient: (_info, done) => {
      done(false, 403, 'members only', { 'x-why': 'because' });
    },
  });
  const socket = connect();
  socket.on('error', () => undefined);
  const { promise, resolve } = Promise.withResolvers<[number | undefined, unknown, string]>();
  socket.on('unexpected-response', (_request, response) => {
    let body = '';
    response.on('data', (piece: Buffer) => {
      body += piece.toString();
    });
    response.on('end', () => resolve([response.statusCode, response.headers['x-why'], body]));
  });
  t.strictSame(await within(promise, 'the refusal'), [403, 'because', 'members only']);
  await gateway.ended('4xx', side);
});

onBothBackends(t, 'a backend that dies takes the client’s connection with it', async (t, side) => {
  const { backend, connect } = await startEnds(t, side, echo);
  const socket = connect();
  await once(socket, 'open');
  const closed = closeOf(socket);
  await backend.stop();
  t.equal((await closed).code, 1006);
});

onBothBackends(t, 'a client that dies takes the backend’s connection with it', async (t, side) => {
  const { promise: closed, resolve } = Promise.withResolvers<number>();
  const { backend, connect } = await startEnds(t, side, (socket) => {
    socket.on('close', resolve);
  });
  const socket = connect();
  await once(socket, 'open');
  socket.terminate();
  t.equal(await within(closed, 'the close at the backend'), 1006);
  await backend.abandoned();
});

onBothBackends(t, 'many large messages in both directions at once arrive whole', async (t, side) => {
  const { connect } = await startEnds(t, side, echo, { perMessageDeflate: false });
  const socket = connect([], { perMessageDeflate: false });
  await once(socket, 'open');
  const count = 60;
  const sent = createHash('sha256');
  const heard = createHash('sha256');
  const { promise: all, resolve } = Promise.withResolvers<void>();
  let messages = 0;
  socket.on('message', (data) => {
    heard.update(bytesOf(data));
    messages += 1;
    if (messages === count) resolve();
  });
  for (let index = 0; index < count; index += 1) {
    const bytes = randomBytes(200_000);
    sent.update(bytes);
    socket.send(bytes);
  }
  await within(all, 'every message', 20_000);
  t.equal(heard.digest('hex'), sent.digest('hex'));
});
