/**
 * The two backends.
 */
import { isHost } from './listeners.ts';
import type { BackendModel } from './model.ts';
import type { Place } from './place.ts';
import type { Reading } from './reading.ts';
import type { Report } from './report.ts';
import type { BackendWritten } from './schema.ts';
import { checkTlsFiles } from './tls-files.ts';

/** @returns the backend; `undefined` if its URL has a problem, reported */
export function readBackend(
  written: BackendWritten,
  place: Place,
  { report }: Reading,
): BackendModel | undefined {
  const url = readHttpUrl(written.url, [...place, 'url'], report);
  const { tls } = written;
  checkTlsFiles(tls, [...place, 'tls'], report);
  if (tls.serverName !== undefined && !isHost(tls.serverName)) {
    report.problem([...place, 'tls', 'serverName'], 'expected a host name');
  }
  if (url === undefined) return undefined;
  if (written.url.includes('?')) report.problem([...place, 'url'], 'the URL of a backend has no query');
  if (url.protocol === 'http:') {
    for (const key of ['caFile', 'certFile', 'keyFile', 'serverName'] as const) {
      if (tls[key] === undefined) continue;
      report.problem(
        [...place, 'tls', key],
        'this has no effect: the URL of this backend begins with http://',
      );
    }
  }
  return {
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ''),
    connectMs: written.connectMs,
    headersMs: written.headersMs,
    bodyMs: written.bodyMs,
    connectionsMax: written.connectionsMax,
    queueMax: written.queueMax,
    keepAliveMs: written.keepAliveMs,
    tls: {
      caFile: tls.caFile,
      certFile: tls.certFile,
      keyFile: tls.keyFile,
      serverName: tls.serverName,
      verify: tls.verify,
    },
    hostHeader: written.hostHeader,
  };
}

/** Stricter than the URL parser, which mends what it is given: no spaces, no backslashes, a host. */
const URL_TEXT = /^(?=https?:\/\/[^/?#])[!-[\]-~]+$/i;

/**
 * An http or https URL without credentials and fragment. The messages never show it: what is in the place of
 * a URL may be anything.
 */
export function readHttpUrl(text: string, place: Place, report: Report): URL | undefined {
  const expected = 'an http or https URL';
  const url = URL_TEXT.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.port === '0') {
    report.problem(place, `expected ${expected} such as http://127.0.0.1:9001`, { expected });
    return undefined;
  }
  if (url.username !== '' || url.password !== '') {
    report.problem(place, 'a URL with a user name or a password is refused here: it would show in logs');
    return undefined;
  }
  if (text.includes('#')) {
    report.problem(place, 'this URL has a fragment (`#`), which is never sent');
    return undefined;
  }
  return url;
}
