import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { fetchJson } from '../../src/upstream/fetch-json.ts';

async function serve(test: { teardown(work: () => void): void }, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return `http://127.0.0.1:${address.port}`;
}

void t.test('the text of a document comes back as it was sent', async (t) => {
  const origin = await serve(t, (_, response) => response.end('{"name":"żółw"}'));
  t.equal(await fetchJson(`${origin}/a`), '{"name":"żółw"}');
});

void t.test('another status than 200 is an error that names it', async (t) => {
  const origin = await serve(t, (_, response) => response.writeHead(404).end());
  await t.rejects(fetchJson(origin), /answered 404/);
});

void t.test('redirects are followed three times at most', async (t) => {
  const paths: string[] = [];
  const origin = await serve(t, (request, response) => {
    paths.push(request.url ?? '');
    const step = Number(request.url?.slice(1));
    if (step === 0) response.end('here');
    else response.writeHead(302, { location: `/${step - 1}` }).end();
  });
  t.equal(await fetchJson(`${origin}/3`), 'here');
  t.strictSame(paths, ['/3', '/2', '/1', '/0']);
  await t.rejects(fetchJson(`${origin}/9`), /more than 3 times/);
});

void t.test('a redirect to another scheme is refused', async (t) => {
  for (const location of ['https://127.0.0.1/x', 'file:///etc/passwd', 'data:application/json,{}']) {
    const origin = await serve(t, (_, response) => response.writeHead(302, { location }).end());
    await t.rejects(fetchJson(origin), /redirects from http: to/);
  }
});

void t.test('a redirect without a target is an error', async (t) => {
  const origin = await serve(t, (_, response) => response.writeHead(302).end());
  await t.rejects(fetchJson(origin), /answered 302/);
});

void t.test('a document over the bound is refused, compressed or not', async (t) => {
  const large = 'x'.repeat(100_000);
  const plain = await serve(t, (_, response) => response.end(large));
  await t.rejects(fetchJson(plain, { bytesMax: 99_999 }), /over 99999 bytes/);
  t.equal((await fetchJson(plain, { bytesMax: 100_000 })).length, 100_000);
  const packed = await serve(t, (_, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(large)),
  );
  await t.rejects(fetchJson(packed, { bytesMax: 99_999 }), /over 99999 bytes/);
  t.equal((await fetchJson(packed, { bytesMax: 100_000 })).length, 100_000);
});

void t.test('a document that is cut, or coded in another way than was asked for, is an error', async (t) => {
  const cut = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '10' }).write('{', () => response.destroy());
  });
  await t.rejects(fetchJson(cut), /aborted/);
  const packed = gzipSync('{"keys":[]}');
  const cutPacked = await serve(t, (_, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed.subarray(0, packed.length - 4)),
  );
  await t.rejects(fetchJson(cutPacked), /unexpected end of file/);
  const other = await serve(t, (_, response) =>
    response.writeHead(200, { 'content-encoding': 'br' }).end('x'),
  );
  await t.rejects(fetchJson(other), /coded in br, which was not asked for/);
  const nobody = await serve(t, (request) => request.socket.destroy());
  await t.rejects(fetchJson(nobody), /socket hang up/);
});

void t.test('the bound of time covers the head and the body', async (t) => {
  const silent = await serve(t, () => undefined);
  await t.rejects(fetchJson(silent, { timeoutMs: 40 }), /timeout/);
  const stalling = await serve(t, (_, response) => response.write('{'));
  await t.rejects(fetchJson(stalling, { timeoutMs: 40 }), /timeout/);
});

void t.test('a document that is not UTF-8 is an error', async (t) => {
  const origin = await serve(t, (_, response) => response.end(Buffer.from([0x22, 0xff, 0x22])));
  await t.rejects(fetchJson(origin));
});
