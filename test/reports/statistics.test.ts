import fc from 'fast-check';
import t, { type Test } from 'tap';
import {
  differenceLowerBound,
  type Evidence,
  judge,
  ruleOfThree,
  shareOf,
  wilson,
} from '../../src/reports/statistics.ts';

function near(t: Test, found: number, wanted: number): void {
  t.ok(Math.abs(found - wanted) < 0.0005, `${found} is ${wanted}`);
}

await t.test('Wilson intervals are those of the published table', (t) => {
  // Newcombe 1998, table I, method 3.
  for (const [count, total, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const) {
    const interval = wilson(count, total);
    near(t, interval.low, low);
    near(t, interval.high, high);
  }
  t.strictSame(wilson(0, 0), { low: 0, high: 1 });
  t.end();
});

await t.test('an interval holds its share, and narrows as reads come', (t) => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 10_000 }), (a, b) => {
      const [count, total] = [Math.min(a, b), b];
      const one = shareOf(count, total);
      const more = shareOf(count * 10, total * 10);
      return (
        one.low <= one.share &&
        one.share <= one.high &&
        one.low >= 0 &&
        one.high <= 1 &&
        more.high - more.low <= one.high - one.low + 1e-12
      );
    }),
  );
  t.end();
});

await t.test('the bound on a difference is that of the published example', (t) => {
  // 56/70 and 48/80 (Newcombe 1998, table II): two-sided 0.0524 to 0.3339; one-sided at 95 % lies above.
  const bound = differenceLowerBound({ count: 56, total: 70 }, { count: 48, total: 80 });
  t.ok(bound > 0.0524 && bound < 0.2, `${bound}`);
  t.ok(
    differenceLowerBound({ count: 5, total: 10 }, { count: 0, total: 0 }) < 0,
    'nothing is known of the other',
  );
  t.equal(ruleOfThree(300), 0.01);
  t.equal(ruleOfThree(1), 1);
  t.end();
});

const EVIDENCE: Evidence = {
  raw: 0,
  confirmed: 0,
  compared: 1_000,
  noise: 0,
  noiseReads: 100,
  isFailure: false,
};

await t.test('a group is judged by what noise explains', (t) => {
  const cases: readonly (readonly [string, Partial<Evidence>, string, string])[] = [
    ['on every read, never in noise', { raw: 1_000, confirmed: 900 }, 'reported', 'above_noise'],
    ['on every read, and in noise', { raw: 1_000, confirmed: 900, noise: 100 }, 'noise', 'not_above_noise'],
    ['a little above noise', { raw: 600, confirmed: 500, noise: 50 }, 'noise', 'close_to_noise'],
    ['far above noise', { raw: 600, confirmed: 500, noise: 5 }, 'reported', 'above_noise'],
    ['on two reads, noise unknown', { raw: 2, confirmed: 2, noiseReads: 0 }, 'unproven', 'few_reads'],
    ['on two of a thousand', { raw: 2, confirmed: 2 }, 'unproven', 'few_reads'],
    ['on one of ten thousand', { raw: 1, confirmed: 1, compared: 10_000 }, 'noise', 'rare'],
    ['never confirmed', { raw: 500 }, 'unconfirmed', 'never_confirmed'],
    ['seen in noise only', { noise: 5 }, 'noise', 'not_above_noise'],
    ['a rare failure', { raw: 1, confirmed: 1, compared: 100_000, isFailure: true }, 'reported', 'failure'],
    [
      'a failure that both sides have',
      { raw: 100, confirmed: 90, noise: 10, isFailure: true },
      'noise',
      'not_above_noise',
    ],
  ];
  for (const [name, evidence, kind, because] of cases) {
    t.strictSame(judge({ ...EVIDENCE, ...evidence }), { kind, because }, name);
  }
  t.end();
});

await t.test('pure noise is rarely reported', (t) => {
  // Both sides differ by chance alike: 200 groups of 300 reads, seeded.
  let state = 12345;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  let reported = 0;
  for (let group = 0; group < 200; group += 1) {
    const share = 0.02 + random() * 0.5;
    const draw = (reads: number) => Array.from({ length: reads }, random).filter((one) => one < share).length;
    const raw = draw(300);
    const verdict = judge({
      raw,
      confirmed: raw,
      compared: 300,
      noise: draw(60),
      noiseReads: 60,
      isFailure: false,
    });
    if (verdict.kind === 'reported') reported += 1;
  }
  t.ok(reported <= 12, `${reported} of 200`);
  t.end();
});
