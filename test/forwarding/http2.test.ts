/** HTTP/2 and TLS towards clients; the backends speak HTTP/1.1. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import t from 'tap';
import { onBothBackends } from '../harness/gateway.ts';
import { answerOf, authority, type Http2Wire, startHttp2 } from '../harness/http2-wire.ts';
import { answering, okAnswer } from '../harness/raw-backend.ts';
import { chunked } from '../harness/wire.ts';
import { headerValues } from '../harness/wire-message.ts';
import { within } from '../harness/within.ts';

t.jobs = 8;

onBothBackends(t, 'a GET arrives as HTTP/1.1, its pseudo headers mapped', async (t, side) => {
  const { wire, request } = await startHttp2(
    t,
    side,
    answering(okAnswer('hello', 'X-Case: Kept\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n')),
  );
  const answer = await answerOf(
    request({ ':path': '//caf%E9?a=%2F', ':authority': 'shop.test', 'x-one': '1' }),
  );
  t.strictSame([answer.status, answer.body.toString(), answer.reset], [200, 'hello', 0]);
  t.equal(answer.headers['x-case'], 'Kept');
  t.strictSame(answer.headers['set-cookie'], ['a=1', 'b=2']);
  t.equal(answer.headers['content-length'], '5');
  const [seen] = wire.backend.requests;
  t.strictSame([seen?.method, seen?.target], ['GET', '//caf%E9?a=%2F']);
  const values = (name: string): string[] => headerValues(seen?.headers ?? [], name);
  t.strictSame(values('host'), ['shop.test']);
  t.strictSame(values('x-forwarded-proto'), ['https']);
  t.strictSame(values('x-forwarded-host'), ['shop.test']);
  t.strictSame(values('x-one'), ['1']);
  t.match(values('via')[0], /^2(\.0)? /);
  t.notOk(seen?.headers.some(([name]) => name.startsWith(':')));
});

onBothBackends(t, 'bodies of any size arrive byte for byte in both directions', async (t, side) => {
  const { request } = await startHttp2(t, side, async (exchange) => {
    const body = await exchange.body();
    await exchange.send(
      Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body]),
    );
  });
  for (const size of [0, 1, 16_384, 65_536, 1_000_003]) {
    for (const headers of [{}, { 'content-length': size }]) {
      const body = randomBytes(size);
      const stream = request({ ':method': 'POST', ...headers }, false);
      stream.end(body);
      const answer = await answerOf(stream);
      const [given, taken] = [answer.body, body].map((bytes) =>
        createHash('sha256').update(bytes).digest('hex'),
      );
      t.strictSame([answer.status, given], [200, taken], `${size} bytes`);
    }
  }
});

onBothBackends(t, 'trailers pass in both directions', async (t, side) => {
  const { wire, request } = await startHttp2(
    t,
    side,
    answering(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(['abc'], 'X-Sum: 3\r\n')}`),
  );
  const stream = http2RequestWithTrailers(request);
  const answer = await answerOf(stream);
  t.equal(answer.body.toString(), 'abc');
  t.equal(answer.trailers['x-sum'], '3');
  const [seen] = wire.backend.requests;
  t.equal(seen?.body.bytes, 4);
  t.strictSame(seen?.body.trailers, [['x-up', '4']]);
});

function http2RequestWithTrailers(request: Http2Wire['request']): ClientHttp2Stream {
  const stream = request({ ':method': 'POST', trailer: 'x-up' }, false, true);
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-up': '4' }));
  stream.end('body');
  return stream;
}

onBothBackends(t, 'interim answers reach the client', async (t, side) => {
  const { request } = await startHttp2(t, side, async (exchange) => {
    await exchange.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n');
    await exchange.body();
    await exchange.send(okAnswer('done'));
  });
  const stream = request();
  const hints: unknown[] = [];
  stream.on('headers', (headers) => {
    hints.push([headers[':status'], headers['link']]);
  });
  t.equal((await answerOf(stream)).body.toString(), 'done');
  t.strictSame(hints, [[103, '</a.css>']]);
});

onBothBackends(t, 'an expectation is answered by the backend', async (t, side) => {
  const { request } = await startHttp2(t, side, async (exchange) => {
    await exchange.send('HTTP/1.1 100 Continue\r\n\r\n');
    await exchange.send(okAnswer((await exchange.body()).toString()));
  });
  const stream = request({ ':method': 'POST', expect: '100-continue' }, false);
  await within(once(stream, 'continue'), 'the 100');
  stream.end('body');
  t.equal((await answerOf(stream)).body.toString(), 'body');
});

onBothBackends(t, 'cookie crumbs are joined', async (t, side) => {
  const { wire, request } = await startHttp2(t, side, undefined);
  await answerOf(request({ cookie: ['a=1', 'b=2; c=3', 'd=4'] }));
  t.strictSame(headerValues(wire.backend.requests[0]?.headers ?? [], 'cookie'), ['a=1; b=2; c=3; d=4']);
});

onBothBackends(t, 'headers about the backend’s connection do not reach the client', async (t, side) => {
  const { request } = await startHttp2(
    t,
    side,
    answering(
      `HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Mine\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nX-Mine: 1\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(['ok'])}`,
    ),
  );
  const answer = await answerOf(request());
  t.strictSame([answer.status, answer.body.toString()], [200, 'ok']);
  for (const gone of [
    'connection',
    'keep-alive',
    'proxy-connection',
    'upgrade',
    'x-mine',
    'transfer-encoding',
  ]) {
    t.equal(answer.headers[gone], undefined, gone);
  }
});

onBothBackends(t, 'a header that a careless backend sends twice arrives twice', async (t, side) => {
  const twice =
    'ETag: "a"\r\nETag: "b"\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\nAge: 1\r\nAge: 2\r\n';
  const { request } = await startHttp2(t, side, answering(okAnswer('ok', twice)));
  const answer = await answerOf(request());
  t.strictSame([answer.status, answer.body.toString()], [200, 'ok']);
});

onBothBackends(t, 'HEAD, 204 and 304 end without a body', async (t, side) => {
  const { request } = await startHttp2(t, side, async (exchange) => {
    const { target } = exchange.request;
    if (target === '/204') await exchange.send('HTTP/1.1 204 No Content\r\n\r\n');
    else if (target === '/304') await exchange.send('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n');
    else await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n');
  });
  const head = await answerOf(request({ ':method': 'HEAD' }));
  t.strictSame([head.status, head.headers['content-length'], head.reset], [200, '99', 0]);
  t.equal((await answerOf(request({ ':path': '/204' }))).status, 204);
  t.equal((await answerOf(request({ ':path': '/304' }))).status, 304);
});

onBothBackends(t, 'HTTP/1.1 is spoken on the same port to whoever asks for it', async (t, side) => {
  const { wire } = await startHttp2(t, side, undefined);
  for (const ALPNProtocols of [['http/1.1'], undefined]) {
    const tls = ALPNProtocols === undefined ? { ca: authority.cert } : { ca: authority.cert, ALPNProtocols };
    const client = await wire.gateway.connect({ tls });
    const answer = await client.request(wire.text());
    t.strictSame([answer.status, answer.body.toString()], [200, 'ok']);
    t.equal((await client.request(wire.text())).status, 200);
  }
  const proto = wire.backend.requests.map(({ headers }) => headerValues(headers, 'x-forwarded-proto').join());
  t.strictSame([...new Set(proto)], ['https']);
  const malformed = await wire.gateway.connect({ tls: { ca: authority.cert } });
  t.equal((await malformed.request('GET / HTTP/1.1\r\nHost : a\r\n\r\n')).status, 400);
  t.match(await malformed.closed, /fin|reset/);
});

onBothBackends(t, 'plain HTTP on the TLS port is refused', async (t, side) => {
  const { wire } = await startHttp2(t, side, undefined);
  const client = await wire.gateway.connect();
  await client.send(wire.text());
  t.match(await client.closed, /fin|reset/);
  t.equal(wire.backend.connections.length, 0);
});
