import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import t from 'tap';
import type { Observation } from '../../src/comparison/observation.ts';
import { answer, compared, outline } from './answers.ts';

const BODY = '{"a":1}';
const encoded = (body: Buffer, encoding: string): Observation =>
  answer(body, { headers: ['content-encoding', encoding] });
const typed = (type: string | null, body: string | Buffer): Observation => answer(body, { type });

void t.test('bodies are the same in whatever encoding they came', async (t) => {
  const forms: Record<string, Buffer> = {
    gzip: gzipSync(BODY),
    'x-gzip': gzipSync(BODY),
    deflate: deflateSync(BODY),
    Deflate: deflateRawSync(BODY),
    br: brotliCompressSync(BODY),
    zstd: zstdCompressSync(BODY),
    'gzip, br': brotliCompressSync(gzipSync(BODY)),
    identity: Buffer.from(BODY),
  };
  for (const [encoding, body] of Object.entries(forms)) {
    t.same(outline(compared(answer(BODY), encoded(body, encoding))), ['matched'], encoding);
    t.equal(compared(answer('{"a":2}'), encoded(body, encoding)).verdict, 'mismatched', encoding);
  }
});

void t.test(
  'what cannot be decoded is a difference on one side, and compared as it is on both',
  async (t) => {
    const broken = encoded(Buffer.from('no gzip'), 'gzip');
    t.same(outline(compared(answer(BODY), broken))[1], 'encoding body "decoded" > "corrupt"');
    t.equal(compared(broken, encoded(Buffer.from('no gzip!'), 'gzip')).differences[0]?.kind, 'binary');
    t.same(outline(compared(answer(BODY), encoded(Buffer.from('x'), 'compress'))), [
      'uncompared, unknown-encoding',
    ]);
    t.same(
      outline(compared(encoded(Buffer.from('x'), 'aes128gcm'), encoded(Buffer.from('x'), 'aes128gcm'))),
      ['matched'],
    );
    t.same(outline(compared(answer(BODY), encoded(Buffer.from(BODY), 'br,br,br,br,br'))), [
      'uncompared, unknown-encoding',
    ]);
    t.same(
      outline(compared(encoded(Buffer.alloc(0), 'gzip'), answer(''))),
      ['matched'],
      'an empty body has none',
    );
  },
);

void t.test('a bomb is not decoded beyond the bound', async (t) => {
  const bomb = encoded(gzipSync(Buffer.alloc(64 * 1024 * 1024)), 'gzip');
  t.same(outline(compared(answer(BODY), bomb)), ['uncompared, too-large']);
  t.same(outline(compared(answer(BODY), answer('[1]'), { limits: { decodedBytesMax: 4 } })), [
    'uncompared, too-large',
  ]);
});

void t.test('content types are the same when they say the same', async (t) => {
  const of = (left: string | null, right: string | null, rules = {}): string[] =>
    outline(compared(typed(left, 'x'), typed(right, 'x'), { rules }));
  t.same(of('application/json', 'Application/JSON; charset=UTF-8'), ['matched']);
  t.same(of('text/html;charset="utf-8"; a=b', 'text/html; A=b; charset=utf8'), ['matched']);
  t.same(of('multipart/mixed; boundary=x', 'multipart/mixed; boundary=y'), ['matched']);
  t.same(of('text/html', 'text/html; charset=iso-8859-1')[0], 'mismatched');
  t.same(of('text/html', null), ['mismatched', 'content-type header.content-type "text/html" > -']);
  t.same(of('text/html', null, { contentType: false }), ['matched']);
});

void t.test('chosen headers are compared, sets of words as sets', async (t) => {
  const of = (left: readonly string[], right: readonly string[]): string[] =>
    outline(
      compared(answer(BODY, { headers: left }), answer(BODY, { headers: right }), {
        rules: { headers: ['Vary', 'ETag'] },
      }),
    );
  t.same(of(['vary', 'a, B', 'etag', '"1"'], ['ETag', '"1"', 'Vary', 'b', 'Vary', 'A']), ['matched']);
  t.same(of(['etag', '"1"', 'x', '1'], ['etag', '"2"', 'x', '2']), [
    'mismatched',
    'header header.etag "\\"1\\"" > "\\"2\\""',
  ]);
  t.same(of([], ['etag', '']), ['mismatched', 'header header.etag - > ""']);
});

void t.test('texts differ by line; line ends and the composition of letters say nothing', async (t) => {
  const of = (left: string, right: string, rules = {}): string[] =>
    outline(compared(typed('text/plain', left), typed('text/plain', right), { rules }));
  t.same(of('a\r\nb\rc', 'a\nb\nc'), ['matched']);
  t.same(of('é', 'e\u0301'), ['matched']);
  t.same(of('one\ntwo\nthree', 'one\ntoo\nthree'), ['mismatched', 'text body[2] "two" > "too"']);
  t.same(of('\nx', 'y'), ['mismatched', 'text body[1] "" > "y"']);
  t.same(of('A', 'a', { comparators: { $: 'case-insensitive' } }), ['ignored, comparators $']);
  const latin = typed('text/plain; charset=iso-8859-1', Buffer.from([0xe9]));
  t.same(
    outline(compared(latin, typed('text/plain; charset=utf-8', 'é'), { rules: { contentType: false } })),
    ['matched'],
  );
});

void t.test('what is no text is told by its length and digest', async (t) => {
  const { differences } = compared(
    typed('image/png', Buffer.from([1])),
    typed('image/png', Buffer.from([2, 3])),
  );
  t.match(differences, [{ kind: 'binary', path: 'body', left: { value: /^1 bytes, sha256:[0-9a-f]{64}$/ } }]);
  t.equal(compared(typed('text/plain', 'a\0'), typed('text/plain', 'b')).differences[0]?.kind, 'binary');
});

void t.test('lines of JSON are compared line by line', async (t) => {
  const type = 'application/x-ndjson';
  const of = (left: string, right: string, rules = {}): string[] =>
    outline(compared(typed(type, left), typed(type, right), { rules }));
  t.same(of('{"a":1}\n{"a":2}\n', '{ "a":1}\r\n\n{"a":2}'), ['matched']);
  t.same(of('{"a":1}\n{"a":2,"a":3}', '{"a":1}\n{"a":3}')[1], 'duplicate-key $[1].a [2,3] > [3]');
  t.same(of('{"a":1}\n{"a":2}', '{"a":2}\n{"a":1}', { unordered: ['$'] }), ['ignored, unordered $']);
  t.same(of('{"a":1}\n{', '{"a":1}')[1]?.split(' ')[0], 'invalid-json');
  t.equal(of('{"a":9007199254740993}', '{"a":9007199254740992}')[0], 'mismatched');
});

void t.test('forms are compared by name', async (t) => {
  const type = 'application/x-www-form-urlencoded';
  const of = (left: string, right: string): string[] =>
    outline(compared(typed(type, left), typed(type, right)));
  t.same(of('a=1&b=x+y', 'b=x%20y&a=1'), ['matched']);
  t.same(of('a=1&a=2', 'a=1&a=3'), ['mismatched', 'value $.a[1] "2" > "3"']);
});

void t.test('without a content type, JSON is known by its first character', async (t) => {
  t.same(outline(compared(typed(null, ' {"a":1}'), typed(null, '{"a":1.0}'))), ['matched']);
  t.equal(compared(typed(null, 'a'), typed(null, 'b')).differences[0]?.kind, 'text');
});

void t.test(
  'types of different kinds are one difference, unless both bodies are JSON after all',
  async (t) => {
    const html = compared(typed('text/html', '<p>'), typed('application/json', '{}'));
    t.same(
      html.differences.map(({ kind }) => kind),
      ['content-type'],
    );
    const served = compared(typed('text/html', '{"a":1}'), typed('application/json', '{"a":2}'));
    t.same(
      served.differences.map(({ kind }) => kind),
      ['content-type', 'value'],
    );
  },
);

void t.test('an empty body is missing', async (t) => {
  t.match(compared(answer(BODY), answer('')).differences, [{ kind: 'missing', path: 'body' }]);
  t.match(compared(answer(''), answer(BODY)).differences, [{ kind: 'extra', path: 'body' }]);
});

void t.test('what was not kept whole, and streams without an end, are not compared', async (t) => {
  const whole = answer(BODY);
  t.same(outline(compared(whole, { ...whole, body: undefined })), ['uncompared, not-kept']);
  t.same(outline(compared(whole, { ...whole, bodyTruncated: true })), ['uncompared, truncated']);
  t.same(outline(compared(typed('text/event-stream', 'a'), typed('text/event-stream', 'b'))), [
    'uncompared, event-stream',
  ]);
  const wrong = compared(whole, { ...whole, status: 201, body: undefined });
  t.same([wrong.verdict, wrong.uncompared], ['mismatched', 'not-kept'], 'what was found is kept');
});

void t.test('a failure is a difference of its own', async (t) => {
  const failed = (kind: 'timeout' | 'error'): Observation => ({
    status: 0,
    headers: [],
    body: undefined,
    bodyTruncated: false,
    failure: { kind, code: 'backend_closed' },
  });
  t.same(outline(compared(answer(BODY), failed('timeout'))), [
    'mismatched',
    'timeout answer 200 > "backend_closed"',
  ]);
  t.same(outline(compared(failed('error'), answer(BODY))), [
    'mismatched',
    'error answer "backend_closed" > 200',
  ]);
  t.same(outline(compared(failed('error'), failed('timeout'))), ['uncompared, both-failed']);
});
