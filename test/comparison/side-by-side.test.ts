import fc from 'fast-check';
import t from 'tap';
import { sideBySide } from '../../src/comparison/side-by-side.ts';

const lines = (text: string): string[] => text.split(' ');
const drawn = (left: string, right: string, context = 9) =>
  sideBySide(lines(left), lines(right), context).map(
    ({ kind, left: one, right: other }) => `${kind}:${one}|${other}`,
  );

await t.test('lines are aligned, and what differs is marked', (t) => {
  t.strictSame(drawn('a b c', 'a x c'), ['same:a|a', 'changed:b|x', 'same:c|c']);
  t.strictSame(drawn('a b c', 'a c'), ['same:a|a', 'left:b|', 'same:c|c']);
  t.strictSame(drawn('a c', 'a b c'), ['same:a|a', 'right:|b', 'same:c|c']);
  t.strictSame(drawn('a b b2 c', 'a x c'), ['same:a|a', 'changed:b|x', 'left:b2|', 'same:c|c']);
  t.end();
});

await t.test('lines far from any difference are left out', (t) => {
  t.strictSame(drawn('a b c d e f', 'a b c d e x', 1), ['gap:…|…', 'same:e|e', 'changed:f|x']);
  t.strictSame(drawn('a b c', 'a b c', 1), ['gap:…|…']);
  t.end();
});

await t.test('nothing is lost and nothing is moved', (t) => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 });
  fc.assert(
    fc.property(text, text, (left, right) => {
      fc.pre(left.join() !== right.join());
      const rows = sideBySide(left, right, 100);
      const of = (side: 'left' | 'right') =>
        rows
          .filter(({ kind }) => kind === 'same' || kind === 'changed' || kind === side)
          .map((row) => row[side]);
      t.strictSame(of('left'), left);
      t.strictSame(of('right'), right);
    }),
  );
  t.end();
});

await t.test('texts of very many lines are shown without being aligned', (t) => {
  const long = (mark: string) => Array.from({ length: 3_000 }, (_, at) => `${mark}${at}`);
  t.equal(sideBySide(long('a'), long('b'), 2).length, 3_000);
  t.end();
});
