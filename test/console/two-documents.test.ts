import t from 'tap';
import type { RulesWritten } from '../../src/comparison/rules-written.ts';
import { foldedRows } from '../../src/console/evidence/folded-rows.ts';
import { documentRows, type MarkedPlace } from '../../src/console/evidence/two-documents.ts';

interface Given {
  readonly left: unknown;
  readonly right: unknown;
  readonly rules?: RulesWritten;
  readonly differences?: readonly MarkedPlace[];
  readonly newSide?: 'left' | 'right';
}

function rowsOf({ left, right, rules = {}, differences = [], newSide = 'right' }: Given) {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return documentRows({ left: text(left), right: text(right), rules, differences, newSide });
}

/** Row by row: the mark, the path, both sides. */
function outline(given: Given): string[] {
  return (rowsOf(given)?.rows ?? []).map(
    ({ mark, path, left, right }) => `${mark} ${path} ${left ?? '-'} | ${right ?? '-'}`,
  );
}

const group = (path: string): MarkedPlace => ({ path, isOfGroup: true, isOneSided: false });
const other = (path: string): MarkedPlace => ({ path, isOfGroup: false, isOneSided: false });
const alone = (place: MarkedPlace): MarkedPlace => ({ ...place, isOneSided: true });

await t.test('what differs is marked as what it is', (t) => {
  const rows = outline({
    left: { id: 1, price: 10, name: 'a', at: 1 },
    right: { id: 1, price: 11, name: 'b', at: 2 },
    differences: [group('$.price'), other('$.name')],
  });
  t.strictSame(rows, [
    'same $ { | {',
    'same $.id 1 | 1',
    'group $.price 10 | 11',
    'other $.name "a" | "b"',
    'covered $.at 1 | 2',
    'same $ } | }',
  ]);
  t.end();
});

await t.test('numbers are shown as they were written, and compared by their value', (t) => {
  t.strictSame(outline({ left: '[1, 9007199254740993]', right: '[1.0, 9007199254740992]' }), [
    'same $ [ | [',
    'same $[0] 1 | 1',
    'covered $[1] 9007199254740993 | 9007199254740992',
    'same $ ] | ]',
  ]);
  t.end();
});

await t.test('renamed fields stand beside each other, with the rule that says so', (t) => {
  const given: Given = {
    left: { userName: 'Ann', price: 5 },
    right: { user: { name: 'Bob' }, price: { amount: 5, currency: 'EUR' } },
    rules: { rename: { '$.userName': '$.user.name', '$.price': '$.price.amount' } },
    differences: [group('$.userName')],
  };
  t.strictSame(outline(given), [
    'same $ { | {',
    'group $.userName "Ann" | "Bob"',
    'same $.price 5 | 5',
    'same $ } | }',
  ]);
  t.equal(rowsOf(given)?.rows[1]?.rule, 'rename $.userName');
  t.strictSame(
    outline({ ...given, left: given.right, right: given.left, newSide: 'left' })
      .slice(1, 3)
      .sort(),
    ['group $.userName "Bob" | "Ann"', 'same $.price 5 | 5'],
    'whichever side is new',
  );
  t.end();
});

await t.test('items stand beside the items that they were compared with', (t) => {
  const rows = outline({
    left: {
      items: [
        { sku: 'A', n: 1 },
        { sku: 'B', n: 2 },
      ],
    },
    right: {
      items: [
        { sku: 'B', n: 3 },
        { sku: 'A', n: 1 },
        { sku: 'C', n: 4 },
      ],
    },
    rules: { arrays: { '$.items': { key: 'sku' } } },
    differences: [group('$.items[1].n'), alone(other('$.items[2]'))],
  });
  t.strictSame(
    rows.filter((row) => !row.startsWith('same')),
    [
      'group $.items[1].n 2 | 3',
      'other $.items[2] - | {',
      'other $.items[2].sku - | "C"',
      'other $.items[2].n - | 4',
      'other $.items[2] - | }',
    ],
  );
  t.end();
});

await t.test('an item that was put in moves no other', (t) => {
  t.strictSame(
    outline({ left: [1, 2, 3], right: [1, 9, 2, 3], differences: [alone(group('$[1]'))] }).filter(
      (row) => !row.startsWith('same'),
    ),
    ['group $[1] - | 9'],
  );
  t.end();
});

await t.test('items of unordered lists find each other', (t) => {
  const rows = outline({ left: ['a', 'b', 'c'], right: ['c', 'a', 'x'], rules: { unordered: ['$'] } });
  t.strictSame(rows.slice(1, -1), [
    'same $[0] "a" | "a"',
    'covered $[1] "b" | -',
    'same $[2] "c" | "c"',
    'covered $[2] - | "x"',
  ]);
  t.end();
});

await t.test('values of different types stand one after the other', (t) => {
  t.strictSame(outline({ left: { a: null }, right: { a: [1] }, differences: [group('$.a')] }).slice(1, -1), [
    'group $.a null | -',
    'group $.a - | [',
    'group $.a[0] - | 1',
    'group $.a - | ]',
  ]);
  t.end();
});

await t.test('rules that cover what differs are named', (t) => {
  const rows = rowsOf({
    left: { at: 1, n: 'A' },
    right: { at: 2, n: 'a' },
    rules: { ignore: ['$.at'] },
  })?.rows;
  t.equal(rows?.find(({ path }) => path === '$.at')?.rule, 'ignore $.at');
  t.equal(rows?.find(({ path }) => path === '$.n')?.rule, undefined);
  t.end();
});

await t.test('hostile documents are documents', (t) => {
  t.equal(rowsOf({ left: '<script>alert(1)</script>', right: '{}' }), undefined, 'no JSON');
  t.equal(rowsOf({ left: `"${'x'.repeat(10_000_000)}"`, right: '{}' }), undefined, 'too large');
  t.equal(rowsOf({ left: `${'['.repeat(5_000)}${']'.repeat(5_000)}`, right: '[]' }), undefined, 'too deep');
  t.match(outline({ left: '{"__proto__":{"a":1}}', right: '{"__proto__":{"a":2}}' }), [
    'same $ { | {',
    'same $.__proto__ { | {',
    'covered $.__proto__.a 1 | 2',
  ]);
  const many = rowsOf({ left: JSON.stringify(Array(90_000).fill(1)), right: '[]' });
  t.strictSame([many?.rows.length, many?.isCut], [20_000, true]);
  const rules: RulesWritten = { comparators: { '$.a': 'json-text', nonsense: 'none' } };
  t.equal(outline({ left: { a: '1' }, right: { a: '2' }, rules })[1], 'covered $.a "1" | "2"');
  t.end();
});

await t.test('rows that are the same are folded, the brackets around what differs stay', (t) => {
  const long = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`k${at}`, at]));
  const rows =
    rowsOf({
      left: { ...long, in: { x: 1 }, z: 1, y: 1, w: 1 },
      right: { ...long, in: { x: 2 }, z: 1, y: 1, w: 1 },
    })?.rows ?? [];
  const shown = (opened: ReadonlySet<number>) =>
    foldedRows(rows, 1, opened).map((one) =>
      one.kind === 'gap' ? `${one.rows} at ${one.from}` : one.row.path,
    );
  t.strictSame(shown(new Set()), ['$', '10 at 1', '$.in', '$.in.x', '$.in', '4 at 14']);
  t.equal(shown(new Set([1])).length, 15, 'a gap that was opened shows its rows');
  const covered = documentRows({
    left: '{"a":1,"b":1,"c":1,"d":1,"e":1}',
    right: '{"a":2,"b":2,"c":2,"d":2,"e":2}',
    newSide: 'right',
    rules: { ignore: ['$.c', '$.d', '$.e'] },
    differences: [group('$.a')],
  });
  const marks = foldedRows(covered?.rows ?? [], 0, new Set()).map((one) =>
    one.kind === 'gap' ? `gap of ${one.rows}` : one.row.mark,
  );
  t.strictSame(marks, ['same', 'group', 'covered', 'gap of 4'], 'what a rule covers is folded away too');
  t.end();
});
