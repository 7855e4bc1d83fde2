/** HTTPS towards backends, on each of the three ways that a request can take: pooled, plain, tunnelled. */
import { TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import type { Backend } from '../../src/model.ts';
import { hangingPort } from '../faults/accept-and-hang.ts';
import { createAuthority } from '../harness/certificates.ts';
import { AS_USER_OF, onBothBackends, type Settings, startGateway } from '../harness/gateway.ts';
import { pemFile } from '../harness/pem-files.ts';
import { okAnswer, type Script, startRawBackend } from '../harness/raw-backend.ts';
import { startWire, type Wire } from '../harness/wire.ts';
import { headerValues } from '../harness/wire-message.ts';

t.jobs = 8;

const authority = createAuthority();
const stranger = createAuthority('Somebody else');
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** The request's headers, by the way that they make it take. */
const WAYS = {
  pooled: '',
  plain: 'Expect: 100-continue\r\nContent-Length: 0\r\n',
  tunnelled: UPGRADE,
} as const;

const script: Script = async (exchange) => {
  const upgrade = exchange.values('upgrade').length > 0;
  await exchange.send(
    upgrade
      ? 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
      : okAnswer(),
  );
  if (upgrade) exchange.finish();
};

async function statusOf(wire: Wire, way: keyof typeof WAYS): Promise<[number, string]> {
  const client = await wire.gateway.connect();
  await client.send(wire.text({ headers: WAYS[way] }));
  const { head } = await client.finalHead();
  const body = head.status === 101 ? '' : (await head.body.all()).toString();
  return [head.status, head.status >= 400 ? String(JSON.parse(body).code) : ''];
}

async function allAre(t: Test, wire: Wire, expected: [served: boolean, code: string]): Promise<void> {
  const [served, code] = expected;
  for (const way of ['pooled', 'plain', 'tunnelled'] as const) {
    const success = way === 'tunnelled' ? 101 : 200;
    t.strictSame(await statusOf(wire, way), served ? [success, ''] : [502, code], way);
  }
  if (served) return;
  t.equal(
    wire.backend.requests.length,
    0,
    'nothing of a request is sent before the certificate is found good',
  );
  await wire.gateway.ended('backend_tls', wire.side, 3);
}

async function startTls(t: Test, side: Backend, names: string[], tls: Settings): Promise<Wire> {
  return startWire(t, side, script, {
    tls: authority.server(...names),
    settings: { backends: { [side]: { tls } } },
  });
}

onBothBackends(
  t,
  'a certificate of a private authority is accepted where that authority is configured',
  async (t, side) => {
    const wire = await startTls(t, side, ['127.0.0.1'], { caFile: pemFile(t, authority.cert) });
    await allAre(t, wire, [true, '']);
    t.strictSame(headerValues(wire.backend.requests[0]?.headers ?? [], 'x-forwarded-proto'), ['http']);
  },
);

onBothBackends(t, 'a certificate of an unknown authority is refused by default', async (t, side) => {
  await allAre(t, await startTls(t, side, ['127.0.0.1'], {}), [false, 'backend_tls']);
});

onBothBackends(
  t,
  'a certificate of another authority than the configured one is refused',
  async (t, side) => {
    const wire = await startTls(t, side, ['127.0.0.1'], { caFile: pemFile(t, stranger.cert) });
    await allAre(t, wire, [false, 'backend_tls']);
  },
);

onBothBackends(t, 'a certificate for another name is refused', async (t, side) => {
  const wire = await startTls(t, side, ['other.test', '127.0.0.9'], { caFile: pemFile(t, authority.cert) });
  await allAre(t, wire, [false, 'backend_tls']);
});

onBothBackends(
  t,
  'the name to verify can be configured, and is what the backend is asked for',
  async (t, side) => {
    const wire = await startTls(t, side, ['shop.internal'], {
      caFile: pemFile(t, authority.cert),
      serverName: 'shop.internal',
    });
    await allAre(t, wire, [true, '']);
    for (const { socket } of wire.backend.connections) {
      t.equal(socket instanceof TLSSocket && socket.servername, 'shop.internal');
    }
  },
);

onBothBackends(t, 'the client’s Host has no say in which name is verified', async (t, side) => {
  const wire = await startTls(t, side, ['shop.test'], { caFile: pemFile(t, authority.cert) });
  // Every request here says `Host: shop.test`, which is what this certificate is for; the backend is 127.0.0.1.
  await allAre(t, wire, [false, 'backend_tls']);
});

onBothBackends(t, 'requests for several Hosts share a connection', async (t, side) => {
  const wire = await startTls(t, side, ['127.0.0.1'], { caFile: pemFile(t, authority.cert) });
  for (const host of ['a.test', 'b.test', '127.0.0.1', 'a.test:81']) {
    const client = await wire.gateway.connect();
    const answer = await client.request(`GET / HTTP/1.1\r\nHost: ${host}\r\n${AS_USER_OF[side]}\r\n`);
    t.equal(answer.status, 200);
    t.strictSame(headerValues(wire.backend.requests.at(-1)?.headers ?? [], 'host'), [host]);
  }
  t.equal(wire.backend.connections.length, 1);
});

onBothBackends(t, 'verification can be switched off, for one backend', async (t, side) => {
  const wire = await startTls(t, side, ['other.test'], { verify: false });
  await allAre(t, wire, [true, '']);
});

onBothBackends(t, 'the client certificate is presented', async (t, side) => {
  const own = authority.client('turnout');
  const seen: unknown[] = [];
  const noting: Script = async (exchange) => {
    const { socket } = exchange.request.connection;
    seen.push(socket instanceof TLSSocket && socket.getPeerCertificate().subject.CN);
    await script(exchange);
  };
  const ownFiles = { certFile: pemFile(t, own.cert), keyFile: pemFile(t, own.key) };
  const wire = await startWire(t, side, noting, {
    tls: {
      ...authority.server('127.0.0.1'),
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    },
    settings: { backends: { [side]: { tls: { caFile: pemFile(t, authority.cert), ...ownFiles } } } },
  });
  await allAre(t, wire, [true, '']);
  t.strictSame(seen, ['turnout', 'turnout', 'turnout']);
});

onBothBackends(t, 'a backend that wants a client certificate and gets none is a 502', async (t, side) => {
  const wire = await startWire(t, side, script, {
    tls: {
      ...authority.server('127.0.0.1'),
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    },
    settings: { backends: { [side]: { tls: { caFile: pemFile(t, authority.cert) } } } },
  });
  for (const way of ['pooled', 'plain', 'tunnelled'] as const) {
    const [status] = await statusOf(wire, way);
    t.equal(status, 502, way);
  }
  t.equal(wire.backend.requests.length, 0);
});

async function againstOrigin(
  t: Test,
  side: Backend,
  origin: string,
  backendSettings: Settings,
): Promise<[number, string]> {
  const other = await startRawBackend(t);
  const backends =
    side === 'legacy' ? { legacy: origin, new: other.port } : { legacy: other.port, new: origin };
  const gateway = await startGateway(t, { backends, backendSettings });
  const client = await gateway.connect();
  const answer = await client.request(`GET / HTTP/1.1\r\nHost: shop.test\r\n${AS_USER_OF[side]}\r\n`);
  return [answer.status, String(JSON.parse(answer.body.toString()).code)];
}

onBothBackends(t, 'a handshake that does not end is a connect timeout', async (t, side) => {
  const port = await hangingPort(t);
  t.strictSame(await againstOrigin(t, side, `https://127.0.0.1:${port}`, { connectMs: 200 }), [
    504,
    'backend_connect_timeout',
  ]);
});

onBothBackends(t, 'a backend that speaks plain HTTP where TLS is expected is a 502', async (t, side) => {
  const plain = await startRawBackend(t);
  const [status, code] = await againstOrigin(t, side, `https://127.0.0.1:${plain.port}`, {});
  t.equal(status, 502);
  t.match(code, /^backend_(tls|refused)$/);
  t.equal(plain.requests.length, 0);
});

onBothBackends(t, 'a backend that speaks TLS where plain HTTP is expected is a 502', async (t, side) => {
  const secure = await startRawBackend(t, script, { tls: authority.server('127.0.0.1') });
  const [status] = await againstOrigin(t, side, `http://127.0.0.1:${secure.port}`, {});
  t.equal(status, 502);
  t.equal(secure.requests.length, 0);
});

onBothBackends(t, 'bodies and streams pass over TLS as they do without', async (t, side) => {
  const wire = await startTls(t, side, ['127.0.0.1'], { caFile: pemFile(t, authority.cert) });
  wire.backend.script = async (exchange) => {
    const body = await exchange.body();
    await exchange.send(
      Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body]),
    );
  };
  const body = 'x'.repeat(2_000_000);
  const answer = await wire.request({ method: 'PUT', headers: `Content-Length: ${body.length}\r\n`, body });
  t.equal(answer.body.length, body.length);
  t.equal(answer.ending, 'complete');
});
