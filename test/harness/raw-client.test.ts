import net from 'node:net';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { CutError } from './byte-reader.ts';
import { createAuthority } from './certificates.ts';
import { connectRaw, type RawClient } from './raw-client.ts';

t.jobs = 8;

/** A client whose peer sends these pieces, each as a segment of its own, and then ends. */
async function against(
  t: Test,
  pieces: string[],
  end: 'fin' | 'reset' | 'open' = 'open',
): Promise<RawClient> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    void (async () => {
      for (const piece of pieces) {
        await new Promise((resolve) => socket.write(piece, 'latin1', resolve));
        await new Promise(setImmediate);
      }
      if (end === 'fin') socket.end();
      if (end === 'reset') socket.resetAndDestroy();
    })();
    t.teardown(() => {
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return connectRaw(t, { port: address.port });
}

void t.test('a head keeps case, order and duplicates, whatever the segments', async (t) => {
  const bytes =
    'HTTP/1.1 200 Fine by me\r\nB: 1\r\na:2\r\nSet-Cookie: x\r\nSet-Cookie: y\r\nContent-Length: 0\r\n\r\n';
  const answer = await (await against(t, bytes.split(''))).answer();
  t.equal(answer.head.version, 'HTTP/1.1');
  t.equal(answer.head.reason, 'Fine by me');
  t.strictSame(answer.head.headers.slice(0, 2), [
    ['B', '1'],
    ['a', '2'],
  ]);
  t.strictSame(answer.head.values('set-cookie'), ['x', 'y']);
  t.throws(() => answer.head.value('set-cookie'), /2 times/);
  t.equal(answer.head.raw, bytes);
});

void t.test('chunks, extensions and trailers are read', async (t) => {
  const bytes =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Sum: 13\r\n\r\n';
  for (const pieces of [[bytes], bytes.split('')]) {
    const answer = await (await against(t, pieces)).answer();
    t.equal(answer.body.toString(), 'abc0123456789');
    t.strictSame(answer.head.body.extensions, [';a=b']);
    t.strictSame(answer.trailers, [['X-Sum', '13']]);
    t.equal(answer.ending, 'complete');
  }
});

void t.test('pipelined answers are told apart, and 1xx answers come before theirs', async (t) => {
  const client = await against(t, [
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
  ]);
  const first = await client.answer();
  t.equal(first.interim[0]?.value('link'), '</a>');
  t.equal(first.body.toString(), '1');
  t.equal((await client.answer()).status, 204);
  t.equal((await client.answer('HEAD')).head.value('content-length'), '5');
  t.equal((await client.answer()).status, 304);
});

void t.test('a body without a length lasts until the connection closes, and a reset cuts it', async (t) => {
  const bytes = ['HTTP/1.0 200 OK\r\n\r\nabc'];
  const whole = await (await against(t, bytes, 'fin')).answer();
  t.strictSame([whole.body.toString(), whole.ending], ['abc', 'complete']);
  const cut = await (await against(t, bytes, 'reset')).answer().catch((error: unknown) => error);
  t.ok(cut instanceof CutError || (cut instanceof Object && 'ending' in cut && cut.ending === 'cut'));
});

void t.test('an end inside a body of known length cuts it, an end inside a head throws', async (t) => {
  for (const bytes of [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n0123',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n0\r\n',
  ]) {
    const answer = await (await against(t, [bytes], 'fin')).answer();
    t.strictSame([answer.body.toString(), answer.ending], ['0123', 'cut']);
  }
  await t.rejects((await against(t, ['HTTP/1.1 200 OK\r\nA: '], 'fin')).answer(), new CutError('fin'));
  await t.rejects((await against(t, [], 'fin')).answer(), new CutError('fin'));
});

void t.test('what no strict reader accepts is refused', async (t) => {
  for (const bytes of [
    'HTTP/1.1 200 OK\nA: b\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 200\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: \0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n',
  ]) {
    await t.rejects((await against(t, [bytes])).answer(), { name: 'WireError' }, JSON.stringify(bytes));
  }
});

void t.test('TLS is spoken on request', async (t) => {
  const authority = createAuthority();
  const { promise, resolve } = Promise.withResolvers<string>();
  const server = tls.createServer({ ...authority.server('127.0.0.1'), ca: authority.cert }, (socket) => {
    socket.once('data', (data: Buffer) => {
      resolve(data.toString());
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  const client = await connectRaw(t, { port: address.port, tls: { ca: authority.cert } });
  t.equal((await client.request('GET / HTTP/1.1\r\n\r\n')).status, 200);
  t.equal(await promise, 'GET / HTTP/1.1\r\n\r\n');
});
