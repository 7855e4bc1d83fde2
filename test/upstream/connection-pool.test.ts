import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { type Exchange, okAnswer, startRawBackend } from '../harness/raw-backend.ts';
import { poolOf, type RecordedExchange } from './recorded-exchange.ts';

t.jobs = 4;

/** Answers with the request's target, and which connection it came over. */
async function naming(exchange: Exchange): Promise<void> {
  await exchange.body();
  await exchange.send(okAnswer(exchange.request.target));
}

/** The backend's script waits for each request that begins with `/wait` until it is let go. */
function gate(): { script: (exchange: Exchange) => Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const script = async (exchange: Exchange): Promise<void> => {
    if (exchange.request.target.startsWith('/wait')) await promise;
    await naming(exchange);
  };
  return { script, open: resolve };
}

void t.test('the connection that was used last is used first', async (t) => {
  const { script, open } = gate();
  const backend = await startRawBackend(t, script);
  const pool = poolOf(t, backend);
  const first = pool.send({ path: '/wait' });
  await backend.request();
  const second = await pool.ask({ path: '/second' });
  open();
  await first.over();
  for (let n = 0; n < 3; n += 1)
    t.equal((await pool.ask()).connection, first.connection, 'not the other one');
  t.not(first.connection, second.connection);
  t.equal(backend.connections.length, 2);
  t.equal(pool.client.pending, 0);
});

void t.test('requests that wait are sent in the order in which they came', async (t) => {
  const { script, open } = gate();
  const backend = await startRawBackend(t, script);
  const pool = poolOf(t, backend, { connectionsMax: 1 });
  const exchanges = ['/wait', '/1', '/2', '/3', '/4'].map((path) => pool.send({ path }));
  t.equal(pool.client.pending, 5);
  await backend.request();
  open();
  for (const exchange of exchanges) await exchange.over();
  t.strictSame(
    backend.requests.map(({ target }) => target),
    ['/wait', '/1', '/2', '/3', '/4'],
  );
  t.strictSame(
    exchanges.map(({ body }) => body),
    ['/wait', '/1', '/2', '/3', '/4'],
  );
  t.equal(backend.connections.length, 1);
});

void t.test('there are never more connections than allowed', async (t) => {
  const backend = await startRawBackend(t, naming);
  const pool = poolOf(t, backend, { connectionsMax: 3 });
  const exchanges = Array.from({ length: 40 }, (_, n) => pool.send({ path: `/${n}` }));
  for (const exchange of exchanges) t.match((await exchange.over()).body, /^\/\d/);
  t.equal(backend.connections.length, 3);
});

void t.test('a request that is taken back is not sent, and the others are', async (t) => {
  const { script, open } = gate();
  const backend = await startRawBackend(t, script);
  const pool = poolOf(t, backend, { connectionsMax: 1 });
  const first = pool.send({ path: '/wait' });
  const taken = pool.send({ path: '/taken' });
  const last = pool.send({ path: '/last' });
  await backend.request();
  t.equal(pool.client.takeBack(taken), true);
  taken.isGivenUp = true;
  t.equal(pool.client.takeBack(taken), false, 'only once');
  t.equal(pool.client.takeBack(first), false, 'it was sent');
  t.equal(pool.client.pending, 2);
  open();
  await last.over();
  t.equal(pool.client.takeBack(last), false, 'it is over');
  t.strictSame(
    backend.requests.map(({ target }) => target),
    ['/wait', '/last'],
  );
});

void t.test('a request that is taken back leaves its connection to the next one', async (t) => {
  const backend = await startRawBackend(t, naming);
  const pool = poolOf(t, backend);
  const taken = pool.send({ path: '/taken' });
  pool.client.takeBack(taken);
  taken.isGivenUp = true;
  t.equal(pool.client.pending, 0);
  t.equal((await pool.ask({ path: '/next' })).body, '/next');
  t.equal(backend.connections.length, 1);
});

void t.test(
  'a request that is aborted as it is sent leaves nothing on the wire, and its connection',
  async (t) => {
    const backend = await startRawBackend(t, naming);
    const pool = poolOf(t, backend, { connectionsMax: 1 });
    const aborting = { sending: (exchange: RecordedExchange) => exchange.abort() };
    await pool.ask({ path: '/first' });
    t.strictSame(pool.send({ path: '/idle' }, aborting).events, ['sending']);
    t.equal(pool.client.pending, 0);
    const first = pool.send({ path: '/second' });
    const waiting = [pool.send({ path: '/a' }, aborting), pool.send({ path: '/b' }, aborting)];
    const last = pool.send({ path: '/last' });
    await last.over();
    t.strictSame(
      waiting.map(({ events }) => events),
      [['sending'], ['sending']],
    );
    t.equal(last.connection, first.connection);
    t.strictSame(
      backend.requests.map(({ target }) => target),
      ['/first', '/second', '/last'],
    );
    t.equal(backend.connections.length, 1);
  },
);

void t.test('very many that are aborted as they are sent do not fill the stack', async (t) => {
  const backend = await startRawBackend(t, naming);
  const pool = poolOf(t, backend, { connectionsMax: 1 });
  for (let n = 0; n < 50_000; n += 1)
    pool.send({ path: '/fenced' }, { sending: (exchange) => exchange.abort() });
  t.equal((await pool.ask({ path: '/last' })).body, '/last');
  t.equal(backend.requests.length, 1);
});

void t.test(
  'one that is paused and aborted as it is sent does not leave its connection paused',
  async (t) => {
    const backend = await startRawBackend(t, naming);
    const pool = poolOf(t, backend, { connectionsMax: 1 });
    const first = await pool.ask();
    const paused = pool.send(
      {},
      {
        sending: (exchange) => {
          exchange.connection?.pause(exchange);
          exchange.abort();
        },
      },
    );
    t.equal((await pool.ask({ path: '/next' })).body, '/next');
    t.equal(paused.connection, first.connection);
  },
);

void t.test('what cannot be sent fails alone: its connection carries the next one', async (t) => {
  const backend = await startRawBackend(t, naming);
  const pool = poolOf(t, backend, { connectionsMax: 1 });
  const pausing = { sending: (exchange: RecordedExchange) => exchange.connection?.pause(exchange) };
  const unsendable = pool.send({ path: '/a b' }, pausing);
  const throwing = pool.send(
    {},
    {
      sending: () => {
        throw new Error('of the handler');
      },
    },
  );
  const next = await pool.ask({ path: '/next' });
  t.strictSame(unsendable.events, ['sending', 'error']);
  t.equal(unsendable.error?.name, 'UnsendableRequest');
  t.strictSame([throwing.events, throwing.error?.message], [['sending', 'error'], 'of the handler']);
  t.equal(next.body, '/next');
  t.equal(backend.connections.length, 1);
  t.strictSame(
    backend.requests.map(({ target }) => target),
    ['/next'],
  );
});

void t.test(
  'what is done to an exchange that is over is not done to the next on its connection',
  async (t) => {
    const sent = Promise.withResolvers<void>();
    const { promise, resolve } = Promise.withResolvers<void>();
    const backend = await startRawBackend(t, async (exchange) => {
      if (exchange.request.target === '/second') await promise;
      await naming(exchange);
      if (exchange.request.target === '/third') sent.resolve();
    });
    const pool = poolOf(t, backend, { connectionsMax: 1 });
    const first = await pool.ask({ path: '/first' });
    const second = pool.send({ path: '/second' });
    t.equal(second.connection, first.connection);
    first.connection?.abort(first);
    first.connection?.pause(first);
    resolve();
    t.equal((await second.over()).body, '/second', 'neither aborted nor paused');
    const pausing = { sending: (exchange: RecordedExchange) => exchange.connection?.pause(exchange) };
    const third = pool.send({ path: '/third' }, pausing);
    first.connection?.resume(first);
    second.connection?.resume(second);
    // What the backend has sent comes only when the right one resumes.
    await sent.promise;
    for (let rounds = 0; rounds < 5; rounds += 1) await setImmediate();
    t.strictSame(third.events, ['sending']);
    third.connection?.resume(third);
    t.equal((await third.over()).body, '/third');
    t.equal(backend.connections.length, 1);
  },
);

void t.test(
  'a piece of an answer that is beyond it, or that nobody asked for, ends the connection',
  async (t) => {
    const backend = await startRawBackend(t, async (exchange) => {
      const { target } = exchange.request;
      await exchange.send(target === '/beyond' ? `${okAnswer('own')}x` : okAnswer('own'));
      if (target === '/unasked') await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
    const pool = poolOf(t, backend);
    for (const [n, path] of ['/beyond', '/unasked'].entries()) {
      t.equal((await pool.ask({ path })).body, 'own');
      await (await backend.connection(n + 1)).gone;
    }
    t.equal((await pool.ask({ path: '/last' })).body, 'own');
    t.equal(backend.connections.length, 3);
    t.equal(pool.client.pending, 0);
  },
);

void t.test('answers that end the connection are given whole, and it is not used again', async (t) => {
  const answers: Record<string, string> = {
    '/close': 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nown',
    '/old': 'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nown',
    '/until': 'HTTP/1.1 200 OK\r\n\r\nown',
    '/zero': okAnswer('own', 'Keep-Alive: timeout=0\r\n'),
    '/one': okAnswer('own', 'Keep-Alive: timeout=1\r\n'),
  };
  const backend = await startRawBackend(t, async (exchange) => {
    const { target } = exchange.request;
    await exchange.send(answers[target] ?? '');
    if (target === '/until') exchange.finish();
  });
  const pool = poolOf(t, backend);
  for (const path of Object.keys(answers)) t.equal((await pool.ask({ path })).body, 'own', path);
  t.equal(backend.connections.length, Object.keys(answers).length);
  await backend.abandoned();
});

void t.test('an idle connection that the backend closes is not used', async (t) => {
  const backend = await startRawBackend(t, async (exchange) => {
    await naming(exchange);
    if (exchange.request.target === '/bye') exchange.finish();
  });
  const pool = poolOf(t, backend);
  await pool.ask({ path: '/bye' });
  await (await backend.connection()).gone;
  t.equal((await pool.ask({ path: '/next' })).body, '/next');
  t.equal(backend.connections.length, 2);
});
