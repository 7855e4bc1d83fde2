/** What fails, and how: each request is told of its end once, whatever its handler does meanwhile. */
import net from 'node:net';
import t from 'tap';
import { MalformedAnswer } from '../../src/upstream/answer-head.ts';
import { ConnectionFailure } from '../../src/upstream/connection-failure.ts';
import { refusingPort } from '../faults/refuse.ts';
import { okAnswer, type Script, startRawBackend } from '../harness/raw-backend.ts';
import { poolOf, type RecordedExchange, TestPool } from './recorded-exchange.ts';

t.jobs = 4;

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

function kindOf({ error }: RecordedExchange): string | undefined {
  return error instanceof ConnectionFailure ? error.kind : error?.name;
}

/** Sends this, and leaves the rest to the gateway. */
function sending(bytes: string): Script {
  return async (exchange) => {
    await exchange.send(bytes);
    await exchange.gone;
  };
}

void t.test(
  'a connect that fails fails the one that has waited the longest, and the others go on',
  async (t) => {
    const pool = poolOf(t, { port: await refusingPort(t) }, { connectionsMax: 1 });
    const order: number[] = [];
    const exchanges = [0, 1, 2].map((n) => pool.send({}, { error: () => order.push(n) }));
    for (const exchange of exchanges) t.match((await exchange.over()).error, { code: 'ECONNREFUSED' });
    t.strictSame(order, [0, 1, 2]);
    t.equal(pool.client.pending, 0);
  },
);

void t.test('a connect that fails fails no one else than who waits for it', async (t) => {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const pool = poolOf(t, { port }, { connectionsMax: 1 });
  const first = pool.send({ path: '/first' });
  const second = pool.send({ path: '/second' });
  await first.told('sending');
  // Nobody listens any more when the second one's connection is made.
  server.close();
  sockets[0]?.destroy();
  t.equal(kindOf(await first.over()), 'closed');
  t.match((await second.over()).error, { code: 'ECONNREFUSED' });
  t.strictSame(second.events, ['error']);
});

void t.test('a request that is sent again where it failed, in its handler, is a new one', async (t) => {
  const pool = poolOf(t, { port: await refusingPort(t) });
  const { promise, resolve } = Promise.withResolvers<RecordedExchange>();
  const first = pool.send({}, { error: () => resolve(pool.send()) });
  t.strictSame((await (await promise).over()).events, ['error']);
  t.strictSame(first.events, ['error']);
});

const BROKEN: readonly [name: string, answer: string][] = [
  ['chunks that are none, behind one', `${CHUNKED}2\r\nok\r\nxyz\r\n`],
  ['a trailer that is none', `${CHUNKED}2\r\nok\r\n0\r\nX\r\n\r\n`],
  ['a second head that is none', 'HTTP/1.1 103 Early Hints\r\n\r\nX\r\n\r\n'],
];

for (const [name, answer] of BROKEN) {
  void t.test(`an answer with ${name} fails, unless its taker has gone, and nothing else does`, async (t) => {
    const backend = await startRawBackend(t, async (exchange) => {
      await exchange.send(exchange.request.target === '/own' ? okAnswer('own') : answer);
    });
    const pool = poolOf(t, backend);
    t.ok((await pool.ask()).error instanceof MalformedAnswer);
    for (const event of ['begun', 'head', 'data'] as const) {
      // What comes in one piece with what made it leave is still read.
      const left = pool.send({}, { [event]: (exchange: RecordedExchange) => exchange.abort() });
      if (event === 'data' && !answer.includes('2\r\nok')) {
        t.ok((await left.over()).error instanceof MalformedAnswer);
        continue;
      }
      await left.told(event);
      t.equal(left.events.at(-1), event);
    }
    t.equal((await pool.ask({ path: '/own' })).body, 'own');
    t.equal(pool.client.pending, 0);
  });
}

void t.test('what a handler throws fails its request, and that one only', async (t) => {
  const backend = await startRawBackend(t, async (exchange) => {
    await exchange.send(okAnswer('own'));
  });
  const pool = poolOf(t, backend);
  for (const event of ['begun', 'head', 'data'] as const) {
    const failure = new Error('of the handler');
    const throwing = (): void => {
      throw failure;
    };
    const failed = await pool.ask({}, { [event]: throwing });
    t.equal(failed.error, failure);
    t.strictSame(failed.events.slice(-2), [event, 'error']);
    t.equal((await pool.ask()).body, 'own');
  }
  t.equal(pool.client.pending, 0);
});

void t.test('an answer that is cut fails, one that may end with the connection does not', async (t) => {
  const answers: Record<string, string> = {
    '/nothing': '',
    '/head': 'HTTP/1.1 200 OK\r\nX: y',
    '/interim': 'HTTP/1.1 103 Early Hints\r\n\r\n',
    '/sized': 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nown',
    '/chunks': `${CHUNKED}3\r\nown\r\n`,
    '/trailers': `${CHUNKED}3\r\nown\r\n0\r\n`,
    '/whole': 'HTTP/1.1 200 OK\r\n\r\nown',
  };
  const backend = await startRawBackend(t, async (exchange) => {
    await exchange.send(answers[exchange.request.target] ?? '');
    exchange.finish();
  });
  const pool = poolOf(t, backend);
  for (const path of Object.keys(answers)) {
    const exchange = await pool.ask({ path });
    if (path === '/whole') t.strictSame([exchange.body, exchange.error], ['own', undefined]);
    else t.strictSame([kindOf(exchange), exchange.events.at(-1)], ['closed', 'error'], path);
  }
});

void t.test('a failure says whether the connection had carried an answer before', async (t) => {
  const backend = await startRawBackend(t, async (exchange) => {
    if (exchange.request.target === '/own') await exchange.send(okAnswer('own'));
    else exchange.abort();
  });
  const pool = poolOf(t, backend);
  const fresh = await pool.ask({ path: '/cut' });
  await pool.ask({ path: '/own' });
  const used = await pool.ask({ path: '/cut' });
  t.match(
    [fresh.error, used.error],
    [
      { kind: 'closed', wasUsed: false },
      { kind: 'closed', wasUsed: true },
    ],
  );
});

void t.test('what is in flight, connecting or waiting fails once when the pool is destroyed', async (t) => {
  const backend = await startRawBackend(t, async (exchange) => {
    if (exchange.request.target === '/idle') await exchange.send(okAnswer());
    else if (exchange.request.target === '/half') await sending(`${CHUNKED}2\r\nok\r\n`)(exchange);
    else await exchange.gone;
  });
  const pool = poolOf(t, backend, { connectionsMax: 3 });
  const exchanges = [pool.send({ path: '/half' }), pool.send({ path: '/sent' })];
  await exchanges[0]?.told('data');
  await backend.request(2);
  await pool.ask({ path: '/idle' });
  for (const path of ['/also', '/waits', '/too']) exchanges.push(pool.send({ path }));
  pool.client.destroy();
  for (const exchange of exchanges) t.equal(kindOf(exchange), 'closed');
  t.equal(pool.client.pending, 0);
  pool.client.destroy();
  t.strictSame(pool.send().events, ['error'], 'a request at a pool that is destroyed');
  await backend.abandoned();
});

void t.test('a pool may be destroyed by a handler, wherever it is told something', async (t) => {
  for (const event of ['sending', 'begun', 'head', 'data', 'end', 'error'] as const) {
    const backend = await startRawBackend(t, async (exchange) => {
      if (event === 'error') exchange.abort();
      else await exchange.send(okAnswer('own'));
    });
    const pool = poolOf(t, backend, { connectionsMax: 1 });
    const destroying = pool.send({}, { [event]: () => pool.client.destroy() });
    const waiting = [pool.send(), pool.send({}, { error: () => pool.send() })];
    await destroying.over();
    t.equal(destroying.events.at(-1), event === 'end' ? 'end' : 'error', event);
    for (const exchange of waiting) t.strictSame((await exchange.over()).events, ['error'], event);
    t.equal(pool.client.pending, 0);
    await backend.abandoned();
  }
});

void t.test(
  'a handler may send, abort others and take others back while the pool is destroyed',
  async (t) => {
    const backend = await startRawBackend(t, (exchange) => void exchange.gone);
    const pool = new TestPool(`http://127.0.0.1:${backend.port}`, { connectionsMax: 2 });
    const others: RecordedExchange[] = [];
    const first = pool.send(
      {},
      {
        error: () => {
          for (const other of others) {
            if (!pool.client.takeBack(other)) other.connection?.abort(other);
            other.isGivenUp = true;
          }
          pool.send();
        },
      },
    );
    others.push(pool.send(), pool.send(), pool.send());
    await backend.request(2);
    pool.client.destroy();
    t.strictSame(first.events, ['sending', 'error']);
    t.strictSame(
      others.map(({ events }) => events),
      [['sending'], [], []],
    );
    pool.stop();
  },
);

void t.test('a handler may send the next request wherever it is told something', async (t) => {
  const backend = await startRawBackend(t, async (exchange) => {
    await exchange.send(okAnswer('own'));
  });
  for (const connectionsMax of [1, 2]) {
    const pool = poolOf(t, backend, { connectionsMax });
    for (const event of ['sending', 'begun', 'head', 'data', 'end'] as const) {
      const nexts: RecordedExchange[] = [];
      const first = await pool.ask({}, { [event]: () => nexts.push(pool.send()) });
      t.equal(first.body, 'own');
      for (const next of nexts) t.equal((await next.over()).body, 'own');
      t.equal(nexts.length, 1);
      const replaced: RecordedExchange[] = [];
      const aborted = pool.send(
        {},
        {
          [event]: (exchange: RecordedExchange) => {
            if (event !== 'end') exchange.abort();
            replaced.push(pool.send());
          },
        },
      );
      await aborted.told(event);
      for (const next of replaced) t.equal((await next.over()).body, 'own');
    }
    t.equal(pool.client.pending, 0);
  }
});
