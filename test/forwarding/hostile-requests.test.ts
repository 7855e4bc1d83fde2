/**
 * What an attacker sends. Each case ends in one of two ways: an error and a closed connection, or one request
 * that every reader understands alike. Never does a byte of it become a second request at the backend: the
 * backend here records all bytes, and reads them by the letter.
 */
import t, { type Test } from 'tap';
import { AS_USER_OF, onBothBackends } from '../harness/gateway.ts';
import { statusesToTheEnd } from '../harness/raw-client.ts';
import { startWire, type Wire } from '../harness/wire.ts';

t.jobs = 8;

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n';

interface Refusal {
  readonly name: string;
  /** The bytes, with `USER` where the line that names the user belongs. */
  readonly bytes: string;
  readonly status?: number | readonly number[];
}

/** Sends the bytes, and a request behind them; there is one error answer, the connection ends, no request arrives. */
async function isRefused(t: Test, wire: Wire, { name, bytes, status = 400 }: Refusal): Promise<void> {
  const client = await wire.gateway.connect();
  const whole = bytes.replace('USER', AS_USER_OF[wire.side]);
  await client.send(whole + SMUGGLED);
  const method = /^[A-Z]+/.exec(whole)?.[0] ?? 'GET';
  const got = await statusesToTheEnd(client, method, name);
  const allowed = typeof status === 'number' ? [status] : status;
  t.equal(got.length, 1, `${name}: exactly one answer, got ${got.join()}`);
  t.ok(allowed.includes(got[0] ?? 0), `${name}: ${got[0]}`);
}

const POST = 'POST / HTTP/1.1\r\nHost: shop.test\r\nUSER';
const GET = 'GET / HTTP/1.1\r\nHost: shop.test\r\nUSER';
const CHUNKED_ABC = '3\r\nabc\r\n0\r\n\r\n';

const FRAMING: readonly Refusal[] = [
  {
    name: 'both lengths',
    bytes: `${POST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_ABC}`,
  },
  {
    name: 'both lengths, the other way',
    bytes: `${POST}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n${CHUNKED_ABC}`,
  },
  { name: 'two different lengths', bytes: `${POST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd` },
  { name: 'two equal lengths', bytes: `${POST}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc` },
  { name: 'a list of lengths', bytes: `${POST}Content-Length: 3, 3\r\n\r\nabc` },
  { name: 'a length with a sign', bytes: `${POST}Content-Length: +3\r\n\r\nabc` },
  { name: 'a negative length', bytes: `${POST}Content-Length: -3\r\n\r\nabc` },
  { name: 'a hexadecimal length', bytes: `${POST}Content-Length: 0x3\r\n\r\nabc` },
  { name: 'a length with a space inside', bytes: `${POST}Content-Length: 1 0\r\n\r\nabc` },
  { name: 'a length with a fraction', bytes: `${POST}Content-Length: 3.0\r\n\r\nabc` },
  { name: 'a length that is a word', bytes: `${POST}Content-Length: three\r\n\r\nabc` },
  { name: 'an empty length', bytes: `${POST}Content-Length: \r\n\r\nabc` },
  { name: 'a length beyond 64 bits', bytes: `${POST}Content-Length: 18446744073709551619\r\n\r\nabc` },
  { name: 'a length beyond 53 bits', bytes: `${POST}Content-Length: 99999999999999999\r\n\r\nabc` },
  { name: 'a length in non-ASCII digits', bytes: `${POST}Content-Length: \xb3\r\n\r\nabc` },
  {
    name: 'an underscore for the hyphen is another header',
    bytes: `${POST}Content-Length: 3\r\nTransfer-Encoding:\tgzip\r\n\r\nabc`,
  },
  { name: 'an unknown coding', bytes: `${POST}Transfer-Encoding: xchunked\r\n\r\n${CHUNKED_ABC}` },
  { name: 'chunked is not last', bytes: `${POST}Transfer-Encoding: chunked, identity\r\n\r\n${CHUNKED_ABC}` },
  { name: 'chunked twice', bytes: `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n${CHUNKED_ABC}` },
  {
    name: 'chunked after identity',
    bytes: `${POST}Transfer-Encoding: identity, chunked\r\n\r\n${CHUNKED_ABC}`,
  },
  { name: 'chunked after gzip', bytes: `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n${CHUNKED_ABC}` },
  { name: 'identity alone', bytes: `${POST}Transfer-Encoding: identity\r\n\r\n${CHUNKED_ABC}` },
  { name: 'an empty coding', bytes: `${POST}Transfer-Encoding: \r\n\r\n${CHUNKED_ABC}` },
  {
    name: 'two coding headers',
    bytes: `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${CHUNKED_ABC}`,
  },
  {
    name: 'two chunked headers',
    bytes: `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_ABC}`,
  },
  {
    name: 'a vertical tab before chunked',
    bytes: `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n${CHUNKED_ABC}`,
  },
  { name: 'a form feed after chunked', bytes: `${POST}Transfer-Encoding: chunked\x0c\r\n\r\n${CHUNKED_ABC}` },
  { name: 'quotes around chunked', bytes: `${POST}Transfer-Encoding: "chunked"\r\n\r\n${CHUNKED_ABC}` },
  { name: 'a parameter of chunked', bytes: `${POST}Transfer-Encoding: chunked;q=1\r\n\r\n${CHUNKED_ABC}` },
  {
    name: 'a non-breaking space after chunked',
    bytes: `${POST}Transfer-Encoding: chunked\xa0\r\n\r\n${CHUNKED_ABC}`,
  },
  { name: 'a space before the colon', bytes: `${POST}Transfer-Encoding : chunked\r\n\r\n${CHUNKED_ABC}` },
  { name: 'a tab before the colon', bytes: `${POST}Content-Length\t: 3\r\n\r\nabc` },
  { name: 'a coding in a folded line', bytes: `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n${CHUNKED_ABC}` },
  { name: 'a coding behind a NUL', bytes: `${POST}Transfer-Encoding: \0chunked\r\n\r\n${CHUNKED_ABC}` },
  {
    name: 'a coding behind a bare CR',
    bytes: `${POST}X: a\rTransfer-Encoding: chunked\r\n\r\n${CHUNKED_ABC}`,
  },
  {
    name: 'a coding with HTTP/1.0',
    bytes: `${POST.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n${CHUNKED_ABC}`,
  },
];

const HEAD: readonly Refusal[] = [
  { name: 'a space before the colon', bytes: `${GET}X-A : b\r\n\r\n` },
  { name: 'a line without a colon', bytes: `${GET}nonsense\r\n\r\n` },
  { name: 'an empty name', bytes: `${GET}: b\r\n\r\n` },
  { name: 'a space in a name', bytes: `${GET}X A: b\r\n\r\n` },
  { name: 'a non-ASCII name', bytes: `${GET}X-\xe9: b\r\n\r\n` },
  { name: 'a folded line', bytes: `${GET}X-A: b\r\n c\r\n\r\n` },
  { name: 'a folded first line', bytes: 'GET / HTTP/1.1\r\n Host: shop.test\r\nHost: shop.test\r\nUSER\r\n' },
  { name: 'a NUL in a value', bytes: `${GET}X-A: b\0c\r\n\r\n` },
  { name: 'a NUL in a name', bytes: `${GET}X-\0A: b\r\n\r\n` },
  { name: 'a bare CR in a value', bytes: `${GET}X-A: b\rc\r\n\r\n` },
  { name: 'a bare CR for a line end', bytes: `${GET}X-A: b\rX-B: c\r\n\r\n` },
  { name: 'a bare LF for a line end', bytes: `${GET}X-A: b\nX-B: c\r\n\r\n` },
  { name: 'a bare LF behind the request line', bytes: 'GET / HTTP/1.1\nHost: shop.test\r\nUSER\r\n' },
  { name: 'a bare LF for the empty line', bytes: `${GET}X-A: b\r\n\n` },
  { name: 'a DEL in a value', bytes: `${GET}X-A: \x7f\r\n\r\n`, status: [400] },
  { name: 'no Host', bytes: 'GET / HTTP/1.1\r\nUSER\r\n' },
  { name: 'two Hosts', bytes: `${GET}Host: other.test\r\n\r\n` },
  { name: 'two equal Hosts', bytes: `${GET}host: shop.test\r\n\r\n` },
  { name: 'a Host with a path', bytes: 'GET / HTTP/1.1\r\nHost: shop.test/a\r\nUSER\r\n' },
  { name: 'a Host with a user', bytes: 'GET / HTTP/1.1\r\nHost: a@shop.test\r\nUSER\r\n' },
  { name: 'a Host with a space', bytes: 'GET / HTTP/1.1\r\nHost: shop test\r\nUSER\r\n' },
  { name: 'a list of Hosts', bytes: 'GET / HTTP/1.1\r\nHost: shop.test, other.test\r\nUSER\r\n' },
  { name: 'a Host with a wrong port', bytes: 'GET / HTTP/1.1\r\nHost: shop.test:http\r\nUSER\r\n' },
  { name: 'a Host in non-ASCII', bytes: 'GET / HTTP/1.1\r\nHost: shop\xe9.test\r\nUSER\r\n' },
  { name: 'a space in the target', bytes: 'GET /a b HTTP/1.1\r\nHost: shop.test\r\nUSER\r\n' },
  { name: 'a tab in the target', bytes: 'GET /a\tb HTTP/1.1\r\nHost: shop.test\r\nUSER\r\n' },
  { name: 'a NUL in the target', bytes: 'GET /a\0b HTTP/1.1\r\nHost: shop.test\r\nUSER\r\n' },
  { name: 'a bare CR in the target', bytes: 'GET /a\rb HTTP/1.1\r\nHost: shop.test\r\nUSER\r\n' },
  { name: 'a tab before the version', bytes: 'GET /\tHTTP/1.1\r\nHost: shop.test\r\nUSER\r\n' },
  { name: 'no target', bytes: 'GET HTTP/1.1\r\nHost: shop.test\r\nUSER\r\n' },
  { name: 'a space before the method', bytes: ' GET / HTTP/1.1\r\nHost: shop.test\r\nUSER\r\n' },
  {
    name: 'an unknown minor version',
    bytes: 'GET / HTTP/1.2\r\nHost: shop.test\r\nUSER\r\n',
    status: [400, 505],
  },
  {
    name: 'an unknown major version',
    bytes: 'GET / HTTP/3.0\r\nHost: shop.test\r\nUSER\r\n',
    status: [400, 505],
  },
  { name: 'a version in lower case', bytes: 'GET / http/1.1\r\nHost: shop.test\r\nUSER\r\n' },
  { name: 'a version with a leading zero', bytes: 'GET / HTTP/01.1\r\nHost: shop.test\r\nUSER\r\n' },
  { name: 'another protocol', bytes: 'GET / ICY/1.1\r\nHost: shop.test\r\nUSER\r\n' },
  { name: 'HTTP/0.9', bytes: 'GET /\r\n' },
  { name: 'the preface of HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: [400, 505] },
  { name: 'a TLS hello', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' },
];

/** The head is in order here, so the request may have begun at the backend: it has to be cut there. */
const CHUNKS: readonly Refusal[] = [
  { name: 'a size that is no number', bytes: 'xyz\r\nabc\r\n0\r\n\r\n' },
  { name: 'a hexadecimal prefix', bytes: '0x3\r\nabc\r\n0\r\n\r\n' },
  { name: 'a sign', bytes: '+3\r\nabc\r\n0\r\n\r\n' },
  { name: 'a negative size', bytes: '-3\r\nabc\r\n0\r\n\r\n' },
  { name: 'a leading space', bytes: ' 3\r\nabc\r\n0\r\n\r\n' },
  { name: 'a size beyond 64 bits', bytes: '10000000000000003\r\nabc\r\n0\r\n\r\n' },
  { name: 'an empty size', bytes: '\r\nabc\r\n0\r\n\r\n' },
  { name: 'a bare LF behind a size', bytes: '3\nabc\r\n0\r\n\r\n' },
  { name: 'a bare CR behind a size', bytes: '3\rabc\r\n0\r\n\r\n' },
  { name: 'a bare LF in an extension', bytes: '3;a\nb\r\nabc\r\n0\r\n\r\n' },
  { name: 'a bare CR in an extension', bytes: '3;a\rb\r\nabc\r\n0\r\n\r\n' },
  { name: 'a NUL in an extension', bytes: '3;a\0b\r\nabc\r\n0\r\n\r\n' },
  { name: 'an endless extension', bytes: `3;${'a'.repeat(40_000)}\r\nabc\r\n0\r\n\r\n` },
  { name: 'no line end behind a chunk', bytes: '3\r\nabc0\r\n\r\n' },
  { name: 'a chunk longer than its size', bytes: '3\r\nabcd\r\n0\r\n\r\n' },
  { name: 'a bare LF behind a chunk', bytes: '3\r\nabc\n0\r\n\r\n' },
  { name: 'a bare LF behind the last chunk', bytes: '3\r\nabc\r\n0\n\r\n' },
  { name: 'a trailer without a colon', bytes: '3\r\nabc\r\n0\r\nnonsense\r\n\r\n' },
  { name: 'a length in a trailer', bytes: '3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n' },
  { name: 'a folded trailer', bytes: '3\r\nabc\r\n0\r\nX-A: b\r\n c\r\n\r\n' },
  { name: 'a bare LF behind a trailer', bytes: '3\r\nabc\r\n0\r\nX-A: b\n\r\n' },
  { name: 'endless trailers', bytes: `3\r\nabc\r\n0\r\n${'X-A: 0123456789\r\n'.repeat(3_000)}\r\n` },
];

onBothBackends(
  t,
  'a request with a dubious length is refused, and its rest is never read',
  async (t, side) => {
    const wire = await startWire(t, side, undefined);
    await Promise.all(
      FRAMING.map((refusal) => isRefused(t, wire, refusal).catch((error: Error) => t.fail(error.message))),
    );
    t.equal(wire.backend.receivedBytes, 0);
  },
);

onBothBackends(t, 'a malformed head is refused, and its rest is never read', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  await Promise.all(
    HEAD.map((refusal) => isRefused(t, wire, refusal).catch((error: Error) => t.fail(error.message))),
  );
  t.equal(wire.backend.receivedBytes, 0);
});

onBothBackends(
  t,
  'a malformed chunk cuts the request at the backend, and its rest is never read',
  async (t, side) => {
    // What arrived of the request before the malformed byte may be there, but it must not be whole.
    const wire = await startWire(t, side, undefined);
    await Promise.all(
      CHUNKS.map(async ({ name, bytes }) => {
        const client = await wire.gateway.connect();
        const head = wire.text({
          method: 'POST',
          target: `/${encodeURIComponent(name)}`,
          headers: 'Transfer-Encoding: chunked\r\n',
        });
        await client.send(head + bytes + SMUGGLED);
        const got = await statusesToTheEnd(client, 'POST', name).catch((error: Error) => {
          t.fail(error.message);
          return [];
        });
        t.ok(
          got.length <= 1 && got.every((status) => status === 400 || status === 413 || status === 431),
          `${name}: ${got.join()}`,
        );
      }),
    );
    for (const request of wire.backend.requests) {
      await request.connection.gone;
      t.not(request.body.state, 'complete', request.target);
      t.equal(request.connection.requests.length, 1);
    }
    t.notOk(wire.backend.requests.some(({ target }) => target === '/smuggled'));
  },
);

onBothBackends(t, 'a request inside a body stays inside it', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const client = await wire.gateway.connect();
  for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
    const sized = { method, headers: `Content-Length: ${SMUGGLED.length}\r\n`, body: SMUGGLED };
    t.equal((await client.request(wire.text(sized))).status, 200);
    const size = SMUGGLED.length.toString(16);
    const chunks = {
      method,
      headers: 'Transfer-Encoding: chunked\r\n',
      body: `${size}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    };
    t.equal((await client.request(wire.text(chunks))).status, 200);
  }
  t.equal(wire.backend.requests.length, 8);
  t.ok(wire.backend.requests.every(({ target, body }) => target === '/' && body.bytes === SMUGGLED.length));
});

onBothBackends(t, 'equal but odd framing is forwarded in its plain form', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const client = await wire.gateway.connect();
  for (const [headers, body] of [
    ['Content-Length: 0003\r\n', 'abc'],
    ['Content-Length:   3  \r\n', 'abc'],
    ['content-LENGTH:3\r\n', 'abc'],
    ['Transfer-Encoding: Chunked\r\n', CHUNKED_ABC],
    ['Transfer-Encoding:\tchunked \r\n', CHUNKED_ABC],
    ['Transfer-Encoding: chunked\r\n', `${'0'.repeat(40_000)}3\r\nabc\r\n0\r\n\r\n`],
    ['Transfer-Encoding: chunked\r\n', '003\r\nabc\r\n000\r\n\r\n'],
    ['Transfer-Encoding: chunked\r\n', '3;a=b;c="d e"\r\nabc\r\n0\r\n\r\n'],
  ] as const) {
    const answer = await client.request(wire.text({ method: 'POST', headers, body }));
    t.equal(answer.status, 200, headers);
    t.equal(wire.backend.requests.at(-1)?.body.bytes, 3);
  }
  t.equal(wire.backend.requests.length, 8);
});

onBothBackends(t, 'spaces too many in a request line are forwarded as one', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const client = await wire.gateway.connect();
  for (const line of ['GET  /a HTTP/1.1', 'GET /a  HTTP/1.1']) {
    const answer = await client.request(`${line}\r\nHost: shop.test\r\n${AS_USER_OF[side]}\r\n`);
    t.equal(answer.status, 200, line);
    t.match(wire.backend.requests.at(-1)?.rawHead, /^GET \/a HTTP\/1\.1\r\n/);
  }
});

onBothBackends(t, 'empty lines before a request are overlooked', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const client = await wire.gateway.connect();
  t.equal((await client.request(`\r\n\r\n${wire.text()}`)).status, 200);
  t.equal(wire.backend.requests.length, 1);
});
