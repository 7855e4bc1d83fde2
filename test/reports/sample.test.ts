import { gzipSync } from 'node:zlib';
import t from 'tap';
import { compare } from '../../src/comparison/compare.ts';
import { NO_RULES } from '../../src/comparison/compile-rules.ts';
import { Redaction } from '../../src/reports/redaction.ts';
import { decodeSample, encodeSample, type Sample, takeSample } from '../../src/reports/sample.ts';
import { observationOf } from '../../src/reports/stored-answer.ts';
import type { ComparedRead } from '../../src/shadow/report-sink.ts';
import { answer, comparedRead } from './reads.ts';

const redaction = new Redaction(Buffer.alloc(32, 5), { paths: [], names: [] });

function taken(read: ComparedRead): Sample {
  return decodeSample(encodeSample(takeSample(read, () => true, redaction)));
}

await t.test('no credential and no personal value is in the bytes of a sample', (t) => {
  const secrets = [
    's3cr3t-cookie',
    'topsecret',
    'ann@example.com',
    'hunter2',
    '4111111111111111',
    'tenant-77',
  ];
  const body = (price: number) => ({
    price,
    email: 'ann@example.com',
    login: { password: 'hunter2' },
    card: '4111111111111111',
  });
  const read = comparedRead(
    answer(body(1), {
      headers: ['content-type', 'application/json', 'Set-Cookie', 's3cr3t-cookie', 'x-session', 'topsecret'],
    }),
    answer({ ...body(2), email: 'ann@example.com.au' }),
    {
      request: {
        method: 'GET',
        target: '/users/ann%40example.com/orders?token=topsecret&page=2&q=4111111111111111',
        headers: ['accept', '*/*', 'x-tenant', 'tenant-77', 'cookie', 's3cr3t-cookie'],
      },
    },
  );
  const text = JSON.stringify(taken(read));
  for (const secret of secrets) t.notOk(text.includes(secret), secret);
  t.match(text, /page=2/);
  t.equal(taken(read).request.changed, 'target');
  t.match(taken(read).differences, [
    { path: '$.price', left: { value: 1 }, right: { value: 2 } },
    { path: '$.email', left: { value: /^\[string 15 / }, right: { value: /^\[string 18 / } },
  ]);
  t.end();
});

await t.test('a request is stored as it was where nothing had to be hidden', (t) => {
  const read = comparedRead(answer({ a: 1 }), answer({ a: 2 }), {
    request: {
      method: 'GET',
      target: '/o/%7e1?a=b%20c&&d',
      headers: ['Accept', '*/*', 'x-request-id', 'r1'],
    },
  });
  const { changed, ...request } = taken(read).request;
  t.strictSame(request, { method: 'GET', target: '/o/%7e1?a=b%20c&&d', headers: ['accept', '*/*'] });
  t.equal(changed, undefined);
  const post = comparedRead(answer({ a: 1 }), answer({ a: 2 }), {
    request: { method: 'POST', target: '/search', headers: [] },
  });
  t.equal(taken(post).request.changed, 'body');
  const tenant = comparedRead(answer({ a: 1 }), answer({ a: 2 }), {
    request: { method: 'GET', target: '/', headers: ['x-tenant', '7'] },
  });
  t.equal(taken(tenant).request.changed, 'headers');
  t.end();
});

await t.test('a stored pair compares as the pair did', (t) => {
  const pairs: readonly (readonly [ReturnType<typeof answer>, ReturnType<typeof answer>])[] = [
    [answer('{"id":9007199254740993,"a":[1,2]}'), answer('{"id":9007199254740992,"a":[1,2]}')],
    [answer({ email: 'a@b.example', x: 1 }), answer({ email: 'c@b.example', x: 1 })],
    [answer({ a: 1 }, { status: 404 }), answer({ a: 1 })],
    [answer({}, { status: 0, body: undefined, failure: { kind: 'timeout', code: 'x' } }), answer({})],
    [
      answer('a,b\n', { headers: ['content-type', 'text/csv'] }),
      answer('a,c\n', { headers: ['content-type', 'text/csv'] }),
    ],
    [
      answer('{"a":1}\n{"a":2}\n', { headers: ['content-type', 'application/x-ndjson'] }),
      answer('{"a":1}\n{"a":3}\n', { headers: ['content-type', 'application/x-ndjson'] }),
    ],
    [
      answer('a=1&b=2', { headers: ['content-type', 'application/x-www-form-urlencoded'] }),
      answer('a=1&b=3', { headers: ['content-type', 'application/x-www-form-urlencoded'] }),
    ],
    [
      answer('caf\xe9', {
        headers: ['content-type', 'text/plain; charset=iso-8859-1'],
        body: Buffer.from('caf\xe9', 'latin1'),
      }),
      answer('caf', { headers: ['content-type', 'text/plain; charset=iso-8859-1'] }),
    ],
    [
      answer('', { headers: ['content-type', 'image/png'], body: Buffer.from([0, 1, 2]) }),
      answer('', { headers: ['content-type', 'image/png'], body: Buffer.from([0, 1, 3]) }),
    ],
    [
      answer(
        { a: 1 },
        {
          body: gzipSync('{"a":1}'),
          headers: ['content-type', 'application/json', 'content-encoding', 'gzip'],
        },
      ),
      answer({ a: 2 }),
    ],
  ];
  for (const [left, right] of pairs) {
    const read = comparedRead(left, right);
    const { answers } = taken(read);
    const [one, other] = [observationOf(answers.authoritative), observationOf(answers.secondary)];
    t.ok(one && other);
    if (one === undefined || other === undefined) continue;
    const again = compare(one, other, NO_RULES, { authoritative: 'legacy' });
    const sorts = (list: ComparedRead['comparison']['differences']) => list.map(({ pattern }) => pattern);
    t.strictSame(sorts(again.differences), sorts(read.comparison.differences));
  }
  t.end();
});

await t.test('bodies beyond the bound, cut ones and deep ones are left out, and said to be', (t) => {
  const deep = `${'['.repeat(150)}${']'.repeat(150)}`;
  const cases = [
    [answer({ a: 'x'.repeat(70_000) }), 'too_large'],
    [answer({}, { bodyTruncated: true }), 'not_kept'],
    [answer({}, { body: Buffer.from('no gzip'), headers: ['content-encoding', 'gzip'] }), 'not_decoded'],
    [answer(deep), 'too_deep'],
  ] as const;
  for (const [left, why] of cases) {
    const { authoritative } = taken(comparedRead(left, answer({ b: 1 }))).answers;
    t.strictSame(authoritative.body, { kind: 'left-out', why });
    t.equal(observationOf(authoritative), undefined);
  }
  t.end();
});

await t.test('the differences of the group come first, and there are no more than 30', (t) => {
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`field${at}`, at]));
  const read = comparedRead(answer(many), answer({}));
  const sample = takeSample(read, ({ path }) => path === '$.field49', redaction);
  t.equal(sample.differences.length, 30);
  t.equal(sample.differences[0]?.path, '$.field49');
  t.end();
});
