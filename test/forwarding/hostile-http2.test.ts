/**
 * Requests in HTTP/2 that would be another request, or two, when written as HTTP/1.1. Each is refused, or
 * arrives as one request that means the same.
 */
import t, { type Test } from 'tap';
import type { Backend } from '../../src/model.ts';
import { createAuthority } from '../harness/certificates.ts';
import { onBothBackends } from '../harness/gateway.ts';
import { credentialFiles } from '../harness/pem-files.ts';
import { connectRawHttp2, Frame, frame, type HeaderPair, requestFrames } from '../harness/raw-http2.ts';
import { startWire, type Wire } from '../harness/wire.ts';
import { within } from '../harness/within.ts';

t.jobs = 8;

const authority = createAuthority();
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n';

function startTlsWire(t: Test, side: Backend): Promise<Wire> {
  return startWire(t, side, undefined, {
    settings: { listen: { tls: credentialFiles(t, authority.server('127.0.0.1')) } },
  });
}

function pseudo(over: { readonly [name: string]: string | undefined } = {}): HeaderPair[] {
  const all = { ':method': 'POST', ':scheme': 'https', ':authority': 'shop.test', ':path': '/', ...over };
  return Object.entries(all).flatMap(([name, value]): HeaderPair[] =>
    value === undefined ? [] : [[name, value]],
  );
}

interface Case {
  readonly name: string;
  readonly headers: readonly HeaderPair[];
  readonly body?: string;
}

const REFUSED: readonly Case[] = [
  { name: 'a line end in a value', headers: [...pseudo(), ['x-a', `b\r\n\r\n${SMUGGLED}`]] },
  { name: 'a bare LF in a value', headers: [...pseudo(), ['x-a', 'b\nTransfer-Encoding: chunked']] },
  { name: 'a bare CR in a value', headers: [...pseudo(), ['x-a', 'b\rc']] },
  { name: 'a NUL in a value', headers: [...pseudo(), ['x-a', 'b\0c']] },
  { name: 'a line end in a name', headers: [...pseudo(), ['x-a: b\r\ntransfer-encoding', 'chunked']] },
  { name: 'a colon in a name', headers: [...pseudo(), ['transfer-encoding:chunked', 'x']] },
  { name: 'a space in a name', headers: [...pseudo(), ['x a', 'b']] },
  { name: 'an upper-case name', headers: [...pseudo(), ['Transfer-Encoding', 'chunked']] },
  { name: 'an empty name', headers: [...pseudo(), ['', 'b']] },
  {
    name: 'transfer-encoding',
    headers: [...pseudo(), ['transfer-encoding', 'chunked']],
    body: `0\r\n\r\n${SMUGGLED}`,
  },
  { name: 'connection', headers: [...pseudo(), ['connection', 'transfer-encoding']] },
  { name: 'keep-alive', headers: [...pseudo(), ['keep-alive', 'timeout=5']] },
  { name: 'upgrade', headers: [...pseudo(), ['upgrade', 'websocket']] },
  { name: 'proxy-connection', headers: [...pseudo(), ['proxy-connection', 'keep-alive']] },
  { name: 'te other than trailers', headers: [...pseudo(), ['te', 'chunked']] },
  { name: 'a length shorter than the body', headers: [...pseudo(), ['content-length', '0']], body: SMUGGLED },
  { name: 'a length longer than the body', headers: [...pseudo(), ['content-length', '100']], body: 'abc' },
  {
    name: 'two different lengths',
    headers: [...pseudo(), ['content-length', '3'], ['content-length', '4']],
    body: 'abc',
  },
  { name: 'a length that is no number', headers: [...pseudo(), ['content-length', '3, 3']], body: 'abc' },
  {
    name: 'a line end in the path',
    headers: pseudo({ ':path': `/ HTTP/1.1\r\nHost: shop.test\r\n\r\n${SMUGGLED}` }),
  },
  { name: 'a space in the path', headers: pseudo({ ':path': '/ HTTP/1.1' }) },
  { name: 'a path without a slash', headers: pseudo({ ':path': 'shop.test/a' }) },
  { name: 'an empty path', headers: pseudo({ ':path': '' }) },
  { name: 'no path', headers: pseudo({ ':path': undefined }) },
  { name: 'a line end in the method', headers: pseudo({ ':method': 'GET / HTTP/1.1\r\nX: ' }) },
  { name: 'a space in the method', headers: pseudo({ ':method': 'GET /smuggled HTTP/1.1' }) },
  { name: 'no method', headers: pseudo({ ':method': undefined }) },
  { name: 'no scheme', headers: pseudo({ ':scheme': undefined }) },
  { name: 'a line end in the authority', headers: pseudo({ ':authority': 'shop.test\r\nX-User: nina' }) },
  { name: 'a space in the authority', headers: pseudo({ ':authority': 'shop test' }) },
  { name: 'a user in the authority', headers: pseudo({ ':authority': 'a@shop.test' }) },
  { name: 'a path in the authority', headers: pseudo({ ':authority': 'shop.test/a' }) },
  { name: 'an authority and another Host', headers: [...pseudo(), ['host', 'other.test']] },
  { name: 'two Hosts', headers: [...pseudo({ ':authority': undefined }), ['host', 'a'], ['host', 'b']] },
  { name: 'neither authority nor Host', headers: pseudo({ ':authority': undefined }) },
  { name: 'a pseudo header twice', headers: [...pseudo(), [':path', '/b']] },
  { name: 'an unknown pseudo header', headers: [...pseudo(), [':x', 'y']] },
  { name: 'a pseudo header behind others', headers: [['x-a', 'b'], ...pseudo()] },
  { name: 'a pseudo header of answers', headers: [...pseudo(), [':status', '200']] },
  {
    name: 'CONNECT',
    headers: [
      [':method', 'CONNECT'],
      [':authority', 'shop.test:443'],
    ],
  },
  {
    name: 'a tunnel for a protocol',
    headers: pseudo({ ':method': 'CONNECT', ':protocol': 'websocket' }),
  },
];

onBothBackends(t, 'what HTTP/1.1 cannot carry is refused, or left out', async (t, side) => {
  const wire = await startTlsWire(t, side);
  for (const { name, headers, body } of REFUSED) {
    const before = wire.backend.requests.length;
    const client = await connectRawHttp2(t, wire.gateway.port, authority.cert);
    client.send(requestFrames(1, [...headers, ['x-user', side === 'legacy' ? 'leo' : 'nina']], body));
    const end = await client.end(1);
    const served = end.kind === 'answered' && end.status === 200;
    const begun = wire.backend.requests.slice(before);
    t.ok(begun.length <= 1, `${name}: at most one request`);
    for (const request of begun) {
      if (served) {
        // The parser leaves out a field that cannot be one, and takes the rest of the request.
        t.equal(request.body.bytes, body?.length ?? 0, `${name}: ${JSON.stringify(end)}`);
        t.notMatch(request.rawHead, /smuggled|^x-a|^x a|^upgrade|^:/im, name);
        t.match(request.rawHead, /^POST \/ HTTP\/1\.1\r\n/, name);
      } else {
        await request.connection.gone;
        t.not(request.body.state, 'complete', `${name}: a body that contradicts its length`);
      }
    }
    t.ok(served === (begun.length === 1) || !served, `${name}: ${JSON.stringify(end)}`);
  }
});

onBothBackends(t, 'a plain request of the same client is served', async (t, side) => {
  const wire = await startTlsWire(t, side);
  const client = await connectRawHttp2(t, wire.gateway.port, authority.cert);
  const user: HeaderPair = ['x-user', side === 'legacy' ? 'leo' : 'nina'];
  client.send(requestFrames(1, [...pseudo(), user], 'body'));
  t.strictSame(await client.end(1), { kind: 'answered', status: 200, body: 'ok' });
  client.send(requestFrames(3, [...pseudo({ ':method': 'GET' }), user]));
  t.equal((await client.end(3)).status, 200);
  client.send(
    requestFrames(5, [...pseudo({ ':authority': undefined }), ['host', 'shop.test'], user], SMUGGLED),
  );
  t.equal((await client.end(5)).status, 200);
  t.equal(wire.backend.requests.length, 3);
  t.equal(wire.backend.requests[2]?.body.bytes, SMUGGLED.length);
});

for (const [name, code] of [
  ['with CANCEL', 8],
  ['with NO_ERROR', 0],
  ['by the end of the connection', undefined],
] as const) {
  onBothBackends(t, `an upload that is ended ${name} is cut at the backend`, async (t, side) => {
    const wire = await startTlsWire(t, side);
    const client = await connectRawHttp2(t, wire.gateway.port, authority.cert);
    const user: HeaderPair = ['x-user', side === 'legacy' ? 'leo' : 'nina'];
    client.send(requestFrames(1, [...pseudo(), user], 'half', true));
    const request = await wire.backend.request();
    if (code === undefined) client.abort();
    else client.send(frame(Frame.resetStream, 0, 1, Buffer.from([0, 0, 0, code])));
    await within(request.connection.gone, 'the end of the request');
    await wire.backend.abandoned();
    t.not(request.body.state, 'complete', name);
    await wire.gateway.ended('client_closed_upload', side);
  });
}

onBothBackends(
  t,
  'streams that are reset as soon as they are opened leave nothing behind',
  async (t, side) => {
    const wire = await startTlsWire(t, side);
    const client = await connectRawHttp2(t, wire.gateway.port, authority.cert);
    const user: HeaderPair = ['x-user', side === 'legacy' ? 'leo' : 'nina'];
    const cancel = Buffer.from([0, 0, 0, 8]);
    const count = 300;
    for (let index = 0; index < count; index += 1) {
      const stream = index * 2 + 1;
      client.send(requestFrames(stream, [...pseudo({ ':method': 'GET' }), user]));
      client.send(frame(Frame.resetStream, 0, stream, cancel));
    }
    client.send(requestFrames(count * 2 + 1, [...pseudo({ ':method': 'GET' }), user]));
    t.equal((await client.end(count * 2 + 1)).status, 200);
    t.equal(wire.gateway.gateway.inFlight(), 0);
  },
);
