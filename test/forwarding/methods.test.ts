import t from 'tap';
import { onBothBackends } from '../harness/gateway.ts';
import { answering, okAnswer } from '../harness/raw-backend.ts';
import { startWire } from '../harness/wire.ts';

t.jobs = 8;

/** Every method that Node's parser knows but CONNECT, which asks for a tunnel. */
const METHODS = (
  'GET POST PUT PATCH DELETE OPTIONS TRACE QUERY PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK PURGE REPORT ' +
  'SEARCH MERGE LINK UNLINK ACL BIND REBIND UNBIND CHECKOUT MKACTIVITY MKCALENDAR NOTIFY SUBSCRIBE ' +
  'UNSUBSCRIBE M-SEARCH SOURCE'
).split(' ');

onBothBackends(t, 'every method arrives as it was sent, and its answer comes back', async (t, side) => {
  const wire = await startWire(t, side, answering(okAnswer('done')));
  const client = await wire.gateway.connect();
  for (const method of METHODS) {
    const answer = await client.request(wire.text({ method, target: `/${method}` }));
    t.strictSame([answer.status, answer.body.toString()], [200, 'done'], method);
  }
  t.strictSame(
    wire.backend.requests.map(({ method, target }) => `${method} ${target}`),
    METHODS.map((method) => `${method} /${method}`),
  );
});

onBothBackends(t, 'every method but TRACE may carry a body', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    const body = await exchange.body();
    await exchange.send(okAnswer(body.toString('latin1')));
  });
  const client = await wire.gateway.connect();
  for (const method of METHODS.filter((name) => name !== 'TRACE')) {
    const sized = wire.text({ method, headers: 'Content-Length: 3\r\n', body: 'a\xff\0' });
    t.equal((await client.request(sized)).body.toString('latin1'), 'a\xff\0', method);
  }
});

onBothBackends(t, 'a method that the parser does not know is refused before any backend', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  for (const method of ['get', 'Get', 'BREW', 'G@T', 'GET\x01', '']) {
    const client = await wire.gateway.connect();
    await client.send(wire.text({ method }));
    const answer = await client.answer();
    t.equal(answer.status, 400, JSON.stringify(method));
    t.equal(await client.closed, 'fin');
  }
  t.equal(wire.backend.connections.length, 0);
});

onBothBackends(t, 'CONNECT is answered 501 and the connection is closed', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const client = await wire.gateway.connect();
  await client.send('CONNECT shop.test:443 HTTP/1.1\r\nHost: shop.test:443\r\n\r\n');
  const answer = await client.answer();
  t.equal(answer.status, 501);
  t.match(JSON.parse(answer.body.toString()), { code: 'upgrade_unsupported', status: 501 });
  t.equal(await client.closed, 'fin');
  t.equal(wire.backend.connections.length, 0);
});

onBothBackends(t, 'HEAD keeps the length of the body that is not there', async (t, side) => {
  const wire = await startWire(
    t,
    side,
    answering('HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: "a"\r\n\r\n'),
  );
  const client = await wire.gateway.connect();
  for (let round = 0; round < 2; round += 1) {
    const answer = await client.request(wire.text({ method: 'HEAD' }));
    t.equal(answer.status, 200);
    t.equal(answer.head.value('content-length'), '1234');
    t.equal(answer.head.value('transfer-encoding'), undefined);
    t.equal(answer.head.value('etag'), '"a"');
  }
});

onBothBackends(t, 'HEAD without a length is answered without a body too', async (t, side) => {
  const wire = await startWire(t, side, answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'));
  const client = await wire.gateway.connect();
  for (let round = 0; round < 2; round += 1) {
    t.equal((await client.request(wire.text({ method: 'HEAD' }))).status, 200);
  }
  t.equal(wire.backend.requests.length, 2);
});

onBothBackends(t, '204 and 304 have no body, and the client’s connection goes on', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    const { target } = exchange.request;
    if (target === '/204') await exchange.send('HTTP/1.1 204 No Content\r\n\r\n');
    else if (target === '/304') await exchange.send('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n');
    else if (target === '/304-of-99') {
      await exchange.send('HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: "b"\r\n\r\n');
    } else await exchange.send(okAnswer('after'));
  });
  const client = await wire.gateway.connect();
  const none = await client.request(wire.text({ target: '/204' }));
  t.equal(none.status, 204);
  t.equal(none.head.value('content-length'), undefined);
  t.equal(none.head.value('transfer-encoding'), undefined);
  for (const [target, tag, length] of [
    ['/304', '"a"', undefined],
    ['/304-of-99', '"b"', '99'],
  ] as const) {
    const same = await client.request(wire.text({ target }));
    t.equal(same.status, 304);
    t.equal(same.head.value('etag'), tag);
    t.equal(same.head.value('content-length'), length);
  }
  t.equal((await client.request(wire.text())).body.toString(), 'after');
});

onBothBackends(t, 'unusual statuses and reasons pass', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    const status = exchange.request.target.slice(1);
    await exchange.send(`HTTP/1.1 ${status} Because I say so\r\nContent-Length: 1\r\n\r\nx`);
  });
  const client = await wire.gateway.connect();
  for (const status of [201, 206, 207, 226, 299, 300, 308, 402, 418, 451, 499, 507, 599]) {
    const answer = await client.request(wire.text({ target: `/${status}` }));
    t.strictSame(
      [answer.status, answer.head.reason, answer.body.toString()],
      [status, 'Because I say so', 'x'],
    );
  }
});

onBothBackends(t, 'OPTIONS * reaches the backend as such', async (t, side) => {
  const wire = await startWire(t, side, answering(okAnswer('')));
  t.equal((await wire.request({ method: 'OPTIONS', target: '*' })).status, 200);
  t.equal(wire.backend.requests[0]?.target, '*');
});
