import t from 'tap';
import { compileRules } from '../../src/comparison/compile-rules.ts';
import { parsePath } from '../../src/comparison/json-path.ts';
import { COMPARATORS } from '../../src/comparison/normalisers.ts';
import { answer, compared, outline, outlineOf } from './answers.ts';

const json = (value: unknown): string => JSON.stringify(value);

void t.test('an ignored path covers what is at it and below it, and nothing else', async (t) => {
  const rules = { ignore: ['$.at', '$.items[*].id', "$['odd name']", '$..trace', '$.list[1]'] };
  const left = {
    at: 1,
    items: [{ id: 1, n: 1 }],
    'odd name': { x: 1 },
    deep: { er: { trace: 1 } },
    list: [1, 2, 3],
  };
  const right = { at: { x: 1 }, items: [{ id: 2, n: 1 }], deep: { er: { trace: [] } }, list: [1, 9, 3] };
  t.same(outlineOf(json(left), json(right), rules)[0]?.split(', ').slice(0, 1), ['ignored']);
  t.same(outlineOf(json(left), json({ ...right, list: [1, 9, 4] }), rules)[1], 'value $.list[2] 3 > 4');
  t.same(
    outlineOf('{"at":1}', '{ "at":1}', rules),
    ['matched'],
    'a rule that had nothing to do is not named',
  );
  t.same(outlineOf('1', '2', { ignore: ['$'] }), ['ignored, ignore $']);
});

void t.test('unordered arrays are the same when they have the same items equally often', async (t) => {
  const rules = {
    unordered: ['$.a', '$.a[*].tags'],
    ignore: ['$.a[*].at'],
    tolerance: { '$.a[*].n': { absolute: 1 } },
  };
  const left = {
    a: [
      { n: 1, tags: [1, 2], at: 1 },
      { n: 5, tags: [] },
    ],
  };
  const right = {
    a: [
      { n: 6, tags: [] },
      { n: 2, tags: [2, 1], at: 9 },
    ],
  };
  t.match(outlineOf(json(left), json(right), rules), [/^ignored, .*unordered \$\.a\b/]);
  t.same(outlineOf('{"a":[1,1,2]}', '{"a":[2,2,1]}', { unordered: ['$.a'] }), [
    'mismatched, unordered $.a',
    'missing $.a[1] 1 > -',
    'extra $.a[1] - > 2',
  ]);
});

void t.test('items with a key are compared with their own, whatever their places', async (t) => {
  const rules = { arrays: { '$.items': { key: ['sku', 'size'] } } };
  const left = {
    items: [
      { sku: 1, size: 's', n: 1 },
      { sku: 1, size: 'm', n: 2 },
      { sku: 2, size: 's' },
    ],
  };
  const right = {
    items: [
      { sku: 3, size: 's' },
      { sku: 1, size: 'm', n: 3 },
      { sku: 1, size: 's', n: 1 },
    ],
  };
  t.same(outlineOf(json(left), json(right), rules), [
    'mismatched, arrays $.items',
    'value $.items[1].n 2 > 3',
    'missing $.items[2] {"sku":2,"size":"s"} > -',
    'extra $.items[0] - > {"sku":3,"size":"s"}',
  ]);
  const loose = outlineOf('[{"id":1},{"x":1},{"id":1,"y":1}]', '[{"id":1},{"id":1,"y":1},{"x":1}]', {
    arrays: { $: { key: 'id' } },
  });
  t.same(loose, ['ignored, arrays $'], 'shared keys and items without one keep their order');
});

void t.test('times are the same instant in whatever form', async (t) => {
  const rules = { tolerance: { '$.at': { timeMs: 1000 } } };
  const at = (left: unknown, right: unknown): string | undefined =>
    outlineOf(json({ at: left }), json({ at: right }), rules)[0]?.split(',')[0];
  const same = [
    '2026-01-31T12:00:00Z',
    '2026-01-31T13:00:00.999+01:00',
    '2026-01-31 12:00:00',
    'Sat, 31 Jan 2026 12:00:00 GMT',
    1769860800,
    1769860800999,
    '1769860800',
    '20260131'.length === 8 ? '2026-01-31T12:00Z' : '',
  ];
  for (const one of same) t.match(at(same[0], one), /^(?:ignored|matched)$/, String(one));
  t.equal(at('2026-01-31T12:00:00Z', '2026-01-31T12:00:01.001Z'), 'mismatched');
  t.equal(at('2026-02-30', '2026-03-02'), 'mismatched', 'no such day');
  t.equal(at('soon', 'later'), 'mismatched');
});

void t.test(
  'a renamed field is compared with its own, in both directions and inside of arrays',
  async (t) => {
    const rules = {
      rename: {
        '$.userName': '$.user.name',
        '$.orders[*].id': '$.data.orders[*].ref',
        '$.street': '$.address.street',
      },
      tolerance: { '$.orders[*].total': { absolute: 0.01 } },
    };
    const legacy = {
      userName: 'a',
      orders: [
        { id: 1, total: 1 },
        { id: 2, total: 2 },
      ],
      address: { city: 'x' },
      street: 's',
    };
    const renewed = {
      user: { name: 'a' },
      data: {
        orders: [
          { ref: 1, total: 1.01 },
          { ref: 2, total: 2 },
        ],
      },
      address: { city: 'x', street: 's' },
    };
    const [verdict] = outlineOf(json(legacy), json(renewed), rules);
    t.match(verdict, /^ignored, .*rename \$\.userName/);
    const back = compared(answer(json(renewed)), answer(json(legacy)), { rules, authoritative: 'new' });
    t.equal(back.verdict, 'ignored');
    const wrong = {
      ...renewed,
      data: {
        orders: [
          { ref: 1, total: 1 },
          { ref: 7, total: 2 },
        ],
      },
    };
    t.same(outlineOf(json(legacy), json(wrong), rules)[1], 'value $.orders[1].id 2 > 7');
    t.same(
      outlineOf('{"user":{"name":1}}', '{"user":{"name":1} }', rules),
      ['matched'],
      'nothing to explain',
    );
  },
);

void t.test('a value that new has wrapped into an object is compared with what is in it', async (t) => {
  const rules = {
    rename: { '$.items[*].price': '$.items[*].price.amount', '$.items[*].curr': '$.items[*].price.currency' },
  };
  const legacy = '{"items":[{"price":2.5,"curr":"EUR"}]}';
  const same = '{"items":[{"price":{"amount":2.5,"currency":"EUR","net":2}}]}';
  t.match(outlineOf(legacy, same, rules), [/^ignored, .*price.*curr/]);
  t.match(outlineOf(legacy, same.replace('2.5', '2.4'), rules)[1], 'value $.items[0].price 2.5 > 2.4');
  t.match(outlineOf(legacy, same.replace('EUR', 'USD'), rules)[1], /^value \$\.items\[0\]\.curr/);
  const back = compared(answer(json(JSON.parse(same))), answer(json(JSON.parse(legacy))), {
    rules,
    authoritative: 'new',
  });
  t.equal(back.verdict, 'ignored');
});

void t.test('a key that has another name in new finds its item', async (t) => {
  const rules = { rename: { '$.items[*].sku': '$.items[*].code' }, arrays: { '$.items': { key: 'sku' } } };
  const left = '{"items":[{"sku":1,"n":1},{"sku":2,"n":2}]}';
  t.match(outlineOf(left, '{"items":[{"code":2,"n":2},{"code":1,"n":1}]}', rules), [/^ignored/]);
});

void t.test('null and nothing, and empty and nothing', async (t) => {
  t.same(outlineOf('{"a":null}', '{}', { nullIsAbsent: true }), ['ignored, nullIsAbsent']);
  t.same(outlineOf('[null]', '[]', { nullIsAbsent: true })[1], 'missing $[0] null > -', 'an item is there');
  t.same(outlineOf('{"a":"","b":[]}', '{"c":{}}', { emptyIsAbsent: true }), ['ignored, emptyIsAbsent']);
  t.same(outlineOf('{"a":{"b":null}}', '{}', { emptyIsAbsent: true, nullIsAbsent: true }), [
    'ignored, emptyIsAbsent',
  ]);
  t.same(outlineOf('{"a":0}', '{}', { emptyIsAbsent: true, nullIsAbsent: true })[0], 'mismatched');
});

void t.test('every comparator makes its own differences equal, and no other', async (t) => {
  const pairs: Record<string, readonly [unknown, unknown, unknown, unknown]> = {
    anything: [1, { a: 2 }, [], []],
    boolean: ['yes', true, 'yes', 'no'],
    'case-insensitive': ['ABC', 'abc', 'abc', 'abd'],
    'collapsed-whitespace': [' a \n b', 'a b', 'ab', 'a b'],
    'digits-only': ['+49 (30) 123', '4930123', '1', '2'],
    'html-text': ['<p>a &amp; <b>b</b><!-- x --></p>', 'a &#38; b', '<p>a</p>', '<p>b</p>'],
    'json-text': ['{"a":1,"b":2}', '{ "b":2, "a":1.0 }', '{"a":1}', '{"a":2}'],
    'number-text': ['12.50', 12.5, '12.5', '12.6'],
    'same-instant': ['2026-01-31T12:00:00Z', 1769860800, '2026-01-31', '2026-02-01'],
    'same-type': ['a', 'b', 'a', 1],
    set: [[1, 2, 2], [2, 1], [1], [2]],
    text: [1, '1', 1, '2'],
    trimmed: [' a ', 'a', 'a', 'b'],
    'unicode-normal': ['e\u0301', 'é', 'e', 'é'],
    'url-path': ['http://a.example/x?y=1', 'https://b.example:8080/x?y=1', 'http://a/x', 'http://a/y'],
    'url-query-order': ['/a?x=1&y=2&x=3#f', '/a?y=2&x=1&x=3#f', '/a?x=1', '/a?x=2'],
    'url-trailing-slash': ['/a/?b', '/a?b', '/a', '/b'],
    'uuid-any': ['3f2504e0-4f89-11d3-9a0c-0305e82c3301', '{00000000-0000-0000-0000-000000000000}', 'a', 'b'],
  };
  t.same(Object.keys(pairs).sort(), COMPARATORS, 'each is tried');
  for (const [name, [left, right, one, other]] of Object.entries(pairs)) {
    const verdict = (a: unknown, b: unknown): string | undefined =>
      outlineOf(json({ v: a }), json({ v: b }), { comparators: { '$.v': name } })[0]?.split(',')[0];
    t.equal(verdict(left, right), 'ignored', name);
    t.equal(
      verdict(one, other),
      name === 'anything' ? 'matched' : 'mismatched',
      `${name}: another difference`,
    );
  }
  const both = { comparators: { '$.v': ['trimmed', 'case-insensitive'] } };
  t.match(outlineOf('{"v":" A"}', '{"v":"a"}', both), [/^ignored/]);
});

void t.test('statuses that a rule calls equal', async (t) => {
  const rules = {
    equalStatus: [
      [200, 204],
      [301, 308],
    ],
  };
  const ok = answer('{"a":1}');
  t.same(outline(compared(ok, answer('', { status: 204, type: null }), { rules })), ['ignored, equalStatus']);
  t.same(outline(compared(ok, answer('', { status: 404 }), { rules })), [
    'mismatched',
    'status status 200 > 404',
  ]);
});

void t.test('paths are refused with the character at which they stop being one', async (t) => {
  const wrong: Record<string, RegExp> = {
    'a.b': /begins with \$/,
    $a: /character 2: expected \. or \[/,
    '$.': /character 3: expected a name or \*/,
    '$.a b': /character 4: expected \. or \[/,
    '$.9': /character 3/,
    '$[?(@.a)]': /character 3: filters/,
    '$[1:2]': /character 3: slices/,
    '$[-1]': /character 3: slices/,
    "$['a]": /character 3: expected \*, an index or a name in quotes/,
    "$['\\q']": /an escape that is not known/,
    '$[01]': /character 3/,
    '$...a': /character 4/,
    [`$${'.a'.repeat(65)}`]: /at most 64 steps/,
    [`$.${'a'.repeat(1024)}`]: /at most 1024 characters/,
  };
  for (const [path, problem] of Object.entries(wrong))
    t.match(parsePath(path).problem, problem, path.slice(0, 20));
  for (const path of [
    '$',
    '$.a.b[*].c',
    '$..name',
    "$['odd name'][0]",
    '$..[*]..x',
    '$["a\\u0041"]',
    '$.größe',
    '$.*',
  ]) {
    t.equal(parsePath(path).problem, undefined, path);
  }
});

void t.test('every problem of rules is found, with its place', async (t) => {
  const { problems } = compileRules({
    ignore: ['$.ok', 'no', 3],
    unordered: {},
    arrays: { '$.a': {}, '$.b': { key: [] } },
    tolerance: { '$.c': {}, '$.d': { relative: 2, timeMs: 1.5 } },
    rename: 7,
    nullIsAbsent: 'yes',
    equalStatus: [[200], [200, 99]],
    headers: ['a b'],
    what: 1,
  });
  t.same(
    problems.map(({ place }) => place.join(' ')),
    [
      'ignore 2',
      'unordered',
      'arrays $.a key',
      'arrays $.b key',
      'tolerance $.c',
      'tolerance $.d relative',
      'tolerance $.d timeMs',
      'rename',
      'nullIsAbsent',
      'equalStatus 0',
      'equalStatus 1 1',
      'headers 0',
      'what',
    ],
  );
  const meaning = compileRules({
    ignore: ['no'],
    comparators: { '$.a': 'nope', '$.b': ['trimmed', 'nope'] },
    rename: { '$.a[*]': '$.b', '$..a': '$.b', '$.c': '$.c', '$.d[*]': '$.e[*].f' },
  });
  t.same(
    meaning.problems.map(({ place, why }) => [place.join(' '), why]),
    [
      ['ignore 0', 'a path begins with $'],
      ['comparators $.a', undefined],
      ['comparators $.b 1', undefined],
      ['rename $.a[*]', 'both paths need the same number of [*]'],
      ['rename $..a', 'a renamed field has no .. and no index'],
      ['rename $.c', 'the two paths are the same'],
      ['rename $.d[*]', 'between two [*], and at either end, both paths need a name or neither does'],
    ],
  );
  for (const wrong of [null, undefined, 1, 'x', []]) t.equal(compileRules(wrong).problems.length, 1);
  t.equal(compileRules({ ignore: Array.from({ length: 33 }, (_, i) => `$..a${i}`) }).problems.length, 1);
});
