import fc from 'fast-check';
import t from 'tap';
import { binomialTail, findRoot, isShareOver, shareLower, shareUpper } from '../../src/guard/bounds.ts';

/** Term by term, for few requests. */
function tailBySum(least: number, n: number, share: number): number {
  let [mass, sum] = [(1 - share) ** n, 0];
  for (let k = 0; k <= n; k += 1) {
    if (k >= least) sum += mass;
    mass *= ((n - k) / (k + 1)) * (share / (1 - share));
  }
  return sum;
}

const near = (a: number, b: number, relative: number): boolean => Math.abs(a - b) <= relative * Math.abs(b);

void t.test('the tail of the binomial distribution is the sum of its terms', async (t) => {
  t.ok(near(binomialTail(8, 10, 0.5), 56 / 1024, 1e-12));
  const cases = fc.tuple(
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: 0, max: 60 }),
    fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  );
  fc.assert(
    fc.property(cases, ([n, least, share]) => {
      const [exact, sum] = [binomialTail(least, n, share), tailBySum(least, n, share)];
      return near(exact, sum, 1e-9) || Math.abs(exact - sum) < 1e-14;
    }),
  );
  t.equal(binomialTail(0, 10, 0.2), 1);
  t.equal(binomialTail(11, 10, 0.2), 0);
  t.same([binomialTail(3, 10, 0), binomialTail(3, 10, 1)], [0, 1]);
});

void t.test('the tail is right for millions of requests', async (t) => {
  // The normal approximation is good here; three standard deviations above the mean.
  const n = 4_000_000;
  const k = 200_000 + 3 * Math.sqrt(n * 0.05 * 0.95);
  t.ok(near(binomialTail(Math.round(k), n, 0.05), 0.00135, 0.05));
});

void t.test('the bounds are those of Clopper and Pearson', async (t) => {
  // As R's binom.test(10, 100) has them.
  t.ok(near(shareLower(10, 100, 0.975), 0.04900469, 1e-6));
  t.ok(near(shareUpper(10, 100, 0.975), 0.1762226, 1e-6));
  t.ok(near(shareUpper(0, 50, 0.95), 1 - 0.05 ** (1 / 50), 1e-6));
  t.ok(near(shareLower(50, 50, 0.95), 0.05 ** (1 / 50), 1e-6));
  t.same([shareLower(0, 50, 0.95), shareUpper(50, 50, 0.95)], [0, 1]);
  t.same([shareLower(0, 0, 0.95), shareUpper(0, 0, 0.95)], [0, 1], 'nothing is known without requests');
});

/** Of how many samples the bound is wrong: summed over all of them, so that nothing is left to chance. */
void t.test('whatever the true share is, a bound misses it as rarely as it says', async (t) => {
  for (const confidence of [0.9, 0.99]) {
    for (const n of [1, 7, 40]) {
      for (let share = 0.01; share < 1; share += 0.035) {
        let [below, above] = [0, 0];
        for (let k = 0; k <= n; k += 1) {
          const mass = tailBySum(k, n, share) - tailBySum(k + 1, n, share);
          if (shareLower(k, n, confidence) > share) above += mass;
          if (shareUpper(k, n, confidence) < share) below += mass;
        }
        if (above > 1 - confidence + 1e-9 || below > 1 - confidence + 1e-9) {
          t.fail(`${n} requests, share ${share}: ${above}, ${below}`);
        }
      }
    }
  }
});

const SAMPLE = fc
  .integer({ min: 1, max: 3000 })
  .chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));
const CONFIDENCE = fc.double({ min: 0.5, max: 0.9999, noNaN: true });

void t.test('a bound encloses what was seen, and more failures or more confidence move it', async () => {
  fc.assert(
    fc.property(SAMPLE, CONFIDENCE, ([k, n], confidence) => {
      const [lower, upper] = [shareLower(k, n, confidence), shareUpper(k, n, confidence)];
      const isInside = lower <= k / n && k / n <= upper;
      const grows = k === n || shareLower(k + 1, n, confidence) >= lower - 1e-9;
      return isInside && grows && shareLower(k, n, Math.min(0.9999, confidence + 0.01)) <= lower + 1e-9;
    }),
  );
});

void t.test('a share is over a threshold exactly when its lower bound is', async () => {
  fc.assert(
    fc.property(
      SAMPLE,
      CONFIDENCE,
      fc.double({ min: 0.001, max: 0.999, noNaN: true }),
      ([k, n], confidence, share) => {
        const lower = shareLower(k, n, confidence);
        return Math.abs(lower - share) < 1e-6 || isShareOver(k, n, share, confidence) === lower > share;
      },
    ),
  );
});

void t.test('a root is found where a function is steep, flat or infinite', async (t) => {
  t.ok(
    near(
      findRoot((x) => x ** 9 - 0.5, 0, 1),
      0.5 ** (1 / 9),
      1e-6,
    ),
  );
  t.ok(
    near(
      findRoot((x) => Math.log(x) + 20, 0, 1),
      Math.exp(-20),
      1e-6,
    ),
  );
  t.equal(
    findRoot((x) => x - 1, 0, 1),
    1,
  );
});
