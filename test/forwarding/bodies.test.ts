import { createHash, randomBytes } from 'node:crypto';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import t from 'tap';
import { onBothBackends } from '../harness/gateway.ts';
import { answering } from '../harness/raw-backend.ts';
import { chunked, startWire } from '../harness/wire.ts';

t.jobs = 8;

const SIZES = [0, 1, 2, 1023, 16_384, 65_535, 65_536, 65_537, 1_000_000, 3_000_000];

const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

onBothBackends(t, 'sized bodies arrive byte for byte in both directions', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    const body = await exchange.body();
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nX-Framing: ${exchange.request.body.framing.kind}\r\n\r\n`;
    await exchange.send(Buffer.concat([Buffer.from(head), body]));
  });
  const client = await wire.gateway.connect();
  for (const size of SIZES) {
    const body = randomBytes(size);
    const head = wire.text({ method: 'POST', headers: `Content-Length: ${size}\r\n` });
    const answer = await client.request(Buffer.concat([Buffer.from(head), body]));
    t.equal(sha(answer.body), sha(body), `${size} bytes`);
    t.equal(answer.head.value('content-length'), String(size));
    t.equal(answer.head.value('x-framing'), 'length');
  }
  t.equal(wire.backend.requests[0]?.headers.filter(([name]) => /^content-length$/i.test(name)).length, 1);
});

onBothBackends(t, 'chunked bodies arrive byte for byte in both directions', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    const body = (await exchange.body()).toString('latin1');
    const pieces = body.match(/[^]{1,50000}/g) ?? [];
    await exchange.send(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Framing: ${exchange.request.body.framing.kind}\r\n\r\n${chunked(pieces)}`,
    );
  });
  const client = await wire.gateway.connect();
  for (const size of SIZES) {
    const body = randomBytes(size);
    const pieces = body.toString('latin1').match(/[^]{1,30000}/g) ?? [];
    const answer = await client.request(
      wire.text({ method: 'POST', headers: 'Transfer-Encoding: chunked\r\n', body: chunked(pieces) }),
    );
    t.equal(sha(answer.body), sha(body), `${size} bytes`);
    t.equal(answer.head.value('transfer-encoding'), 'chunked');
    // A body that was there as a whole may be sent with its length: the framing is each connection's own.
    t.match(answer.head.value('x-framing'), /^(chunked|length)$/);
  }
});

onBothBackends(t, 'an empty sized body stays sized, an absent body stays absent', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  await wire.request({ method: 'POST', headers: 'Content-Length: 0\r\n' });
  t.same(wire.backend.requests[0]?.body.framing, { kind: 'length', length: 0 });
  await wire.request({ method: 'GET' });
  t.same(wire.backend.requests[1]?.body.framing, { kind: 'none' });
  await wire.request({ method: 'DELETE' });
  t.match(wire.backend.requests[2]?.body.framing.kind, /none|length/);
});

onBothBackends(t, 'chunk extensions are not passed on', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    const body = await exchange.body();
    await exchange.send(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\n${body.toString()}\r\n0\r\n\r\n`,
    );
  });
  const answer = await wire.request({
    method: 'POST',
    headers: 'Transfer-Encoding: chunked\r\n',
    body: '3;a="b"\r\nabc\r\n0;c\r\n\r\n',
  });
  t.equal(answer.body.toString(), 'abc');
  t.strictSame(answer.head.body.extensions, []);
  t.strictSame(wire.backend.requests[0]?.body.extensions, []);
});

onBothBackends(t, 'ranges are the backend’s business', async (t, side) => {
  const wire = await startWire(
    t,
    side,
    answering('HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/10\r\nContent-Length: 3\r\n\r\ncde'),
  );
  const answer = await wire.request({ headers: 'Range: bytes=2-4\r\nIf-Range: "v1"\r\n' });
  t.equal(answer.status, 206);
  t.equal(answer.head.value('content-range'), 'bytes 2-4/10');
  t.equal(answer.body.toString(), 'cde');
  t.match(wire.backend.requests[0]?.rawHead, 'Range: bytes=2-4\r\nIf-Range: "v1"\r\n');
});

onBothBackends(t, 'compressed bodies are not touched', async (t, side) => {
  const plain = Buffer.from('turnout '.repeat(2_000));
  const forms = { gzip: gzipSync(plain), br: brotliCompressSync(plain), zstd: zstdCompressSync(plain) };
  for (const [coding, bytes] of Object.entries(forms)) {
    const wire = await startWire(t, side, async (exchange) => {
      const body = await exchange.body();
      const head = `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${bytes.length}\r\nX-Same: ${body.equals(bytes)}\r\n\r\n`;
      await exchange.send(Buffer.concat([Buffer.from(head), bytes]));
    });
    const head = wire.text({
      method: 'POST',
      headers: `Accept-Encoding: gzip, br\r\nContent-Encoding: ${coding}\r\nContent-Length: ${bytes.length}\r\n`,
    });
    const client = await wire.gateway.connect();
    const answer = await client.request(Buffer.concat([Buffer.from(head), bytes]));
    t.ok(answer.body.equals(bytes), coding);
    t.equal(answer.head.value('content-encoding'), coding);
    t.equal(answer.head.value('x-same'), 'true');
    t.match(wire.backend.requests[0]?.rawHead, 'Accept-Encoding: gzip, br\r\n');
  }
});

onBothBackends(t, 'trailers of the answer reach the client', async (t, side) => {
  const wire = await startWire(
    t,
    side,
    answering(
      `HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(['abc'], 'X-Sum: 3\r\nX-Twice: a\r\nX-Twice: b\r\n')}`,
    ),
  );
  const answer = await wire.request({ headers: 'TE: trailers\r\nConnection: TE\r\n' });
  t.equal(answer.body.toString(), 'abc');
  t.strictSame(answer.trailers, [
    ['X-Sum', '3'],
    ['X-Twice', 'a'],
    ['X-Twice', 'b'],
  ]);
  t.match(
    wire.backend.requests[0]?.rawHead,
    /^te: trailers\r$/im,
    'the backend may know that they are wanted',
  );
});

onBothBackends(t, 'trailers of the answer cannot change its framing or its hop', async (t, side) => {
  const trailers = 'Transfer-Encoding: gzip\r\nConnection: close\r\nKeep-Alive: timeout=9\r\nX-Ok: 1\r\n';
  const wire = await startWire(
    t,
    side,
    answering(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(['abc'], trailers)}`),
  );
  const answer = await wire.request();
  t.strictSame([answer.body.toString(), answer.ending], ['abc', 'complete']);
  t.strictSame(answer.trailers, [['X-Ok', '1']]);
});

onBothBackends(t, 'an answer whose trailers tell another length is cut', async (t, side) => {
  const wire = await startWire(
    t,
    side,
    answering(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(['abc'], 'Content-Length: 9\r\n')}`,
    ),
  );
  t.equal((await wire.request()).ending, 'cut');
});

onBothBackends(t, 'announced trailers of the request reach the backend', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const answer = await wire.request({
    method: 'PUT',
    headers: 'Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n',
    body: chunked(['abc', 'defg'], 'X-Sum: 7\r\nConnection: close\r\n'),
  });
  t.equal(answer.status, 200);
  const [request] = wire.backend.requests;
  t.equal(request?.body.bytes, 7);
  t.strictSame(request?.body.trailers, [['X-Sum', '7']]);
  t.match(request?.rawHead, /^trailer: X-Sum\r$/im);
});

onBothBackends(t, 'and so do those that were not announced', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  await wire.request({
    method: 'PUT',
    headers: 'Transfer-Encoding: chunked\r\n',
    body: chunked(['abc'], 'X-Sum: 3\r\nConnection: close\r\n'),
  });
  t.strictSame(wire.backend.requests[0]?.body.trailers, [['X-Sum', '3']]);
  t.notMatch(wire.backend.requests[0]?.rawHead, /^trailer:/im);
});

onBothBackends(t, 'an answer without a length lasts until the backend closes', async (t, side) => {
  for (const version of ['1.0', '1.1']) {
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.send(`HTTP/${version} 200 OK\r\nConnection: close\r\n\r\nabc`);
      await exchange.send('def');
      exchange.finish();
    });
    const answer = await wire.request();
    t.strictSame([answer.body.toString(), answer.ending], ['abcdef', 'complete'], version);
    t.equal(answer.head.version, 'HTTP/1.1');
    t.equal(answer.head.value('transfer-encoding'), 'chunked');
  }
});
