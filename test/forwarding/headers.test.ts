import t from 'tap';
import { AS_USER_OF, onBothBackends } from '../harness/gateway.ts';
import { answering, okAnswer } from '../harness/raw-backend.ts';
import { startWire, type Wire } from '../harness/wire.ts';
import { headerValues } from '../harness/wire-message.ts';

t.jobs = 8;

/** The headers of the latest request at the backend. */
function seen(wire: Wire, name: string): string[] {
  const request = wire.backend.requests.at(-1);
  return request === undefined ? [] : headerValues(request.headers, name);
}

onBothBackends(t, 'request headers keep their case, order and duplicates', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const headers =
    'X-B: 1\r\nx-a: 2\r\nX-B: 3\r\nACCEPT: */*\r\nCookie: a=1\r\nx-EMPTY: \r\nX-Latin: caf\xe9\r\nX-Quote: "a, b", c\r\n';
  await wire.request({ headers });
  const expected = `${AS_USER_OF[side]}${headers}`.replace('X-EMPTY: ', 'X-EMPTY:');
  const received = wire.backend.requests[0]?.headers.map(([name, value]) => `${name}: ${value}`) ?? [];
  const ours = expected.split('\r\n').filter((line) => line !== '');
  t.strictSame(received.filter((line) => ours.includes(line)).join('\n'), ours.join('\n'));
});

onBothBackends(t, 'answer headers keep their case, order and duplicates', async (t, side) => {
  const lines = [
    'X-B: 1',
    'Set-Cookie: a=1; Path=/',
    'x-a: 2',
    'Set-Cookie: b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT',
    'X-B: 3',
    'SET-COOKIE: c=3',
    'X-Latin: caf\xe9',
    'Date: Sat, 21 Nov 2026 08:00:00 GMT',
    'Server: old/1.0',
    'Link: </a>; rel=next, </b>; rel=prev',
  ];
  const wire = await startWire(t, side, answering(okAnswer('ok', `${lines.join('\r\n')}\r\n`)));
  const answer = await wire.request();
  const received = answer.head.headers.map(([name, value]) => `${name}: ${value}`);
  t.strictSame(received.slice(0, lines.length), lines);
  t.strictSame(answer.head.values('set-cookie').length, 3);
  t.strictSame(answer.head.values('date'), ['Sat, 21 Nov 2026 08:00:00 GMT'], 'no second Date');
});

onBothBackends(
  t,
  'hop-by-hop request headers are dropped, those named by Connection too',
  async (t, side) => {
    const wire = await startWire(t, side, undefined);
    await wire.request({
      headers:
        'Connection: keep-alive, X-Mine, x-YOURS\r\nconnection: x-third\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n' +
        'Proxy-Authorization: Basic secret\r\nX-Mine: 1\r\nX-Yours: 2\r\nX-Third: 3\r\nX-Other: 4\r\nTE: gzip, trailers\r\n' +
        'Upgrade: h2c\r\nHTTP2-Settings: AAA\r\n',
    });
    for (const gone of [
      'keep-alive',
      'proxy-connection',
      'proxy-authorization',
      'x-mine',
      'x-yours',
      'x-third',
      'upgrade',
      'http2-settings',
    ]) {
      t.strictSame(seen(wire, gone), [], gone);
    }
    t.strictSame(seen(wire, 'x-other'), ['4']);
    t.strictSame(seen(wire, 'te'), ['trailers']);
    t.notMatch(seen(wire, 'connection').join(), /mine|yours|third/i);
  },
);

onBothBackends(t, 'Connection cannot name away what the gateway or the framing needs', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const answer = await wire.request({
    method: 'POST',
    headers:
      'Connection: close, Host, Content-Length, X-Forwarded-For, X-Request-Id, Traceparent, Via, Transfer-Encoding\r\nContent-Length: 3\r\n',
    body: 'abc',
  });
  t.equal(answer.status, 200);
  t.strictSame(seen(wire, 'host'), ['shop.test']);
  t.strictSame(seen(wire, 'content-length'), ['3']);
  for (const kept of ['x-forwarded-for', 'x-request-id', 'traceparent', 'via']) {
    t.equal(seen(wire, kept).length, 1, kept);
  }
});

onBothBackends(t, 'hop-by-hop answer headers are dropped, those named by Connection too', async (t, side) => {
  const wire = await startWire(
    t,
    side,
    answering(
      okAnswer(
        'ok',
        'Connection: keep-alive, X-Mine\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nProxy-Connection: close\r\nUpgrade: h2c\r\nX-Mine: 1\r\nX-Other: 2\r\n',
      ),
    ),
  );
  const answer = await wire.request();
  for (const gone of ['x-mine', 'proxy-authenticate', 'proxy-connection', 'upgrade']) {
    t.strictSame(answer.head.values(gone), [], gone);
  }
  t.notMatch(answer.head.values('connection').join(), /mine/i);
  t.notMatch(answer.head.values('keep-alive').join(), 'timeout=5,');
  t.strictSame(answer.head.values('x-other'), ['2']);
});

onBothBackends(t, 'a backend that closes its connection does not close the client’s', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send(okAnswer('ok', 'Connection: close\r\n'));
    exchange.finish();
  });
  const client = await wire.gateway.connect();
  for (let round = 1; round <= 3; round += 1) {
    const answer = await client.request(wire.text());
    t.equal(answer.status, 200);
    t.notMatch(answer.head.values('connection').join(), 'close');
  }
  t.equal(wire.backend.connections.length, 3);
});

onBothBackends(t, 'requests in a row, of any client, share a backend connection', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  for (const method of ['GET', 'POST', 'PUT', 'GET']) {
    const body = method === 'GET' ? {} : { headers: 'Content-Length: 3\r\n', body: 'abc' };
    t.equal((await wire.request({ method, ...body })).status, 200);
  }
  t.equal(wire.backend.connections.length, 1);
});

onBothBackends(t, 'a client that asks to close is closed', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const client = await wire.gateway.connect();
  const answer = await client.request(wire.text({ headers: 'Connection: close\r\n' }));
  t.equal(answer.head.value('connection')?.toLowerCase(), 'close');
  t.equal(await client.closed, 'fin');
});

onBothBackends(t, 'forwarding headers of a peer that is no trusted proxy are replaced', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  await wire.request({
    headers:
      'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\nForwarded: for=6.6.6.6\r\n',
  });
  t.strictSame(seen(wire, 'x-forwarded-for'), ['127.0.0.1']);
  t.strictSame(seen(wire, 'x-forwarded-proto'), ['http']);
  t.strictSame(seen(wire, 'x-forwarded-host'), ['shop.test']);
  t.strictSame(seen(wire, 'forwarded'), []);
});

onBothBackends(t, 'forwarding headers of a trusted proxy are appended to and kept', async (t, side) => {
  const wire = await startWire(t, side, undefined, {
    settings: { forwarding: { trustedProxies: ['127.5.0.0/16', '127.0.0.9'] } },
  });
  const headers =
    'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: public.test\r\n';
  for (const [localAddress, forwarded] of [
    ['127.5.1.1', ['1.2.3.4, 10.0.0.1, 127.5.1.1', 'https', 'public.test']],
    ['127.0.0.9', ['1.2.3.4, 10.0.0.1, 127.0.0.9', 'https', 'public.test']],
    ['127.0.0.8', ['127.0.0.8', 'http', 'shop.test']],
  ] as const) {
    const client = await wire.gateway.connect({ localAddress });
    await client.request(wire.text({ headers }));
    const names = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'];
    t.strictSame(
      names.map((name) => seen(wire, name)),
      forwarded.map((value) => [value]),
    );
  }
});

onBothBackends(t, 'Via is added on both ways, behind what others added', async (t, side) => {
  const wire = await startWire(t, side, answering(okAnswer('ok', 'Via: 1.1 inner\r\n')), {
    settings: { forwarding: { via: 'gate-7' } },
  });
  const answer = await wire.request({ headers: 'Via: 1.0 outer\r\n' });
  t.strictSame(seen(wire, 'via'), ['1.0 outer', '1.1 gate-7']);
  t.strictSame(answer.head.values('via'), ['1.1 inner', '1.1 gate-7']);
});

onBothBackends(t, 'a valid traceparent passes, any other is replaced by a new one', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const valid = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  await wire.request({ headers: `traceparent: ${valid}\r\ntracestate: a=1\r\n` });
  t.strictSame(seen(wire, 'traceparent'), [valid]);
  t.strictSame(seen(wire, 'tracestate'), ['a=1']);
  const begun = new Set<string>();
  for (const headers of [
    '',
    'traceparent: nonsense\r\n',
    `traceparent: ${valid.replace(/4b.{30}/, '0'.repeat(32))}\r\n`,
  ]) {
    await wire.request({ headers });
    const [given = ''] = seen(wire, 'traceparent');
    t.match(given, /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
    begun.add(given);
  }
  t.equal(begun.size, 3);
});

onBothBackends(
  t,
  'a sane x-request-id passes, any other is replaced, and an error names it',
  async (t, side) => {
    const wire = await startWire(t, side, undefined);
    await wire.request({ headers: 'X-Request-Id: abc-123\r\n' });
    t.strictSame(seen(wire, 'x-request-id'), ['abc-123']);
    const made = new Set<string>();
    for (const id of ['', 'a b', 'x'.repeat(129), 'caf\xe9']) {
      await wire.request({ headers: `X-Request-Id: ${id}\r\n` });
      const ids = seen(wire, 'x-request-id');
      t.equal(ids.length, 1);
      t.match(ids[0], /^[\x21-\x7e]{8,128}$/);
      made.add(ids[0] ?? '');
    }
    t.equal(made.size, 4);
    wire.backend.script = (exchange) => {
      exchange.abort();
    };
    const answer = await wire.request({ headers: 'X-Request-Id: abc-124\r\n' });
    t.equal(answer.status, 502);
    t.strictSame(answer.head.values('x-request-id'), ['abc-124']);
    t.equal(JSON.parse(answer.body.toString()).requestId, 'abc-124');
  },
);

onBothBackends(t, 'Host is the client’s, or the backend’s own if so configured', async (t, side) => {
  const client = await startWire(t, side, undefined);
  await client.request();
  t.strictSame(seen(client, 'host'), ['shop.test']);
  const backend = await startWire(t, side, undefined, { backendSettings: { hostHeader: 'backend' } });
  await backend.request();
  t.strictSame(seen(backend, 'host'), [`127.0.0.1:${backend.backend.port}`]);
  t.strictSame(seen(backend, 'x-forwarded-host'), ['shop.test']);
});

onBothBackends(t, 'where a request went is told only if so configured', async (t, side) => {
  const silent = await startWire(t, side, undefined);
  t.strictSame((await silent.request()).head.values('x-turnout-backend'), []);
  const open = await startWire(t, side, undefined, { settings: { forwarding: { exposeHeaders: true } } });
  const answer = await open.request();
  t.strictSame(answer.head.values('x-turnout-backend'), [side]);
  t.match(answer.head.value('x-turnout-epoch'), /^\d+$/);
});

onBothBackends(t, 'a backend cannot pretend to be the gateway in its answer headers', async (t, side) => {
  const forged = answering(okAnswer('ok', 'X-Turnout-Backend: forged\r\n'));
  const wire = await startWire(t, side, forged, { settings: { forwarding: { exposeHeaders: true } } });
  t.strictSame((await wire.request()).head.values('x-turnout-backend'), [side]);
});

onBothBackends(t, 'the gateway’s own words are not taken from a client', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  await wire.request({ headers: 'X-Turnout-Shadow: 1\r\nX-Turnout-Backend: new\r\n' });
  t.strictSame(seen(wire, 'x-turnout-shadow'), []);
  t.strictSame(seen(wire, 'x-turnout-backend'), []);
});
