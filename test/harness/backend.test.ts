import { createHash } from 'node:crypto';
import t from 'tap';
import { startBackend } from './backend.ts';
import { connectRaw } from './raw-client.ts';

void t.test('a request is remembered with its body’s digest and its trailers', async (t) => {
  const backend = await startBackend(t);
  const client = await connectRaw(t, { port: backend.port });
  const answer = await client.request(
    'POST /a HTTP/1.1\r\nHost: a\r\nX-Up: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n',
  );
  t.equal(answer.status, 200);
  const [seen] = backend.requests;
  t.match(seen, { method: 'POST', url: '/a', bodyBytes: 3, complete: true, trailers: { t: '1' } });
  t.equal(seen?.bodySha256, createHash('sha256').update('abc').digest('hex'));
  t.strictSame(seen?.rawHeaders.slice(2, 4), ['X-Up', '1']);
  client.abort();
  await backend.abandoned();
});

void t.test('a handler that fails cuts the connection', async (t) => {
  const backend = await startBackend(t, () => {
    throw new Error('broken handler');
  });
  const client = await connectRaw(t, { port: backend.port });
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  t.equal((await client.rest()).length, 0);
});
