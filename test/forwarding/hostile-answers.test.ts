/**
 * What a broken or hostile backend answers. The client gets a 502 or a cut answer, or exactly the bytes that
 * one reader can understand in one way; never a second answer, and never somebody else's.
 */
import t, { type Test } from 'tap';
import type { Backend } from '../../src/model.ts';
import { AS_USER_OF, onBothBackends } from '../harness/gateway.ts';
import { okAnswer } from '../harness/raw-backend.ts';
import { startWire } from '../harness/wire.ts';

t.jobs = 8;

const INJECTED = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected';

/** The backend sends these bytes for `/bad` and then closes; whoever asks next, on any connection, gets their own. */
async function isRefused(t: Test, side: Backend, name: string, bytes: string): Promise<void> {
  const wire = await startWire(t, side, async (exchange) => {
    if (exchange.request.target !== '/bad') {
      await exchange.send(okAnswer('own'));
      return;
    }
    await exchange.send(bytes);
    exchange.finish();
  });
  const client = await wire.gateway.connect();
  const answer = await client.request(wire.text({ target: '/bad' }));
  t.equal(answer.status, 502, name);
  t.match(JSON.parse(answer.body.toString()), { code: /backend_(malformed|closed)/ }, name);
  t.notMatch(answer.body.toString(), 'injected');
  const next = await wire.request();
  t.equal(next.body.toString(), 'own');
}

const HEADS: readonly [string, string][] = [
  [
    'both lengths',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  ],
  ['two different lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd'],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc'],
  ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc'],
  ['a length beyond 64 bits', 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc'],
  ['a bare CR in a value', 'HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n'],
  ['a NUL in a value', 'HTTP/1.1 200 OK\r\nX-A: b\0c\r\nContent-Length: 0\r\n\r\n'],
  ['a NUL in a name', 'HTTP/1.1 200 OK\r\nX-\0A: b\r\nContent-Length: 0\r\n\r\n'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\nX-A : b\r\nContent-Length: 0\r\n\r\n'],
  ['a line without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n'],
  ['an empty name', 'HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 0\r\n\r\n'],
  ['an unknown version', 'HTTP/7.3 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status that is no number', 'HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status of 000', 'HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a request', `GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n`],
  ['HTTP/0.9', '<html>hello</html>'],
  ['a head over the bound', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\nContent-Length: 0\r\n\r\n`],
  [
    'very many headers over the bound',
    `HTTP/1.1 200 OK\r\n${'X-A: 0123456789\r\n'.repeat(9_000)}Content-Length: 0\r\n\r\n`,
  ],
  [
    'an upgrade that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
  ],
  ['a 100 that nobody asked for and nothing else', 'HTTP/1.1 100 Continue\r\n\r\n'],
];

for (const [name, bytes] of HEADS) {
  onBothBackends(t, `an answer with ${name} becomes a 502`, (t, side) => isRefused(t, side, name, bytes));
}

const BODIES: readonly [string, string][] = [
  [
    'a chunk size that is no number',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n',
  ],
  [
    'a chunk longer than its size',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n',
  ],
  [
    'a chunk size beyond 64 bits',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nfffffffffffffffff\r\n',
  ],
  ['fewer bytes than its length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
  [
    'a malformed trailer',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-\0: a\r\n\r\n',
  ],
];

for (const [name, bytes] of BODIES) {
  onBothBackends(t, `an answer with ${name} does not look whole`, async (t, side) => {
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.send(bytes);
      exchange.finish();
    });
    const client = await wire.gateway.connect();
    const answer = await client.request(wire.text());
    if (answer.status === 502) t.match(JSON.parse(answer.body.toString()), { code: /backend_/ });
    else t.strictSame([answer.status, answer.ending], [200, 'cut']);
    t.equal(wire.backend.requests.length, 1);
  });
}

onBothBackends(
  t,
  'bytes beyond the length of an answer are never taken for the next answer',
  async (t, side) => {
    for (const method of ['GET', 'HEAD']) {
      for (const head of [
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
        'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
        'HTTP/1.1 204 No Content\r\n\r\n',
        'HTTP/1.1 304 Not Modified\r\n\r\n',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      ]) {
        const wire = await startWire(t, side, async (exchange) => {
          if (exchange.request.target === '/bad') await exchange.send(head + INJECTED);
          else await exchange.send(okAnswer('own'));
        });
        const client = await wire.gateway.connect();
        await client.send(wire.text({ method, target: '/bad' }));
        const first = await client.answer(method).catch(() => undefined);
        t.notMatch(first?.body.toString() ?? '', 'injected', head);
        const next = await wire.request();
        t.equal(next.body.toString(), 'own', `${method} ${JSON.stringify(head)}`);
      }
    }
  },
);

onBothBackends(
  t,
  'an answer that comes before the request was whole is given, and the rest not misread',
  async (t, side) => {
    const wire = await startWire(t, side, async (exchange) => {
      if (exchange.request.target === '/early') {
        await exchange.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig');
        await exchange.gone;
      } else await exchange.send(okAnswer('own'));
    });
    const client = await wire.gateway.connect();
    const size = 3_000_000;
    void client.send(
      wire.text({
        method: 'POST',
        target: '/early',
        headers: `Content-Length: ${size}\r\n`,
        body: 'x'.repeat(size / 2),
      }),
    );
    const answer = await client.answer('POST');
    t.strictSame([answer.status, answer.body.toString()], [413, 'big']);
    t.equal((await wire.request()).body.toString(), 'own');
    t.strictSame(
      wire.backend.requests.map(({ target }) => target),
      ['/early', '/'],
    );
  },
);

onBothBackends(t, 'after an early answer the client’s connection is usable, or closed', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    if (exchange.request.target === '/early') {
      await exchange.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      await exchange.gone;
    } else await exchange.send(okAnswer('own'));
  });
  const client = await wire.gateway.connect();
  const body = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
  await client.send(
    wire.text({ method: 'POST', target: '/early', headers: `Content-Length: ${body.length}\r\n` }),
  );
  t.equal((await client.answer('POST')).status, 403);
  await client.send(body + wire.text({ target: '/after' }));
  const after = await client.answer().catch(() => undefined);
  if (after !== undefined) t.equal(after.body.toString(), 'own');
  t.notOk(wire.backend.requests.some(({ target }) => target === '/smuggled'));
});

onBothBackends(
  t,
  'an answer before any request is not taken for the answer to the next one',
  async (t, side) => {
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.send(okAnswer('own'));
      // Sent ahead, while the connection is idle in the gateway's pool.
      if (exchange.request.target === '/first') await exchange.send(INJECTED);
    });
    t.equal((await wire.request({ target: '/first' })).body.toString(), 'own');
    for (let round = 0; round < 3; round += 1) {
      t.equal((await wire.request()).body.toString(), 'own');
    }
  },
);

onBothBackends(t, 'folded answer headers are refused, or arrive as one line', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nX-A: b\r\n Set-Cookie: c=d\r\nContent-Length: 2\r\n\r\nok');
  });
  const answer = await wire.request();
  if (answer.status === 200) t.strictSame(answer.head.values('set-cookie'), []);
  else t.equal(answer.status, 502);
});

onBothBackends(t, 'odd but harmless reasons and values pass or are refused whole', async (t, side) => {
  for (const line of [
    'HTTP/1.1 200 \r\n',
    'HTTP/1.1 200\r\n',
    'HTTP/1.1 200 caf\xe9\r\n',
    'HTTP/1.0 200 OK\r\n',
  ]) {
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.send(`${line}Content-Length: 2\r\n\r\nok`);
    });
    const answer = await wire.request();
    if (answer.status === 200) t.equal(answer.body.toString(), 'ok', line);
    else t.equal(answer.status, 502);
  }
});

onBothBackends(
  t,
  'equal lengths, or chunked with an unknown coding before it, are never passed on double',
  async (t, side) => {
    for (const headers of [
      'Content-Length: 2\r\nContent-Length: 2\r\n',
      'Content-Length: 2, 2\r\n',
      'Transfer-Encoding: gzip, chunked\r\n',
      'Transfer-Encoding: chunked, identity\r\n',
      'Transfer-Encoding: identity\r\n',
    ]) {
      const wire = await startWire(t, side, async (exchange) => {
        const body = headers.startsWith('Transfer') ? '2\r\nok\r\n0\r\n\r\n' : 'ok';
        await exchange.send(`HTTP/1.1 200 OK\r\n${headers}\r\n${body}`);
        exchange.finish();
      });
      const client = await wire.gateway.connect();
      // The raw client throws for anything double; what is left is one framing or a refusal.
      const answer = await client.request(wire.text());
      t.ok(answer.status === 502 || answer.status === 200, headers);
    }
  },
);

onBothBackends(t, 'one user’s broken answer does not reach another’s connection', async (t, side) => {
  const wire = await startWire(
    t,
    side,
    async (exchange) => {
      const [who = ''] = exchange.values('x-who');
      if (who === 'bad') {
        await exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad${INJECTED}${INJECTED}`);
      } else await exchange.send(okAnswer(who));
    },
    { backendSettings: { connectionsMax: 2 } },
  );
  const clients = await Promise.all(
    ['a', 'bad', 'b', 'bad', 'c'].map(async (who) => ({ who, client: await wire.gateway.connect() })),
  );
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(
      clients.map(async ({ who, client }) => {
        const fresh =
          client.socket.destroyed || client.socket.readableEnded ? await wire.gateway.connect() : client;
        const answer = await fresh
          .request(`GET / HTTP/1.1\r\nHost: shop.test\r\n${AS_USER_OF[side]}X-Who: ${who}\r\n\r\n`)
          .catch(() => undefined);
        if (who !== 'bad') t.equal(answer?.body.toString(), who);
      }),
    );
  }
});
