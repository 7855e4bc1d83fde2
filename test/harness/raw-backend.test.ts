import t from 'tap';
import { answering, okAnswer, startRawBackend } from './raw-backend.ts';
import { connectRaw } from './raw-client.ts';

t.jobs = 8;

const GET = 'GET /caf\xe9 HTTP/1.1\r\nHost: a\r\nX-Dup: 1\r\nx-dup: 2\r\n\r\n';

void t.test('requests are recorded byte for byte, on the connection they came on', async (t) => {
  const backend = await startRawBackend(t);
  const client = await connectRaw(t, { port: backend.port });
  t.equal((await client.request(GET)).status, 200);
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc';
  t.equal((await client.request(post)).status, 200);
  await (await connectRaw(t, { port: backend.port })).request(GET);
  t.equal(backend.connections.length, 2);
  t.equal(backend.connections[0]?.received, GET + post);
  t.strictSame(
    backend.requests.map(({ method, target }) => `${method} ${target}`),
    ['GET /caf\xe9', 'POST /', 'GET /caf\xe9'],
  );
  t.equal(backend.requests[0]?.rawHead, GET);
  t.strictSame(backend.violations, []);
});

void t.test(
  'a body that the script left alone is drained, and what follows it is seen as a second request',
  async (t) => {
    const backend = await startRawBackend(t, async (exchange) => {
      await exchange.send(okAnswer());
    });
    const client = await connectRaw(t, { port: backend.port });
    await client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nT: 1\r\n\r\n${GET}`,
    );
    await client.answer();
    await client.answer();
    t.strictSame(backend.requests[0]?.body.trailers, [['T', '1']]);
    t.equal(backend.requests.length, 2);
  },
);

void t.test('anything that is not valid HTTP is a violation', async (t) => {
  for (const bytes of [
    'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET / HTTP/1.0\r\nHost: a\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n',
    'GET / HTTP/1.1\nHost: a\r\n\r\n',
    'GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcd',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n',
  ]) {
    const backend = await startRawBackend(t, async () => undefined);
    const client = await connectRaw(t, { port: backend.port });
    await client.send(bytes);
    client.finish();
    await client.rest();
    t.equal(backend.violations.length, 1, JSON.stringify(bytes));
  }
});

void t.test('an aborted connection is an event', async (t) => {
  const gone: string[] = [];
  const backend = await startRawBackend(t, async (exchange) => {
    gone.push(await exchange.gone);
  });
  for (const end of ['fin', 'reset'] as const) {
    const client = await connectRaw(t, { port: backend.port });
    await client.send(GET);
    await backend.request(backend.requests.length + 1).catch(() => undefined);
    if (end === 'fin') client.finish();
    else client.abort();
    t.equal(await backend.connections.at(-1)?.gone, end);
  }
  await backend.abandoned();
  t.strictSame(gone, ['fin', 'reset']);
});

void t.test('a script that fails fails the test', async (t) => {
  const ends: (() => void | Promise<void>)[] = [];
  const backend = await startRawBackend({ teardown: (end) => void ends.push(end) }, () => {
    throw new Error('broken script');
  });
  const client = await connectRaw(t, { port: backend.port });
  await client.send(GET);
  await client.rest();
  await t.rejects(Promise.all(ends.map(async (end) => end())), { message: 'a backend script failed' });
});

void t.test('a held answer is given when the script goes on', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const backend = await startRawBackend(t, async (exchange) => {
    await promise;
    await answering(okAnswer('late'))(exchange);
  });
  const client = await connectRaw(t, { port: backend.port });
  await client.send(GET);
  await backend.request();
  resolve();
  t.equal((await client.answer()).body.toString(), 'late');
});
