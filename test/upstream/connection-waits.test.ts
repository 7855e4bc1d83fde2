/** How long a connection waits, by a clock of the test's own; and that a pool looks at it. */
import net from 'node:net';
import t, { type Test } from 'tap';
import { BackendConnection, type ConnectionOwner } from '../../src/upstream/backend-connection.ts';
import { ConnectionFailure } from '../../src/upstream/connection-failure.ts';
import { hangingPort } from '../faults/accept-and-hang.ts';
import { okAnswer, type RawBackend, type Script, startRawBackend } from '../harness/raw-backend.ts';
import { within } from '../harness/within.ts';
import { poolOf, RecordedExchange, requestOf } from './recorded-exchange.ts';

t.jobs = 4;

const BOUNDS = { connectMs: 1_000, headersMs: 2_000, bodyMs: 3_000, keepAliveMs: 4_000 };

class Clocked {
  nowMs = 0;
  isClosed = false;
  readonly connection: BackendConnection;
  readonly #connected = Promise.withResolvers<void>();

  constructor(port: number, bounds: Partial<typeof BOUNDS> = {}) {
    const owner: ConnectionOwner = {
      ...BOUNDS,
      ...bounds,
      now: () => this.nowMs,
      onConnected: () => this.#connected.resolve(),
      onIdle: () => undefined,
      onClosed: () => {
        this.isClosed = true;
      },
    };
    const connect = (buffer: Buffer, onRead: (bytes: number) => void): net.Socket => {
      const callback = (bytes: number): boolean => {
        onRead(bytes);
        return true;
      };
      return net.connect({ port, host: '127.0.0.1', onread: { buffer, callback } });
    };
    this.connection = new BackendConnection(owner, connect, 'connect');
  }

  /** Connected, and looked at a second too early and at the time. */
  async connected(): Promise<this> {
    await within(this.#connected.promise, 'a connection');
    return this;
  }

  send(path: string): RecordedExchange {
    const exchange = new RecordedExchange();
    this.connection.send(requestOf({ path }), exchange);
    return exchange;
  }

  /** A look after so many more milliseconds. @param lostMs of them, this process was not there */
  after(ms: number, slackMs = 0, lostMs = 0): void {
    this.nowMs += ms;
    this.connection.look(this.nowMs, slackMs, lostMs);
  }
}

async function clocked(
  t: Test,
  backend: Pick<RawBackend, 'port'>,
  bounds?: Partial<typeof BOUNDS>,
): Promise<Clocked> {
  const one = new Clocked(backend.port, bounds);
  t.teardown(() => one.connection.close());
  return one.connected();
}

function kindOf({ error }: RecordedExchange): string | undefined {
  return error instanceof ConnectionFailure ? error.kind : error?.name;
}

const HINTS: readonly [hint: string, keepAliveMs: number, keptMs: number][] = [
  ['', 4_000, 4_000],
  ['Keep-Alive: timeout=3\r\n', 4_000, 2_000],
  ['Keep-Alive: timeout=3, max=5\r\n', 30_000, 2_000],
  ['Keep-Alive: timeout=5\r\n', 4_000, 4_000],
  ['Keep-Alive: timeout=20\r\n', 4_000, 19_000],
  ['Keep-Alive: timeout=61\r\n', 4_000, 60_000],
  ['Keep-Alive: timeout=999999999\r\n', 4_000, 60_000],
  ['Keep-Alive: timeout=999999999\r\n', 90_000, 90_000],
  ['Keep-Alive: max=5\r\n', 4_000, 4_000],
];

for (const [hint, keepAliveMs, keptMs] of HINTS) {
  void t.test(
    `an idle connection is kept for ${keptMs} ms, of ${keepAliveMs} and ${hint.trim()}`,
    async (t) => {
      const backend = await startRawBackend(t, (exchange) => exchange.send(okAnswer('own', hint)));
      const one = await clocked(t, backend, { keepAliveMs });
      await one.send('/').over();
      t.ok(one.connection.isFree);
      one.after(keptMs - 501, 500);
      t.notOk(one.isClosed, 'there will be another look in time');
      one.after(1, 500);
      t.ok(one.isClosed, 'the next look would be too late');
      await backend.abandoned();
    },
  );
}

void t.test('a hint is of the answer that it came with', async (t) => {
  const hints = ['Keep-Alive: timeout=2\r\n', ''];
  const backend = await startRawBackend(t, (exchange) => exchange.send(okAnswer('own', hints.shift())));
  const one = await clocked(t, backend);
  await one.send('/').over();
  await one.send('/').over();
  one.after(3_999);
  t.notOk(one.isClosed);
  one.after(1);
  t.ok(one.isClosed);
});

void t.test('a connection that is not made in time fails', async (t) => {
  const server = await startRawBackend(t);
  const one = new Clocked(server.port);
  one.after(999);
  t.notOk(one.isClosed);
  one.after(1);
  t.ok(one.isClosed);
});

/** The backend sends what it is told to. */
async function told(
  t: Test,
): Promise<{ one: Clocked; exchange: RecordedExchange; send: (text: string) => Promise<void> }> {
  const sent = Promise.withResolvers<Parameters<Script>[0]>();
  const backend = await startRawBackend(t, async (exchange) => {
    sent.resolve(exchange);
    await exchange.gone;
  });
  const one = await clocked(t, backend);
  const exchange = one.send('/');
  const answer = await sent.promise;
  return { one, exchange, send: (text) => answer.send(text) };
}

void t.test('a head that does not come in time fails, whatever comes of it byte by byte', async (t) => {
  const { one, exchange, send } = await told(t);
  one.after(1_000);
  await send('H');
  await exchange.told('begun');
  one.after(999);
  t.notOk(exchange.isOver);
  one.after(1);
  t.equal(kindOf(exchange), 'headers_timeout');
  t.ok(one.isClosed);
});

void t.test('time in which this process did not run is not held against a backend', async (t) => {
  const { one, exchange, send } = await told(t);
  one.after(10_000, 0, 9_000);
  t.notOk(exchange.isOver, 'a second of it');
  one.after(999);
  t.notOk(exchange.isOver);
  await send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
  await exchange.told('head');
  one.after(10_000, 0, 20_000);
  t.notOk(exchange.isOver);
  one.after(2_999);
  t.notOk(exchange.isOver);
  one.after(1);
  t.equal(kindOf(exchange), 'body_timeout', 'more than all of it cannot be lost');
});

void t.test('but an idle connection ages all the same', async (t) => {
  const backend = await startRawBackend(t, (exchange) => exchange.send(okAnswer('own')));
  const one = await clocked(t, backend);
  await one.send('/').over();
  one.after(4_000, 0, 3_500);
  t.ok(one.isClosed);
});

void t.test('an interim answer puts the deadline of the head off', async (t) => {
  const { one, exchange, send } = await told(t);
  for (let n = 1; n <= 3; n += 1) {
    one.after(1_999);
    await send('HTTP/1.1 103 Early Hints\r\n\r\n');
    await exchange.until(() => exchange.statuses.length === n, 'an interim answer');
  }
  one.after(1_999);
  t.notOk(exchange.isOver);
  one.after(1);
  t.equal(kindOf(exchange), 'headers_timeout');
});

void t.test('a piece of the body puts its deadline off, a piece of its trailers does not', async (t) => {
  const { one, exchange, send } = await told(t);
  one.after(1_999);
  await send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  await exchange.told('head');
  for (let n = 1; n <= 3; n += 1) {
    one.after(2_999);
    await send('1\r\nx\r\n');
    await exchange.until(() => exchange.bodyBytes === n, 'a piece');
  }
  one.after(2_999);
  // The last chunk comes with the beginning of the trailers.
  await send('1\r\nx\r\n0\r\nX-');
  await exchange.until(() => exchange.bodyBytes === 4, 'a piece');
  one.after(1);
  t.equal(kindOf(exchange), 'body_timeout');
});

void t.test('a body that its taker lets wait has no deadline until it goes on', async (t) => {
  const { one, exchange, send } = await told(t);
  await send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx');
  await exchange.told('data');
  one.connection.pause(exchange);
  one.after(100_000);
  t.notOk(exchange.isOver);
  one.connection.resume(exchange);
  one.after(2_999);
  t.notOk(exchange.isOver);
  one.after(1);
  t.equal(kindOf(exchange), 'body_timeout');
});

void t.test('a pool finds what takes too long', async (t) => {
  const backend = await startRawBackend(t, async (exchange) => {
    if (exchange.request.target === '/body')
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx');
    await exchange.gone;
  });
  const hurried = poolOf(t, backend, { headersMs: 50 });
  t.equal(kindOf(await hurried.ask({ path: '/head' })), 'headers_timeout');
  const stalling = poolOf(t, backend, { bodyMs: 50 });
  t.equal(kindOf(await stalling.ask({ path: '/body' })), 'body_timeout');
  const hanging = poolOf(t, { port: await hangingPort(t) }, { connectMs: 50 }, 'https');
  t.equal(kindOf(await hanging.ask()), 'connect_timeout');
  await backend.abandoned();
});

void t.test('a pool closes a connection that is idle', async (t) => {
  const backend = await startRawBackend(t);
  const pool = poolOf(t, backend, { keepAliveMs: 100 });
  t.equal((await pool.ask()).body, 'ok');
  await backend.abandoned();
  t.equal((await pool.ask()).body, 'ok');
  t.equal(backend.connections.length, 2);
});
