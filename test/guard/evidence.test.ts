import fc from 'fast-check';
import t from 'tap';
import { Random } from '../../bench/guard/random.ts';
import {
  BETS,
  Evidence,
  isMoneyAtLeast,
  logMoney,
  logWin,
  meanLower,
  meanUpper,
  type Sample,
  stakesFor,
} from '../../src/guard/evidence.ts';

const SHARE = fc.double({ min: 1e-6, max: 1 - 1e-9, noNaN: true });

void t.test('no bet wins in the mean against a mean that is m, and none can lose all', async () => {
  fc.assert(
    fc.property(SHARE, (m) => {
      const stakes = stakesFor(m);
      return (
        stakes.length === BETS &&
        stakes.every((stake) => {
          const won = m * Math.exp(logWin(stake, 1, m)) + (1 - m) * Math.exp(logWin(stake, 0, m));
          return stake > 0 && stake < 1 && Math.abs(won - 1) < 1e-6;
        })
      );
    }),
  );
});

void t.test('bets win against a smaller mean and lose against a larger one', async () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), SHARE, SHARE, (x, a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      return stakesFor(low).every((stake) => logWin(stake, x, low) >= logWin(stake, x, high) - 1e-9);
    }),
  );
});

void t.test('all bets together have the mean of their money', async (t) => {
  const logs = Float64Array.from({ length: BETS }, () => Math.log(3));
  t.ok(Math.abs(logMoney(logs) - Math.log(3)) < 1e-12);
  logs[0] = 800;
  t.ok(Math.abs(logMoney(logs) - (800 - Math.log(BETS))) < 1e-9, 'more than a number can hold');
  t.same([isMoneyAtLeast(logs, 790), isMoneyAtLeast(logs, 799)], [true, false]);
});

/** Adds a second of so many requests, of which so many are bad. */
function addSecond(evidence: Evidence, m: number, bad: number, n: number): void {
  const wins = stakesFor(m).map((stake) => bad * logWin(stake, 1, m) + (n - bad) * logWin(stake, 0, m));
  evidence.add(Float64Array.from(wins, Math.exp));
}

void t.test('each failure adds to the evidence, each good second takes some away', async (t) => {
  const evidence = new Evidence();
  t.equal(evidence.log, Number.NEGATIVE_INFINITY);
  addSecond(evidence, 0.05, 5, 5);
  const before = evidence.log;
  addSecond(evidence, 0.05, 5, 5);
  t.ok(evidence.log > before + 5);
  addSecond(evidence, 0.05, 0, 100);
  t.ok(evidence.log < before + 5);
});

void t.test('at exactly the threshold the evidence reaches A once in A seconds, at most', async (t) => {
  const random = new Random(20261121);
  const [a, m] = [100, 0.2];
  let [alarms, seconds] = [0, 0];
  for (let run = 0; run < 150; run += 1) {
    const evidence = new Evidence();
    for (let second = 0; second < 5000; second += 1) {
      let bad = 0;
      for (let i = 0; i < 5; i += 1) if (random.next() < m) bad += 1;
      addSecond(evidence, m, bad, 5);
      seconds += 1;
      if (!evidence.isAtLeast(Math.log(a))) continue;
      alarms += 1;
      break;
    }
  }
  t.ok(alarms > 20, 'it does reach it');
  t.ok(seconds / alarms > a, `once in ${seconds / alarms} seconds (seed 20261121)`);
});

/** How often bounds of 200 samples miss the mean of what they were drawn from. */
function missed(
  confidence: number,
  n: number,
  draw: (random: Random) => number,
): { lower: number; upper: number } {
  const random = new Random(7);
  let mean = 0;
  for (let i = 0; i < 200_000; i += 1) mean += draw(random) / 200_000;
  let [lower, upper] = [0, 0];
  for (let run = 0; run < 200; run += 1) {
    const sample: Sample = {
      values: Float64Array.from({ length: n }, () => draw(random)),
      counts: new Float64Array(n).fill(1),
    };
    if (meanLower(sample, confidence) > mean) lower += 1 / 200;
    if (meanUpper(sample, confidence) < mean) upper += 1 / 200;
  }
  return { lower, upper };
}

void t.test('the bounds of a mean contain it, whatever the distribution', async (t) => {
  const distributions: Record<string, (random: Random) => number> = {
    'all or nothing': (random) => (random.next() < 0.1 ? 1 : 0),
    even: (random) => random.next(),
    'heavy-tailed': (random) => Math.min(1, 0.02 / random.next()),
    constant: () => 0.3,
  };
  for (const [name, draw] of Object.entries(distributions)) {
    for (const n of [5, 60, 300]) {
      const { lower, upper } = missed(0.9, n, draw);
      t.ok(lower <= 0.1 && upper <= 0.1, `${name}, ${n} observations: missed ${lower} and ${upper} (seed 7)`);
    }
  }
});

void t.test('the bounds of a mean enclose it, and close in with more observations', async (t) => {
  const sample = (n: number): Sample => ({
    values: Float64Array.of(0.05, 0.2),
    counts: Float64Array.of(n, n),
  });
  const widths = [10, 100, 1000, 10_000].map((n) => {
    const [lower, upper] = [meanLower(sample(n), 0.99), meanUpper(sample(n), 0.99)];
    t.ok(lower < 0.125 && upper > 0.125);
    return upper - lower;
  });
  t.same(
    widths,
    [...widths].sort((a, b) => b - a),
  );
  t.ok((widths.at(-1) ?? 1) < 0.02);
  const none: Sample = { values: new Float64Array(0), counts: new Float64Array(0) };
  t.same([meanLower(none, 0.9), meanUpper(none, 0.9)], [0, 1]);
  const full: Sample = { values: Float64Array.of(1), counts: Float64Array.of(5) };
  t.equal(meanUpper(full, 0.9), 1);
  const zero: Sample = { values: Float64Array.of(0), counts: Float64Array.of(50) };
  t.equal(meanLower(zero, 0.9), 0);
});
