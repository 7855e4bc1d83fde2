import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import t from 'tap';
import {
  type BackendRequest,
  fieldLines,
  requestText,
  UnsendableRequest,
} from '../../src/upstream/request-bytes.ts';

function request(parts: Partial<BackendRequest> = {}): BackendRequest {
  return {
    method: 'GET',
    path: '/',
    host: 'shop.test',
    headers: [],
    contentLength: undefined,
    expectContinue: false,
    body: null,
    trailers: () => [],
    ...parts,
  };
}

const HEAD = 'host: shop.test\r\nconnection: keep-alive\r\n';

void t.test('a request goes out line by line, as it was given', async (t) => {
  const headers = ['X-A', 'b', 'x-a', ' c\td ', 'Cookie', 'e="f"; g=\xe4', 'Empty', ''];
  const text = requestText(
    request({ method: 'M-SEARCH', path: '/a%20b?c=\xe4;d', host: '[::1]:81', headers }),
  );
  t.equal(
    text,
    'M-SEARCH /a%20b?c=\xe4;d HTTP/1.1\r\nhost: [::1]:81\r\nconnection: keep-alive\r\n' +
      'X-A: b\r\nx-a:  c\td \r\nCookie: e="f"; g=\xe4\r\nEmpty: \r\n\r\n',
  );
  t.equal(requestText(request({ method: 'OPTIONS', path: '*' })), `OPTIONS * HTTP/1.1\r\n${HEAD}\r\n`);
});

void t.test('a body is framed by its length, or else by chunks', async (t) => {
  const body = new PassThrough();
  const framed = (parts: Partial<BackendRequest>): string =>
    requestText(request(parts)).replace(`GET / HTTP/1.1\r\n${HEAD}`, '');
  t.equal(framed({}), '\r\n', 'no body, and nothing of one');
  t.equal(framed({ contentLength: 0 }), 'content-length: 0\r\n\r\n', 'no body, and it was said');
  t.equal(framed({ body, contentLength: 5 }), 'content-length: 5\r\n\r\n');
  t.equal(framed({ body }), 'transfer-encoding: chunked\r\n\r\n');
  t.equal(
    framed({ body, contentLength: 5, expectContinue: true }),
    'expect: 100-continue\r\ncontent-length: 5\r\n\r\n',
  );
  t.equal(
    framed({ body, expectContinue: true }),
    'expect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n',
  );
});

void t.test('a length without its body is refused: the backend would wait for it', async (t) => {
  t.throws(() => requestText(request({ contentLength: 1 })), UnsendableRequest);
});

void t.test('a whole body is framed by the length that it has', async (t) => {
  for (const contentLength of [undefined, 3, 5]) {
    const text = requestText(request({ body: [Buffer.from('ab'), Buffer.from('c')], contentLength }));
    t.match(text, '\r\ncontent-length: 3\r\n\r\n', String(contentLength));
    t.notMatch(text, 'transfer-encoding');
  }
});

/** Not one of them may stand in a line; the last two would become CR and LF when they are cut to a byte. */
const NEVER = ['\r', '\n', '\r\n', '\0', '\x01', '\x0b', '\x1f', '\x7f', '\u{10d}', '\u{10a}', '\u{1f600}'];

void t.test('what would end a line, or is no text, is refused wherever it stands', async (t) => {
  for (const never of NEVER) {
    for (const value of [never, `a${never}`, `a${never}b`, `${never}b`]) {
      const name = JSON.stringify(value);
      t.throws(() => requestText(request({ method: value })), UnsendableRequest, `method ${name}`);
      t.throws(() => requestText(request({ path: `/${value}` })), UnsendableRequest, `path ${name}`);
      t.throws(() => requestText(request({ host: value })), UnsendableRequest, `host ${name}`);
      t.throws(
        () => requestText(request({ headers: ['a', 'b', 'c', value] })),
        UnsendableRequest,
        `header ${name}`,
      );
      t.throws(() => fieldLines(['a', 'b', 'c', value]), UnsendableRequest, `trailer ${name}`);
    }
  }
});

void t.test('the first line is of three words', async (t) => {
  for (const method of ['', ' ', 'G T', ' GET', 'GET ', 'G\tT', 'GET:', 'G(T', 'G\xe4T'])
    t.throws(() => requestText(request({ method })), UnsendableRequest, JSON.stringify(method));
  for (const path of ['', ' ', '/ ', '/a b', '/\ta'])
    t.throws(() => requestText(request({ path })), UnsendableRequest, JSON.stringify(path));
});

void t.test('every byte that text may have goes out in a value as it is', async (t) => {
  let value = '\t';
  for (let code = 0x20; code <= 0xff; code += 1) if (code !== 0x7f) value += String.fromCharCode(code);
  t.equal(fieldLines(['x', value, 'y', '']), `x: ${value}\r\ny: \r\n`);
});

void t.test('a body that has ended before its request is sent is why the request is not sent', async (t) => {
  const gone = new PassThrough();
  gone.destroy();
  t.throws(() => requestText(request({ body: gone })), { code: 'client_closed_upload' });
  const failed = new PassThrough();
  const failure = new Error('cut');
  failed.destroy(failure);
  await once(failed, 'close').catch(() => undefined);
  t.throws(() => requestText(request({ body: failed })), failure);
});
