import t from 'tap';
import { problemsOf } from './problems-of.ts';

/** The problems of a configuration whose legacy backend has this URL. */
function urlProblems(url: string): string[] {
  return problemsOf(`backends: { legacy: { url: ${JSON.stringify(url)} }, new: { url: "http://b:2" } }`);
}

const NOT_HTTP = '1:23  backends.legacy.url: expected an http or https URL such as http://127.0.0.1:9001';

void t.test('what is no plain http or https URL is refused', async (t) => {
  for (const url of [
    'ftp://a',
    'localhost:9001',
    'http:///a',
    'http://a b',
    'http://a\\b',
    'http://a:99999',
    'http://a:0',
    'http://',
    '//a',
    'http://ä.example',
  ]) {
    t.strictSame(urlProblems(url), [NOT_HTTP], url);
  }
});

void t.test('credentials, a query and a fragment are refused', async (t) => {
  t.strictSame(urlProblems('http://user:hunter2@a'), [
    '1:23  backends.legacy.url: a URL with a user name or a password is refused here: it would show in logs',
  ]);
  t.strictSame(urlProblems('http://a/?'), ['1:23  backends.legacy.url: the URL of a backend has no query']);
  t.strictSame(urlProblems('http://a/#x'), [
    '1:23  backends.legacy.url: this URL has a fragment (`#`), which is never sent',
  ]);
});

void t.test('a base path, a port and an IPv6 address are accepted', async (t) => {
  for (const url of ['http://a/base/path/', 'https://a:9443', 'http://[::1]:9001', 'HTTP://A']) {
    t.strictSame(urlProblems(url), [], url);
  }
});

void t.test('TLS settings of a backend that is spoken to in clear are a mistake', async (t) => {
  const text = `backends:
  legacy:
    url: http://a
    tls: { serverName: a.internal, caFile: /nowhere }
  new:
    url: https://b
    tls: { certFile: /nowhere, serverName: "a b" }`;
  t.strictSame(problemsOf(text), [
    '4:12  backends.legacy.tls.serverName: this has no effect: the URL of this backend begins with http://',
    '4:36  backends.legacy.tls.caFile: this file cannot be used: it does not exist',
    '4:36  backends.legacy.tls.caFile: this has no effect: the URL of this backend begins with http://',
    '7:5  backends.new.tls: `certFile` and `keyFile` are needed together',
    '7:12  backends.new.tls.certFile: this file cannot be used: it does not exist',
    '7:32  backends.new.tls.serverName: expected a host name',
  ]);
});
