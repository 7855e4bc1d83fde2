import t from 'tap';
import { onBothBackends } from '../harness/gateway.ts';
import { answering, okAnswer } from '../harness/raw-backend.ts';
import { chunked, startWire } from '../harness/wire.ts';

t.jobs = 8;

const EXPECT = 'Expect: 100-continue\r\n';

for (const framing of ['sized', 'chunked'] as const) {
  const headers = framing === 'sized' ? 'Content-Length: 5\r\n' : 'Transfer-Encoding: chunked\r\n';
  const body = framing === 'sized' ? 'hello' : chunked(['hel', 'lo']);

  onBothBackends(t, `the backend’s 100 lets the client send its ${framing} body`, async (t, side) => {
    const wire = await startWire(t, side, async (exchange) => {
      t.strictSame(exchange.values('expect'), ['100-continue']);
      t.equal(exchange.request.body.bytes, 0);
      await exchange.send('HTTP/1.1 100 Continue\r\n\r\n');
      await exchange.send(okAnswer((await exchange.body()).toString()));
    });
    const client = await wire.gateway.connect();
    await client.send(wire.text({ method: 'POST', headers: headers + EXPECT }));
    t.equal((await client.nextHead('POST')).status, 100);
    await client.send(body);
    const answer = await client.answer('POST');
    t.strictSame([answer.status, answer.body.toString(), answer.interim.length], [200, 'hello', 0]);
  });

  onBothBackends(t, `a client that does not wait for the 100 is served (${framing})`, async (t, side) => {
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.send('HTTP/1.1 100 Continue\r\n\r\n');
      await exchange.send(okAnswer((await exchange.body()).toString()));
    });
    const answer = await wire.request({ method: 'POST', headers: headers + EXPECT, body });
    t.strictSame([answer.status, answer.body.toString()], [200, 'hello']);
  });
}

onBothBackends(
  t,
  'a backend that refuses the expectation is heard, and the body is not sent',
  async (t, side) => {
    for (const refusal of ['417 Expectation Failed', '401 Unauthorized', '413 Content Too Large']) {
      const wire = await startWire(t, side, async (exchange) => {
        await exchange.send(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno`);
        exchange.finish();
      });
      const client = await wire.gateway.connect();
      await client.send(wire.text({ method: 'POST', headers: `Content-Length: 5\r\n${EXPECT}` }));
      const answer = await client.answer('POST');
      t.strictSame([`${answer.status} ${answer.head.reason}`, answer.body.toString()], [refusal, 'no']);
      t.strictSame(answer.interim, [], 'the gateway says no 100 of its own');
      const connection = await wire.backend.connection();
      await connection.gone;
      t.notMatch(connection.received, 'hello');
      t.equal(connection.requests.length, 1);
    }
  },
);

onBothBackends(
  t,
  'after a refused expectation the body is not taken for the next request',
  async (t, side) => {
    const wire = await startWire(
      t,
      side,
      answering('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'),
      {
        violationsExpected: true,
      },
    );
    wire.backend.script = async (exchange) => {
      await exchange.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
      await exchange.gone;
    };
    const client = await wire.gateway.connect();
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n';
    await client.send(
      wire.text({ method: 'POST', headers: `Content-Length: ${smuggled.length}\r\n${EXPECT}` }),
    );
    t.equal((await client.answer('POST')).status, 401);
    await client.send(smuggled);
    client.finish();
    await client.rest();
    t.strictSame(
      wire.backend.requests.map(({ target }) => target),
      ['/'],
    );
  },
);

onBothBackends(t, 'a 100 that nobody asked for is passed over', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send(`HTTP/1.1 100 Continue\r\n\r\n${okAnswer('own')}`);
  });
  const client = await wire.gateway.connect();
  const answer = await client.request(wire.text());
  t.strictSame([answer.status, answer.interim, answer.body.toString()], [200, [], 'own']);
});

onBothBackends(t, 'an expectation other than 100-continue is answered 417', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const answer = await wire.request({
    method: 'POST',
    headers: 'Expect: a-miracle\r\nContent-Length: 0\r\n',
  });
  t.equal(answer.status, 417);
  t.equal(wire.backend.connections.length, 0);
});

onBothBackends(t, '103 is relayed with its headers, at once and as often as it comes', async (t, side) => {
  const { promise: seen, resolve } = Promise.withResolvers<void>();
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>\r\n\r\n');
    await exchange.send('HTTP/1.1 103 Early Hints\r\nX-Second: 1\r\nConnection: X-Gone\r\nX-Gone: 1\r\n\r\n');
    await seen;
    await exchange.send(okAnswer('done'));
  });
  const client = await wire.gateway.connect();
  await client.send(wire.text());
  const first = await client.nextHead();
  t.equal(first.status, 103);
  t.strictSame(first.headers, [
    ['Link', '</a.css>; rel=preload'],
    ['Link', '</b.js>'],
  ]);
  const second = await client.nextHead();
  t.strictSame(second.headers, [['X-Second', '1']], 'hop-by-hop headers are dropped here too');
  resolve();
  const answer = await client.answer();
  t.strictSame([answer.status, answer.body.toString()], [200, 'done']);
});

onBothBackends(t, 'an HTTP/1.0 client gets no interim answers', async (t, side) => {
  const wire = await startWire(
    t,
    side,
    answering(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${okAnswer('done')}`),
  );
  const client = await wire.gateway.connect();
  const user = side === 'legacy' ? 'leo' : 'nina';
  const answer = await client.request(`GET / HTTP/1.0\r\nHost: shop.test\r\nX-User: ${user}\r\n\r\n`);
  t.strictSame([answer.status, answer.interim.length, answer.body.toString()], [200, 0, 'done']);
});

onBothBackends(t, 'interim answers without end do not keep a request alive', async (t, side) => {
  const wire = await startWire(
    t,
    side,
    async (exchange) => {
      const hint = `HTTP/1.1 103 Early Hints\r\nLink: </${'a'.repeat(500)}>\r\n\r\n`;
      let gone = false;
      void exchange.gone.then(() => {
        gone = true;
      });
      while (!gone) {
        await exchange.send(hint);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
    { backendSettings: { headersMs: 300 } },
  );
  const client = await wire.gateway.connect();
  await client.send(wire.text());
  const { head } = await client.finalHead();
  t.match(String(head.status), /^50[24]$/);
  await (await wire.backend.connection()).gone;
});
