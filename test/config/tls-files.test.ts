import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseConfig } from '../../src/config/parse-config.ts';
import { createAuthority } from '../harness/certificates.ts';
import { BACKENDS, meetsLines, problemsOf } from './problems-of.ts';

const dir = mkdtempSync(join(tmpdir(), 'turnout-config-'));
t.teardown(() => rmSync(dir, { recursive: true }));

const authority = createAuthority();
const server = authority.server('localhost');
const other = authority.server('localhost');

function fileWith(name: string, content: string): string {
  const file = join(dir, name);
  writeFileSync(file, content);
  return file;
}

const certFile = fileWith('server.crt', server.cert);
const keyFile = fileWith('server.key', server.key);
const otherKey = fileWith('other.key', other.key);
const caFile = fileWith('ca.crt', authority.cert);
const noPem = fileWith('no.pem', 'not a certificate');

const listen = (tls: object): string => `listen: { tls: ${JSON.stringify(tls)} }${BACKENDS}`;

void t.test('a certificate and its key are accepted', async (t) => {
  t.strictSame(parseConfig(listen({ certFile, keyFile })).listen.tls, { certFile, keyFile });
});

void t.test('a private authority and a client certificate are accepted for a backend', async (t) => {
  const tls = { caFile, certFile, keyFile, serverName: 'shop.internal', verify: true };
  const text = `backends: { legacy: { url: "https://a", tls: ${JSON.stringify(tls)} }, new: { url: "http://b" } }`;
  t.strictSame(parseConfig(text).backends.legacy.tls, tls);
});

void t.test('a key of another certificate, and files that are no PEM', async (t) => {
  meetsLines(t, problemsOf(listen({ certFile, keyFile: otherKey })), [
    /^1:17 {2}listen\.tls\.certFile: this certificate and its key cannot be used \(.*mismatch\)$/,
  ]);
  meetsLines(t, problemsOf(listen({ certFile: noPem, keyFile })), [
    /^1:17 {2}listen\.tls\.certFile: this certificate and its key cannot be used \(.+\)$/,
  ]);
  const text = `backends: { legacy: { url: "https://a", tls: { caFile: ${JSON.stringify(noPem)} } }, new: { url: "http://b" } }`;
  meetsLines(t, problemsOf(text), [
    /^1:48 {2}backends\.legacy\.tls\.caFile: this is not a PEM certificate \(.+\)$/,
  ]);
});

void t.test('files that are missing are reported one by one', async (t) => {
  t.strictSame(problemsOf(listen({ certFile: '/nowhere.crt', keyFile: '/nowhere.key' })), [
    '1:17  listen.tls.certFile: this file cannot be used: it does not exist',
    '1:43  listen.tls.keyFile: this file cannot be used: it does not exist',
  ]);
});
