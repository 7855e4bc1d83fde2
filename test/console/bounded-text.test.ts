import t from 'tap';
import {
  boundedText,
  differingPart,
  markedText,
  plainText,
} from '../../src/console/evidence/bounded-text.ts';

await t.test('marks of direction, control characters and characters of no width become visible', (t) => {
  t.strictSame(boundedText('a\u202Eb\u0007\u200B', 100).parts, [
    { kind: 'plain', text: 'a' },
    { kind: 'mark', text: 'U+202E' },
    { kind: 'plain', text: 'b' },
    { kind: 'mark', text: 'U+0007' },
    { kind: 'mark', text: 'U+200B' },
  ]);
  t.equal(plainText('\u2066x\uD800\uDB40\uDC41', 100), '⟨U+2066⟩x⟨U+D800⟩⟨U+E0041⟩');
  t.equal(plainText('é 日本 👍\t<script>', 100), 'é 日本 👍\t<script>', 'what can be seen stays');
  t.end();
});

await t.test('a text of 10 MB is cut to what is shown, and says what is left', (t) => {
  const huge = 'x'.repeat(10 * 1024 * 1024);
  const { parts, after } = boundedText(huge, 500);
  t.strictSame([parts[0]?.text.length, parts.length, after], [500, 1, huge.length - 500]);
  t.equal(plainText(huge, 10), 'xxxxxxxxxx…');
  t.end();
});

await t.test('pairs of surrogates are not torn apart', (t) => {
  t.strictSame(boundedText('ab👍', 3), { parts: [{ kind: 'plain', text: 'ab' }], before: 0, after: 2 });
  t.strictSame(differingPart('a👍c', 'a👎c'), { begin: 1, leftEnd: 3, rightEnd: 3 });
  t.end();
});

await t.test('what differs is what is left between the ends that are the same', (t) => {
  t.strictSame(differingPart('"12.50"', '"12.75"'), { begin: 4, leftEnd: 6, rightEnd: 6 });
  t.strictSame(differingPart('aa', 'aaa'), { begin: 2, leftEnd: 2, rightEnd: 3 });
  t.strictSame(differingPart('', 'x'), { begin: 0, leftEnd: 0, rightEnd: 1 });
  t.end();
});

await t.test('of a long text the part around the difference is shown', (t) => {
  const text = `${'a'.repeat(1_000)}XY${'b'.repeat(1_000)}`;
  const { before, marked, after } = markedText(text, 1_000, 1_002, 100);
  t.equal(before.before, 960);
  t.strictSame(marked.parts, [{ kind: 'plain', text: 'XY' }]);
  t.equal(after.parts[0]?.text.length, 58);
  t.equal(after.after, 942);
  const short = markedText('abcd', 1, 2, 100);
  t.strictSame(
    [short.before.parts[0]?.text, short.marked.parts[0]?.text, short.after.parts[0]?.text],
    ['a', 'b', 'cd'],
  );
  const wide = markedText('x'.repeat(5_000), 0, 5_000, 100);
  t.strictSame([wide.marked.after, wide.after.parts], [4_900, []]);
  t.end();
});
