import fc from 'fast-check';
import t from 'tap';
import { compare } from '../../src/comparison/compare.ts';
import { NO_RULES } from '../../src/comparison/compile-rules.ts';
import type { Comparison, DifferenceKind } from '../../src/comparison/difference.ts';
import { signatureOf } from '../../src/comparison/signature.ts';
import { answer, compared, rulesOf } from './answers.ts';
import { pair, rules, tree } from './documents.ts';

/** The same, as far as anybody looked: a body that is ignored is not looked at. */
const isClear = ({ verdict, coveredBy }: Comparison): boolean =>
  verdict === 'matched' || (verdict === 'ignored' && coveredBy.join() === 'ignore $');

const compareTrees = (left: unknown, right: unknown, written: unknown = {}): Comparison =>
  compare(answer(JSON.stringify(left)), answer(`${JSON.stringify(right)} `), rulesOf(written), {
    authoritative: 'legacy',
  });

void t.test('a document is the same as itself under any rules', async () => {
  fc.assert(
    fc.property(tree, rules, (one, written) => isClear(compareTrees(one, one, written))),
    { numRuns: 500 },
  );
});

void t.test('the order of members and white space never make a difference', async () => {
  const turned = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(turned);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, inner]) => [key, turned(inner)]),
    );
  };
  fc.assert(
    fc.property(tree, rules, (one, written) => {
      const other = answer(JSON.stringify(turned(one), null, 2));
      return isClear(compared(answer(JSON.stringify(one)), other, { rules: written }));
    }),
    { numRuns: 500 },
  );
});

const OPPOSITE: Partial<Record<DifferenceKind, DifferenceKind>> = { missing: 'extra', extra: 'missing' };

void t.test('the other way round, what was missing is extra, and the rest is the same', async () => {
  const kinds = ({ differences }: Comparison): string[] =>
    differences.map(({ kind, pattern }) => `${kind} ${pattern}`).sort();
  fc.assert(
    fc.property(pair, ([left, right]) => {
      const there = compareTrees(left, right);
      const back = compareTrees(right, left);
      const turned = there.differences
        .map(({ kind, pattern }) => `${OPPOSITE[kind] ?? kind} ${pattern}`)
        .sort();
      return there.verdict === back.verdict && turned.join() === kinds(back).join();
    }),
    { numRuns: 1000 },
  );
});

void t.test('rules only ever remove differences', async () => {
  fc.assert(
    fc.property(pair, rules, ([left, right], written) => {
      const plain = compareTrees(left, right);
      const ruled = compareTrees(left, right, written);
      return plain.verdict === 'matched' ? isClear(ruled) : ruled.verdict !== 'matched';
    }),
    { numRuns: 1000 },
  );
});

void t.test('what is ignored leaves exactly the differences elsewhere', async () => {
  fc.assert(
    fc.property(pair, ([left, right]) => {
      const [one, other] = [
        { a: left, b: left },
        { a: right, b: right },
      ];
      const under = (comparison: Comparison, name: string): string[] =>
        comparison.differences
          .map((difference) => `${difference.kind} ${difference.path}`)
          .filter((line) => line.includes(` $.${name}`));
      const plain = compareTrees(one, other);
      const ruled = compareTrees(one, other, { ignore: ['$.a'] });
      return (
        under(ruled, 'a').length === 0 &&
        (plain.truncated || under(ruled, 'b').join() === under(plain, 'b').join())
      );
    }),
    { numRuns: 300 },
  );
});

void t.test('a difference that is not covered is found: nothing different is ever matched', async () => {
  fc.assert(
    fc.property(pair, ([left, right]) => {
      const same = canonicalText(left) === canonicalText(right);
      return (compareTrees(left, right).verdict === 'matched') === same;
    }),
    { numRuns: 2000 },
  );
});

/** Independent of the code under test: by sorting, after a round through JSON. */
function canonicalText(value: unknown): string {
  const sort = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return ['array', ...inner.map(sort)];
    if (typeof inner !== 'object' || inner === null) return inner;
    return [
      'object',
      ...Object.entries(inner)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, each]) => [key, sort(each)]),
    ];
  };
  return JSON.stringify(sort(JSON.parse(JSON.stringify(value))));
}

const anyBody = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'binary', maxLength: 100 }).map((text) => Buffer.from(text)),
  tree.map((one) => Buffer.from(JSON.stringify(one))),
  fc.tuple(tree, fc.nat(200)).map(([one, length]) => Buffer.from(JSON.stringify(one)).subarray(0, length)),
  fc.stringMatching(/^[[{}\]",:0-9eE.\-\\ \n]{0,60}$/).map((text) => Buffer.from(text)),
);
const headers = fc.array(
  fc.oneof(
    fc.constantFrom('Content-Type', 'content-encoding', 'ETag', 'vary'),
    fc.constantFrom(
      'application/json',
      'text/html; charset=utf-16',
      'application/x-ndjson',
      'application/x-www-form-urlencoded',
      'gzip',
      'br',
      'zstd, deflate',
      'text/plain; charset=nope',
    ),
    fc.string({ maxLength: 8 }),
  ),
  { maxLength: 6 },
);
const observation = fc.record({
  status: fc.constantFrom(200, 204, 304, 404, 500),
  headers,
  body: fc.oneof({ weight: 9, arbitrary: anyBody }, { weight: 1, arbitrary: fc.constant(undefined) }),
  bodyTruncated: fc.constant(false),
});

void t.test('no answers, whatever they are, make it throw; its result is frozen and bounded', async () => {
  fc.assert(
    fc.property(
      observation,
      observation,
      rules,
      fc.constantFrom('legacy', 'new'),
      (left, right, written, authoritative) => {
        const compiled = rulesOf({ ...written, headers: ['etag', 'vary'] });
        const result = compare(left, right, compiled, { authoritative, limits: { decodedBytesMax: 10_000 } });
        for (const difference of result.differences) signatureOf('route', difference);
        const text = JSON.stringify(result);
        const isRight = result.verdict !== 'mismatched' || result.differences.length > 0;
        return isRight && Object.isFrozen(result) && text.length < 100_000;
      },
    ),
    { numRuns: 3000 },
  );
});

void t.test('large and ugly documents stay within their bounds', async (t) => {
  const alike = (count: number, last: string): string => `[${'0,'.repeat(count)}${last}]`;
  const deep = (depth: number): string => `${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}`;
  const doubled = `{${'"a":1,'.repeat(50_000)}"a":2}`;
  const bodies: readonly (readonly [string, string, string])[] = [
    ['a long array', alike(200_000, '1'), alike(200_000, '2')],
    ['two long arrays of other lengths', alike(200_000, '1'), alike(100_000, '2')],
    ['nested beyond the bound', deep(100_000), deep(100_001)],
    ['one key again and again', doubled, doubled.replace('2}', '3}')],
    ['a number without an end', `[${'1'.repeat(300_000)}]`, `[${'1'.repeat(300_000)}2]`],
    ['a number with a long exponent', `[1e${'9'.repeat(100_000)}]`, `[1e${'9'.repeat(99_999)}8]`],
    ['backslashes', `["${'\\\\'.repeat(200_000)}"]`, `["${'\\\\'.repeat(200_001)}"]`],
    ['spaces', `[${' '.repeat(400_000)}1]`, '[2]'],
    [
      'many members',
      JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i]))),
      '{}',
    ],
  ];
  const hard = rulesOf({
    unordered: ['$', '$..*'],
    tolerance: { '$..*': { absolute: 0.1, timeMs: 5 } },
    nullIsAbsent: true,
  });
  for (const [what, left, right] of bodies) {
    for (const rule of [NO_RULES, hard]) {
      const result = compare(answer(left), answer(right), rule, { authoritative: 'legacy' });
      t.not(result.verdict, 'matched', what);
      t.ok(JSON.stringify(result).length < 500_000, what);
    }
  }
});
