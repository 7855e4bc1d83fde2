import { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import t from 'tap';
import { createAuthority } from './certificates.ts';
import { startRawBackend } from './raw-backend.ts';
import { connectRaw } from './raw-client.ts';

const authority = createAuthority();
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

void t.test('a server is accepted by who trusts the authority, under its own names only', async (t) => {
  const backend = await startRawBackend(t, undefined, { tls: authority.server('backend.test', '127.0.0.1') });
  const trusting = { ca: authority.cert };
  for (const servername of ['backend.test', undefined]) {
    const options = servername === undefined ? trusting : { ...trusting, servername };
    const client = await connectRaw(t, { port: backend.port, tls: options });
    t.equal((await client.request(GET)).status, 200);
  }
  await t.rejects(connectRaw(t, { port: backend.port, tls: { ...trusting, servername: 'other.test' } }), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  await t.rejects(connectRaw(t, { port: backend.port, tls: {} }), { code: /UNABLE_TO_(VERIFY|GET)/ });
});

void t.test('a client certificate is seen by the server', async (t) => {
  const backend = await startRawBackend(t, undefined, {
    tls: {
      ...authority.server('127.0.0.1'),
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    },
  });
  const client = await connectRaw(t, {
    port: backend.port,
    tls: { ca: authority.cert, ...authority.client('turnout') },
  });
  await client.request(GET);
  const { socket } = await backend.connection();
  t.ok(socket instanceof tls.TLSSocket && socket.authorized);
  t.equal(socket instanceof tls.TLSSocket && socket.getPeerCertificate().subject.CN, 'turnout');
});

void t.test('each certificate is a well-formed one of its issuer', async (t) => {
  const issuer = new X509Certificate(authority.cert);
  const leaf = new X509Certificate(authority.server('backend.test', '10.1.2.3').cert);
  t.ok(issuer.ca);
  t.ok(leaf.verify(issuer.publicKey));
  t.ok(leaf.checkIssued(issuer));
  t.notOk(leaf.ca);
  t.equal(leaf.subjectAltName, 'DNS:backend.test, IP Address:10.1.2.3');
  t.not(leaf.serialNumber, new X509Certificate(authority.server('backend.test').cert).serialNumber);
});
