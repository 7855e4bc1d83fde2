/** HTTP/2 and TLS towards clients; the backends speak HTTP/1.1. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import t, { type Test } from 'tap';
import type { Backend } from '../../src/model.ts';
import { stall } from '../faults/stall.ts';
import { createAuthority } from '../harness/certificates.ts';
import { onBothBackends } from '../harness/gateway.ts';
import { credentialFiles } from '../harness/pem-files.ts';
import { answering, okAnswer, type Script } from '../harness/raw-backend.ts';
import { chunked, startWire, type Wire, type WireOptions } from '../harness/wire.ts';
import { headerValues } from '../harness/wire-message.ts';
import { within } from '../harness/within.ts';

t.jobs = 8;

const authority = createAuthority();
const USER = { legacy: 'leo', new: 'nina' } as const;

interface Http2Wire {
  readonly wire: Wire;
  readonly session: ClientHttp2Session;
  readonly request: (
    headers?: OutgoingHttpHeaders,
    endStream?: boolean,
    waitForTrailers?: boolean,
  ) => ClientHttp2Stream;
}

async function startHttp2(
  t: Test,
  side: Backend,
  script: Script | undefined,
  options: WireOptions = {},
): Promise<Http2Wire> {
  const tls = credentialFiles(t, authority.server('127.0.0.1'));
  const settings = { ...options.settings, listen: { tls } };
  const wire = await startWire(t, side, script, { ...options, settings });
  const session = http2.connect(`https://127.0.0.1:${wire.gateway.port}`, { ca: authority.cert });
  session.on('error', () => undefined);
  t.teardown(() => {
    session.destroy();
  });
  await within(once(session, 'connect'), 'the session');
  const request: Http2Wire['request'] = (headers = {}, endStream = true, waitForTrailers = false) => {
    const stream = session.request({ 'x-user': USER[side], ...headers }, { endStream, waitForTrailers });
    stream.on('error', () => undefined);
    return stream;
  };
  return { wire, session, request };
}

interface Http2Answer {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: http2.IncomingHttpHeaders;
  /** The error code of RST_STREAM; 0 for a proper end. */
  readonly reset: number;
}

async function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let headers: http2.IncomingHttpHeaders & { ':status'?: number } = {};
  let trailers: http2.IncomingHttpHeaders = {};
  const pieces: Buffer[] = [];
  stream.on('response', (given) => {
    headers = given;
  });
  stream.on('trailers', (given) => {
    trailers = given;
  });
  stream.on('data', (piece: Buffer) => {
    pieces.push(piece);
  });
  const closed = Promise.withResolvers<void>();
  stream.once('close', closed.resolve);
  await within(closed.promise, 'the end of the stream');
  return {
    status: headers[':status'] ?? 0,
    headers,
    body: Buffer.concat(pieces),
    trailers,
    reset: stream.rstCode,
  };
}

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

onBothBackends(
  t,
  'a stream that the client resets ends the backend’s request, and no other',
  async (t, side) => {
    const answers: Record<string, string> = {
      '/before': '',
      '/download': 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc',
    };
    const { wire, request } = await startHttp2(t, side, async (exchange) => {
      const { target } = exchange.request;
      if (target === '/other') {
        await exchange.body();
        await exchange.send(okAnswer('other'));
      } else await stall(answers[target])(exchange);
    });
    for (const path of ['/before', '/download']) {
      const stream = request({ ':path': path });
      if (path === '/download') await within(once(stream, 'data'), 'the first bytes');
      const seen = await wire.backend.request(wire.backend.requests.length + (path === '/download' ? 0 : 1));
      stream.close(http2.constants.NGHTTP2_CANCEL);
      await within(seen.connection.gone, `the end of ${path}`);
      t.equal((await answerOf(request({ ':path': '/other' }))).body.toString(), 'other', `after ${path}`);
    }
    await wire.gateway.ended('client_closed', side, 2);
  },
);

onBothBackends(t, 'a cut answer is a reset stream, and the session goes on', async (t, side) => {
  const { request } = await startHttp2(t, side, async (exchange) => {
    if (exchange.request.target === '/whole') {
      await exchange.send(okAnswer('whole'));
      return;
    }
    await exchange.send(
      exchange.request.target === '/sized'
        ? 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'
        : 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    );
    exchange.finish();
  });
  for (const path of ['/sized', '/chunked']) {
    const answer = await answerOf(request({ ':path': path }));
    t.strictSame([answer.status, answer.reset], [200, http2.constants.NGHTTP2_INTERNAL_ERROR], path);
  }
  t.equal((await answerOf(request({ ':path': '/whole' }))).body.toString(), 'whole');
});

onBothBackends(t, 'a failure is a problem document here too', async (t, side) => {
  const { wire, request } = await startHttp2(t, side, (exchange) => exchange.abort());
  const answer = await answerOf(request({ 'x-request-id': 'id-7' }));
  t.equal(answer.status, 502);
  t.equal(answer.headers['content-type'], 'application/problem+json');
  t.match(JSON.parse(answer.body.toString()), { code: 'backend_closed', requestId: 'id-7' });
  await wire.gateway.ended('backend_closed', side);
});

onBothBackends(t, 'a hundred requests at once are told apart', async (t, side) => {
  const { request } = await startHttp2(t, side, async (exchange) => {
    await exchange.body();
    await exchange.send(okAnswer(exchange.request.target));
  });
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, index) =>
      (await answerOf(request({ ':path': `/${index}` }))).body.toString(),
    ),
  );
  t.strictSame(
    answers,
    Array.from({ length: 100 }, (_, index) => `/${index}`),
  );
});

onBothBackends(
  t,
  'a stream that is not read makes its backend wait, and no other stream',
  async (t, side) => {
    const size = 32 * 1024 * 1024;
    let flushed = false;
    const { request } = await startHttp2(t, side, async (exchange) => {
      if (exchange.request.target === '/small') {
        await exchange.send(okAnswer('small'));
        return;
      }
      await exchange.send(okAnswer('x'.repeat(size)));
      flushed = true;
    });
    const large = request({ ':path': '/large' });
    await within(once(large, 'response'), 'the head');
    large.pause();
    for (let round = 0; round < 5; round += 1) {
      t.equal((await answerOf(request({ ':path': '/small' }))).body.toString(), 'small');
    }
    t.notOk(flushed);
    let received = 0;
    large.on('data', (piece: Buffer) => {
      received += piece.length;
    });
    large.resume();
    await within(once(large, 'end'), 'the rest', 20_000);
    t.equal(received, size);
  },
);

onBothBackends(t, 'an upload that stops is answered 408', async (t, side) => {
  const { request } = await startHttp2(
    t,
    side,
    async (exchange) => {
      await exchange.body();
    },
    { backendSettings: { bodyMs: 200 } },
  );
  const stream = request({ ':method': 'POST' }, false);
  stream.write('half');
  const answer = await answerOf(stream);
  t.equal(answer.status, 408);
  t.match(JSON.parse(answer.body.toString()), { code: 'request_body_stalled' });
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

onBothBackends(t, 'a close lets the streams in flight end', async (t, side) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { wire, session, request } = await startHttp2(t, side, async (exchange) => {
    await promise;
    await exchange.send(okAnswer('late'));
  });
  const stream = request();
  await wire.backend.request();
  const goAway = once(session, 'goaway');
  const closed = wire.gateway.gateway.close({ graceMs: 10_000 });
  await within(goAway, 'the GOAWAY');
  resolve();
  t.equal((await answerOf(stream)).body.toString(), 'late');
  t.same(await within(closed, 'the close'), { cut: 0 });
});
