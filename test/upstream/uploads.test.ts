import { PassThrough, Readable } from 'node:stream';
import t from 'tap';
import { READ_BYTES_MAX } from '../../src/upstream/backend-connection.ts';
import { type Exchange, okAnswer, startRawBackend } from '../harness/raw-backend.ts';
import { headerValues } from '../harness/wire-message.ts';
import { poolOf, type RecordedExchange } from './recorded-exchange.ts';

t.jobs = 4;

/** Answers with what it was sent. */
async function echo(exchange: Exchange): Promise<void> {
  await exchange.send(okAnswer((await exchange.body()).toString('latin1')));
}

/** Bytes without end, and how many of them were taken. */
function endless(): { body: Readable; taken: () => number } {
  let bytes = 0;
  const body = new Readable({
    highWaterMark: 65_536,
    read() {
      bytes += 16_384;
      this.push(Buffer.alloc(16_384, 'x'));
    },
  });
  return { body, taken: () => bytes };
}

void t.test('a body goes out in chunks, or by its length, with nothing added', async (t) => {
  const backend = await startRawBackend(t, echo);
  const pool = poolOf(t, backend);
  const pieces = (): Readable => Readable.from([Buffer.from('ab'), Buffer.alloc(0), Buffer.from('c')]);
  for (const contentLength of [undefined, 3]) {
    const exchange = await pool.ask({ method: 'PUT', body: pieces(), contentLength });
    t.equal(exchange.body, 'abc');
    const { headers, body } = backend.requests.at(-1) ?? { headers: [], body: undefined };
    t.strictSame(headerValues(headers, 'content-length'), contentLength === undefined ? [] : ['3']);
    t.equal(body?.framing.kind, contentLength === undefined ? 'chunked' : 'length');
  }
  for (const size of [0, 1, 16_384, 16_385, 65_536]) {
    const whole = Buffer.alloc(size, '\xff', 'latin1');
    const body = [whole.subarray(0, size >> 1), whole.subarray(size >> 1)];
    const exchange = await pool.ask({ method: 'PUT', body });
    t.strictSame([exchange.bodyBytes, exchange.body === '\xff'.repeat(size)], [size, true], `whole, ${size}`);
  }
  t.equal(backend.connections.length, 1, 'it is used again');
  t.strictSame(backend.violations, []);
});

void t.test('trailers go out behind chunks', async (t) => {
  const backend = await startRawBackend(t, echo);
  const pool = poolOf(t, backend);
  await pool.ask({
    method: 'PUT',
    body: Readable.from([Buffer.from('a')]),
    trailers: () => ['X-T', 'u', 'x-v', ''],
  });
  t.strictSame(backend.requests[0]?.body.trailers, [
    ['X-T', 'u'],
    ['x-v', ''],
  ]);
});

void t.test('trailers that cannot be sent fail their request', async (t) => {
  const backend = await startRawBackend(t, echo);
  const pool = poolOf(t, backend);
  for (const trailers of [
    () => ['X-T', 'a\r\nGET / HTTP/1.1'],
    (): never => {
      throw new Error('of the caller');
    },
  ]) {
    const exchange = await pool.ask({ method: 'PUT', body: Readable.from([Buffer.from('a')]), trailers });
    t.strictSame(exchange.events, ['sending', 'error']);
  }
  await backend.abandoned();
  t.notMatch(backend.connections.map(({ received }) => received).join(''), 'X-T');
});

void t.test('a body that is longer or shorter than its length, or is cut, fails its request', async (t) => {
  const backend = await startRawBackend(t, async (exchange) => {
    await exchange.body();
    await exchange.gone;
  });
  const pool = poolOf(t, backend);
  const cut = (error?: Error): Readable => {
    const body = new PassThrough();
    body.write('ab');
    body.once('resume', () => setImmediate(() => body.destroy(error)));
    return body;
  };
  const closed = { code: 'client_closed_upload' };
  for (const [name, body, contentLength, error] of [
    ['longer', Readable.from([Buffer.from('ab'), Buffer.from('cd')]), 3, closed],
    ['shorter', Readable.from([Buffer.from('ab')]), 3, closed],
    ['cut', cut(), 3, closed],
    ['cut, in chunks', cut(), undefined, closed],
    ['failed', cut(new Error('of the body')), undefined, { message: 'of the body' }],
  ] as const) {
    const exchange = await pool.ask({ method: 'PUT', body, contentLength });
    t.match(exchange.error, error, name);
    t.strictSame(exchange.events, ['sending', 'error'], name);
    t.ok(body.destroyed, name);
  }
  await backend.abandoned();
  t.notMatch(
    backend.connections.map(({ received }) => received).join(''),
    /cd|0\r\n\r\n/,
    'no end that it had not',
  );
});

void t.test('a body that had ended before its request was sent costs no connection', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const backend = await startRawBackend(t, async (exchange) => {
    await promise;
    await echo(exchange);
  });
  const pool = poolOf(t, backend, { connectionsMax: 1 });
  const first = pool.send();
  const body = new PassThrough();
  const waiting = pool.send({ method: 'PUT', body });
  body.destroy();
  resolve();
  await first.over();
  t.match((await waiting.over()).error, { code: 'client_closed_upload' });
  await pool.ask();
  t.equal(backend.connections.length, 1);
  t.equal(backend.requests.length, 2);
});

void t.test('an early answer is given, and ends the upload and the connection', async (t) => {
  const backend = await startRawBackend(t, async (exchange) => {
    if (exchange.request.method === 'PUT') await exchange.send(okAnswer('early'));
    else await exchange.send(okAnswer('own'));
  });
  const pool = poolOf(t, backend);
  for (const contentLength of [undefined, 1_000_000_000]) {
    const { body } = endless();
    const early = await pool.ask({ method: 'PUT', body, contentLength });
    t.equal(early.body, 'early');
    t.ok(body.destroyed);
    const next = await pool.ask();
    t.equal(next.body, 'own');
    t.not(next.connection, early.connection);
  }
});

void t.test('a backend that does not read makes the upload wait', async (t) => {
  const stalled = Promise.withResolvers<Exchange>();
  const backend = await startRawBackend(t, async (exchange) => {
    exchange.pause();
    stalled.resolve(exchange);
    await exchange.gone;
  });
  const pool = poolOf(t, backend);
  const { body, taken } = endless();
  const paused = new Promise<void>((resolve) => {
    body.on('pause', resolve);
  });
  const exchange = pool.send({ method: 'PUT', body });
  await stalled.promise;
  await paused;
  // It goes on as far as the system takes it; then nothing more is taken out of the body.
  let before = -1;
  for (let rounds = 0; rounds < 20 || taken() !== before; rounds += 1) {
    before = taken();
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(body.isPaused());
  t.ok(taken() < 64 * 1024 * 1024, `${taken()} bytes`);
  exchange.abort();
  t.ok(body.destroyed);
  (await stalled.promise).resume();
  await backend.abandoned();
});

void t.test('a taker that is paused makes the backend wait, and gets every byte', async (t) => {
  const size = 48 * 1024 * 1024;
  const answer = Promise.withResolvers<Exchange>();
  let isSent = false;
  const backend = await startRawBackend(t, async (exchange) => {
    answer.resolve(exchange);
    await exchange.send(
      Buffer.concat([
        Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`),
        Buffer.alloc(size, 'x'),
      ]),
    );
    isSent = true;
  });
  const pool = poolOf(t, backend);
  let bytes = 0;
  const exchange = pool.send(
    {},
    {
      data: (one: RecordedExchange) => {
        bytes += one.pieces.splice(0).reduce((sum, piece) => sum + piece.length, 0);
        if (bytes === one.bodyBytes) one.connection?.pause(one);
      },
    },
  );
  await exchange.told('data');
  for (let rounds = 0; rounds < 50; rounds += 1) await new Promise((resolve) => setImmediate(resolve));
  t.ok(exchange.bodyBytes <= READ_BYTES_MAX, 'one read at the most');
  t.notOk(isSent);
  while (!exchange.isOver) {
    const before = exchange.bodyBytes;
    exchange.connection?.resume(exchange);
    await exchange.until(() => exchange.isOver || exchange.bodyBytes > before, 'more');
    t.ok(exchange.bodyBytes - before <= READ_BYTES_MAX || exchange.isOver, 'one read for each time');
  }
  t.equal(bytes, size);
});
