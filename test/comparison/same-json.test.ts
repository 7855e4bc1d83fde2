import fc from 'fast-check';
import t from 'tap';
import { compareJson } from '../../src/comparison/compare-json.ts';
import { DEFAULT_LIMITS } from '../../src/comparison/difference.ts';
import type { Json, JsonDocument } from '../../src/comparison/json-tree.ts';
import { measure } from '../../src/comparison/parse-json.ts';
import { isSameUnder, newTally } from '../../src/comparison/same-json.ts';
import { outlineOf, rulesOf } from './answers.ts';
import { pair, rules, tree } from './documents.ts';

const read = (value: unknown): Json => JSON.parse(JSON.stringify(value));
const whole = (root: Json): JsonDocument => ({ root, duplicates: new Map() });

/** Pairs that are the same more often than not, up to what rules are about. */
const similar = fc.oneof(
  pair,
  fc.tuple(tree, tree, tree).map(([one, a, b]): [unknown, unknown] => [
    { items: [one, one], id: a, a: one },
    { a: one, id: b, items: [one, one] },
  ]),
);

void t.test('what the quick pass calls the same, the walk does too, by the same rules', async (t) => {
  let same = 0;
  let covered = 0;
  fc.assert(
    fc.property(similar, rules, ([left, right], written) => {
      const [one, other] = [read(left), read(right)];
      const { start, nullIsAbsent, emptyIsAbsent } = rulesOf(written);
      const tally = newTally(DEFAULT_LIMITS.workMax);
      if (!isSameUnder(one, other, start, DEFAULT_LIMITS.depthMax, tally)) return true;
      same += 1;
      if (tally.coveredBy.size > 0) covered += 1;
      const walkRules = { start, nullIsAbsent, emptyIsAbsent, newSide: 'right' } as const;
      const walk = compareJson(whole(one), whole(other), walkRules, DEFAULT_LIMITS);
      return (
        walk.differences.length === 0 &&
        [...walk.coveredBy].sort().join() === [...tally.coveredBy].sort().join()
      );
    }),
    { numRuns: 3000 },
  );
  t.ok(same > 500 && covered > 50, `${same} the same, ${covered} of them by rules`);
});

void t.test('it counts every key of both sides, or leaves no doubt that it has not', async () => {
  fc.assert(
    fc.property(similar, rules, fc.boolean(), ([left, right], written, countsRight) => {
      const [one, other] = [read(left), read(right)];
      const tally = newTally(DEFAULT_LIMITS.workMax, countsRight);
      if (!isSameUnder(one, other, rulesOf(written).start, DEFAULT_LIMITS.depthMax, tally)) return true;
      const [leftKeys, rightKeys] = [one, other].map((root) => measure(root, DEFAULT_LIMITS.depthMax).keys);
      if (tally.leftKeys !== leftKeys) return false;
      return countsRight ? tally.rightKeys === rightKeys : tally.rightKeys <= (rightKeys ?? 0);
    }),
    { numRuns: 3000 },
  );
});

void t.test('a comparator is given the whole value, with what is ignored inside of it', async (t) => {
  const written = { ignore: ['$.a.at'], comparators: { '$.a': 'trimmed' } };
  const outline = (b: number): string[] =>
    outlineOf('{"a":{"n":"x","at":1},"b":1}', `{"b":${b},"a":{"n":"x","at":2}}`, written);
  t.same(outline(1), ['mismatched', 'value $.a {"n":"x","at":1} > {"n":"x","at":2}']);
  t.same(outline(2), [...outline(1), 'value $.b 1 > 2'], 'as beside another difference');
});

void t.test('items that are ignored, in an array with a key, are left to the walk', async (t) => {
  const { start } = rulesOf({ ignore: ['$..*'], arrays: { $: { key: 'id' } } });
  const [left, right] = [read(['', '', { id: 0 }]), read([{ id: 0 }, '', ''])];
  t.equal(isSameUnder(left, right, start, DEFAULT_LIMITS.depthMax, newTally(1_000)), false);
});

void t.test('zeros and numbers out of the common are noticed under rules too', async (t) => {
  const noticed = (value: unknown, written: unknown): unknown => {
    const tally = newTally(1000);
    const isSame = isSameUnder(read(value), read(value), rulesOf(written).start, 200, tally);
    return [isSame, tally.hasZeros, tally.hasExtremes];
  };
  for (const written of [{}, { ignore: ['$.x'] }, { ignore: ['$.a'] }, { ignore: ['$.b[0]'] }]) {
    t.same(noticed({ a: 0, b: [1] }, written), [true, true, false]);
    t.same(noticed({ a: 1, b: [1e-300] }, written), [true, false, true]);
    t.same(noticed({ a: 1e300, b: [0] }, written), [true, true, true]);
    t.same(noticed({ a: 'x', b: [-5] }, written), [true, false, false]);
  }
});
