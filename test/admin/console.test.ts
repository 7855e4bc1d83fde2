/** How the console's files are served. What is in them: test/console. */
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { openAdmin, TOKENS } from './open-admin.ts';

const NAME = 'console-0123456789abcdef.js';
const FILES = {
  'index.html': '<!doctype html>',
  assets: { [NAME]: 'go();' },
  'secret-0123456789abcdef.js': 'no',
};

void t.test('the page is served to anybody, under a strict policy', async (t) => {
  const { ask } = await openAdmin(t, { tokens: TOKENS, consoleFolder: t.testdir(FILES) });
  const { status, headers, body } = await ask('/', { 'sec-fetch-site': 'cross-site' });
  t.equal(status, 200);
  t.equal(body, '<!doctype html>');
  t.match(headers['content-type'], 'text/html');
  t.equal(headers['cache-control'], 'no-cache', 'a new version is seen at once');
  const policy = String(headers['content-security-policy']);
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "frame-ancestors 'none'",
    "form-action 'none'",
  ]) {
    t.match(policy, part);
  }
  t.notMatch(policy, 'unsafe');
  t.equal(headers['x-content-type-options'], 'nosniff');
  t.equal(headers['referrer-policy'], 'no-referrer');
});

void t.test('a file with a digest in its name is kept for good', async (t) => {
  const { ask } = await openAdmin(t, { consoleFolder: t.testdir(FILES) });
  const { status, headers, body } = await ask(`/assets/${NAME}`);
  t.equal(status, 200);
  t.equal(body, 'go();');
  t.match(headers['cache-control'], 'immutable');
  t.match(headers['content-type'], 'text/javascript');
});

void t.test('what lies elsewhere is not served', async (t) => {
  const { ask } = await openAdmin(t, { consoleFolder: t.testdir(FILES) });
  for (const path of [
    '/assets/..%2findex.html',
    '/assets/../index.html',
    '/assets/..%2fsecret-0123456789abcdef.js',
    '/assets/secret-0123456789abcdef.js',
    '/assets/console-0123456789abcdef.js.gz',
    '/assets/',
    '/index.html',
  ]) {
    const { status } = await ask(path);
    t.ok(status === 404 || status === 400, `${path}: ${status}`);
  }
});

void t.test('a browser that takes gzip gets what was packed already', async (t) => {
  const folder = t.testdir({ ...FILES, assets: { [NAME]: 'go();', [`${NAME}.gz`]: gzipSync('go();') } });
  const { port } = await openAdmin(t, { consoleFolder: folder });
  const answer = await fetch(`http://127.0.0.1:${port}/assets/${NAME}`, {
    headers: { 'accept-encoding': 'gzip' },
  });
  t.equal(answer.headers.get('content-encoding'), 'gzip');
  t.equal(answer.headers.get('vary'), 'accept-encoding');
  t.equal(await answer.text(), 'go();');
});

void t.test('a console that was not built says how to build it', async (t) => {
  const { ask } = await openAdmin(t, { consoleFolder: t.testdir({}) });
  const { status, body, headers } = await ask('/');
  t.equal(status, 503);
  t.match(headers['content-type'], 'text/plain');
  t.match(body, 'npm run build');
});
