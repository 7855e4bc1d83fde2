import t from 'tap';
import { compileRules } from '../../src/comparison/compile-rules.ts';
import type { RulesWritten } from '../../src/comparison/rules-written.ts';
import { rulePathOf, type SeenSample, silencingRules } from '../../src/console/evidence/silencing-rules.ts';
import type { SeenDifference } from '../../src/console/evidence/value-rules.ts';

const typeOf = (value: unknown): string =>
  value === undefined ? 'absent' : value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

function difference(kind: string, where: string, left: unknown, right: unknown): SeenDifference {
  const side = (value: unknown) => ({ type: typeOf(value), value });
  return { path: where.replaceAll('[]', '[0]'), where, kind, left: side(left), right: side(right) };
}

function sample(...differences: SeenDifference[]): SeenSample {
  return { authoritative: 'legacy', differences };
}

function labels(group: { kind: string; where: string }, samples: SeenSample[], rules: RulesWritten = {}) {
  const proposals = silencingRules(group, samples, rules);
  for (const { label, rules: proposed } of proposals) {
    t.strictSame(compileRules(proposed).problems, [], `${label} is a rule that the gateway takes`);
  }
  return proposals.map(({ label }) => label);
}

await t.test('the place of a group becomes the path of a rule', (t) => {
  t.equal(rulePathOf('$.items[].price'), '$.items[*].price');
  t.equal(rulePathOf('$.byId{}.name'), '$.byId[*].name');
  t.equal(rulePathOf("$['a[]b'][]"), "$['a[]b'][*]", 'brackets in a name are its own');
  t.equal(rulePathOf('status'), undefined);
  t.equal(rulePathOf('$.aaaa…'), undefined, 'a name that was cut is none');
  t.end();
});

await t.test('numbers are offered a tolerance that covers all samples, then wider rules', (t) => {
  const samples = [
    sample(difference('value', '$.total', 10.01, 10.02)),
    sample(difference('value', '$.total', 7, 7.013)),
  ];
  t.strictSame(labels({ kind: 'value', where: '$.total' }, samples), [
    'tolerance $.total: {absolute:0.02}',
    'comparators $.total: same-type',
    'ignore $.total',
  ]);
  t.end();
});

await t.test('texts are offered the comparators that would make all samples equal', (t) => {
  const group = { kind: 'value', where: '$.name' };
  const upper = sample(difference('value', '$.name', 'ANN', 'ann'));
  t.equal(labels(group, [upper])[0], 'comparators $.name: case-insensitive');
  const other = sample(difference('value', '$.name', 'ann', 'bob'));
  t.strictSame(labels(group, [upper, other]), ['comparators $.name: same-type', 'ignore $.name']);
  const times = sample(difference('value', '$.name', '2026-11-21T09:00:00Z', '2026-11-21T09:00:01.500Z'));
  t.equal(labels(group, [times])[0], 'tolerance $.name: {timeMs:2000}');
  t.end();
});

await t.test('a comparator joins those of the place, and other rules stay', (t) => {
  const rules: RulesWritten = { comparators: { '$.name': 'trimmed' }, ignore: ['$.at'] };
  const samples = [sample(difference('value', '$.name', 'ANN', 'ann'))];
  const [first] = silencingRules({ kind: 'value', where: '$.name' }, samples, rules);
  t.strictSame(first?.rules, {
    comparators: { '$.name': ['trimmed', 'case-insensitive'] },
    ignore: ['$.at'],
  });
  t.end();
});

await t.test('a field that left one name for another is offered a rename in legacy to new', (t) => {
  const fields = [
    difference('missing', '$.items[].userName', 'Ann Berg', undefined),
    difference('extra', '$.items[].user.name', undefined, 'Ann Berg'),
  ];
  const group = { kind: 'missing', where: '$.items[].userName' };
  t.equal(labels(group, [sample(...fields)])[0], 'rename $.items[*].userName: $.items[*].user.name');
  const turned: SeenSample = {
    authoritative: 'new',
    differences: [
      difference('missing', '$.user', 'Ann Berg', undefined),
      difference('extra', '$.userName', undefined, 'Ann Berg'),
    ],
  };
  t.equal(labels({ kind: 'extra', where: '$.user' }, [turned])[0], 'rename $.userName: $.user');
  t.end();
});

await t.test('what is null or empty on one side alone is offered to count as absent', (t) => {
  const group = { kind: 'missing', where: '$.note' };
  t.equal(labels(group, [sample(difference('missing', '$.note', null, undefined))])[0], 'nullIsAbsent: true');
  t.equal(labels(group, [sample(difference('missing', '$.note', '', undefined))])[0], 'emptyIsAbsent: true');
  t.strictSame(labels(group, [sample(difference('missing', '$.note', 'x', undefined))]), ['ignore $.note']);
  t.end();
});

await t.test('another order is offered the key of the items, then any order', (t) => {
  const items = [
    { sku: 'A', price: 1 },
    { sku: 'B', price: 1 },
  ];
  const samples = [sample(difference('order', '$.items', items, items.toReversed()))];
  t.strictSame(labels({ kind: 'order', where: '$.items' }, samples), [
    'arrays $.items: { key: sku }',
    'unordered $.items',
    'ignore $.items',
  ]);
  t.end();
});

await t.test('statuses, headers and types of answers have rules of their own; failures have none', (t) => {
  const status = [sample(difference('status', 'status', 200, 204))];
  t.strictSame(labels({ kind: 'status', where: 'status' }, status), ['equalStatus [200, 204]']);
  const header = { kind: 'header', where: 'header.etag' };
  t.strictSame(labels(header, [], { headers: ['ETag', 'etag'] }), ['headers without etag']);
  t.strictSame(silencingRules(header, [], { headers: ['ETag', 'etag'] })[0]?.rules, { headers: [] });
  t.strictSame(labels({ kind: 'content-type', where: 'content-type' }, []), ['contentType: false']);
  t.strictSame(labels({ kind: 'timeout', where: 'answer' }, []), []);
  t.strictSame(labels({ kind: 'a kind of tomorrow', where: '$.a' }, []), ['ignore $.a']);
  t.end();
});
