/** Connections over TLS: what they carry, and which sessions they take up again. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { TLSSocket, type TlsOptions } from 'node:tls';
import t, { type Test } from 'tap';
import type { BackendModel } from '../../src/config/model.ts';
import { createAuthority } from '../harness/certificates.ts';
import { pemFile } from '../harness/pem-files.ts';
import { okAnswer, type RawBackend, type Script, startRawBackend } from '../harness/raw-backend.ts';
import { poolOf, type RecordedExchange, type TestPool } from './recorded-exchange.ts';

t.jobs = 2;

const authority = createAuthority();
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

interface Secure {
  readonly backend: RawBackend;
  readonly pool: TestPool;
}

async function secure(
  t: Test,
  names: readonly string[],
  script: Script | undefined,
  tls: TlsOptions = {},
  model: Partial<BackendModel> = {},
): Promise<Secure> {
  const backend = await startRawBackend(t, script, { tls: { ...authority.server(...names), ...tls } });
  const trust = {
    caFile: pemFile(t, authority.cert),
    certFile: undefined,
    keyFile: undefined,
    serverName: undefined,
    verify: true,
  };
  return { backend, pool: poolOf(t, backend, { tls: trust, ...model }, 'https') };
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

void t.test('large bodies pass both ways over several connections at once, byte for byte', async (t) => {
  const { backend, pool } = await secure(t, ['127.0.0.1'], async (exchange) => {
    const body = await exchange.body();
    const chunk = `${body.length.toString(16)}\r\n`;
    await exchange.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
    await exchange.send(body);
    await exchange.send('\r\n0\r\n\r\n');
  });
  const bodies = Array.from({ length: 4 }, () => randomBytes(3_000_001));
  const exchanges = bodies.map((body, n) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < body.length; at += 50_000) pieces.push(body.subarray(at, at + 50_000));
    const contentLength = n % 2 === 0 ? body.length : undefined;
    return pool.send({ method: 'PUT', body: n === 3 ? pieces : Readable.from(pieces), contentLength });
  });
  for (const [n, exchange] of exchanges.entries()) {
    const got = Buffer.concat((await exchange.over()).pieces);
    t.equal(digest(got), digest(bodies[n] ?? Buffer.alloc(0)));
    t.equal(exchange.error, undefined);
  }
  t.equal(backend.connections.length, 4);
});

void t.test('a taker that is paused makes the backend wait over TLS too', async (t) => {
  const size = 48 * 1024 * 1024;
  let isSent = false;
  const { pool } = await secure(t, ['127.0.0.1'], async (exchange) => {
    const head = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    await exchange.send(Buffer.concat([head, Buffer.alloc(size, 'x')]));
    isSent = true;
  });
  const drop = ({ pieces }: RecordedExchange): void => void pieces.splice(0);
  const exchange = pool.send(
    {},
    {
      data: (one) => {
        drop(one);
        if (!isGoingOn) one.connection?.pause(one);
      },
    },
  );
  let isGoingOn = false;
  await exchange.told('data');
  for (let rounds = 0; rounds < 50; rounds += 1) await new Promise((resolve) => setImmediate(resolve));
  t.ok(exchange.bodyBytes <= 131_072, `${exchange.bodyBytes} bytes, of what was read before`);
  t.notOk(isSent);
  isGoingOn = true;
  exchange.connection?.resume(exchange);
  await exchange.over();
  t.strictSame([exchange.bodyBytes, exchange.error], [size, undefined]);
});

for (const version of VERSIONS) {
  void t.test(`the next connection takes up the session of the last, ${version}`, async (t) => {
    const wereResumed: boolean[] = [];
    const script: Script = async (exchange) => {
      const { socket } = exchange.request.connection;
      wereResumed.push(socket instanceof TLSSocket && socket.isSessionReused());
      await exchange.send(okAnswer('own', 'Connection: close\r\n'));
    };
    const tls = { maxVersion: version, minVersion: version };
    const { pool } = await secure(t, ['127.0.0.1'], script, tls);
    for (let n = 0; n < 4; n += 1) t.equal((await pool.ask()).body, 'own');
    t.strictSame(wereResumed, [false, true, true, true]);
  });

  void t.test(`no session of a refused certificate is taken up, ${version}`, async (t) => {
    const tls = { maxVersion: version, minVersion: version };
    const { backend, pool } = await secure(t, ['other.test'], undefined, tls);
    // With a session, the name would not be looked at again.
    for (let n = 0; n < 4; n += 1) {
      const { error, events } = await pool.ask();
      t.match(error, { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, `for the ${n + 1}. time`);
      t.strictSame(events, ['error']);
    }
    t.strictSame(backend.requests, []);
  });
}
