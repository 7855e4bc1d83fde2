/** How streams of one HTTP/2 session end, and what they have to do with each other. */
import { once } from 'node:events';
import { constants } from 'node:http2';
import t from 'tap';
import { stall } from '../faults/stall.ts';
import { onBothBackends } from '../harness/gateway.ts';
import { answerOf, startHttp2 } from '../harness/http2-wire.ts';
import { okAnswer } from '../harness/raw-backend.ts';
import { within } from '../harness/within.ts';

t.jobs = 8;

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
      stream.close(constants.NGHTTP2_CANCEL);
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
    t.strictSame([answer.status, answer.reset], [200, constants.NGHTTP2_INTERNAL_ERROR], path);
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
