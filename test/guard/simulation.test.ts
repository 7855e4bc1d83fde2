/** The simulation of `npm run bench -- guard-simulation`, shortened. Seeded, so it ends the same way each time. */
import t from 'tap';
import { HARMLESS, harmlessCells, TROUBLES, type Trouble } from '../../bench/guard/cell.ts';
import { powerWithin, troubleText } from '../../bench/guard/guard-simulation-report.ts';
import { Poisson, Random } from '../../bench/guard/random.ts';
import { simulateDays, simulateFailures } from '../../bench/guard/simulate.ts';
import { SimulatedCohort } from '../../bench/guard/simulated-cohort.ts';
import { tripPathOf } from '../../src/guard/judge.ts';

const SEED = 20261121;
t.comment(`seed ${SEED}`);

void t.test(
  'no trip on days at half of the error rate, nor at a mean latency 20 % below, whatever the trouble',
  async (t) => {
    for (const [at, cell] of harmlessCells().entries()) {
      const days = cell.metric === 'errorRate' ? 0.5 : 0.1;
      const { trips } = simulateDays(cell, days, SEED + at);
      t.same(trips, [], `${cell.metric}, ${cell.rate}/s, ${troubleText(cell)}: ${days} days`);
    }
  },
);

void t.test('days at 1.3 times the threshold do trip', async (t) => {
  for (const metric of ['errorRate', 'meanLatencyMs'] as const) {
    const cell = { metric, rate: 200, value: 1.3, trouble: { kind: 'none' } } as const;
    t.ok(simulateDays(cell, 0.03, SEED).trips.length > 0, metric);
  }
});

void t.test('1.5 times the threshold trips within 60 s at 200 requests a second', async (t) => {
  for (const metric of ['errorRate', 'meanLatencyMs'] as const) {
    const cell = { metric, rate: 200, value: 1.5, trouble: { kind: 'none' } } as const;
    const delays = simulateFailures(cell, HARMLESS[metric], 40, 100, SEED);
    t.ok(powerWithin(60, delays) >= 0.95, `${metric}: ${powerWithin(60, delays)} of 40 runs`);
  }
});

void t.test('a dead backend trips within seconds at any rate, beside a bad user as well', async (t) => {
  const bounds: readonly [number, number, Trouble][] = [
    [2, 20, { kind: 'none' }],
    [20, 3, { kind: 'none' }],
    [200, 1, { kind: 'none' }],
    [20, 3, { kind: 'user', share: 0.1 }],
  ];
  for (const [rate, seconds, trouble] of bounds) {
    const cell = { metric: 'errorRate', rate, value: 20, trouble } as const;
    t.equal(powerWithin(seconds, simulateFailures(cell, 0.5, 30, 60, SEED)), 1, `${rate}/s in ${seconds} s`);
  }
});

void t.test('a second that the simulation does not judge in full would not have tripped', async (t) => {
  for (const metric of ['errorRate', 'meanLatencyMs'] as const) {
    for (const trouble of TROUBLES) {
      // Near the threshold, so that it trips now and then.
      const cell = { metric, rate: 4, value: 1.1, trouble };
      const cohort = new SimulatedCohort(cell, new Random(SEED));
      let skipped = 0;
      for (let second = 0; second < 400; second += 1) {
        if (cohort.draw(second, 16)) continue;
        skipped += 1;
        if (tripPathOf(cohort.condition, cohort.slots(), second) !== undefined) {
          t.fail(`${metric}, ${troubleText(cell)}, second ${second}`);
        }
      }
      t.ok(skipped > 50, `${metric}, ${troubleText(cell)}: ${skipped} skipped`);
    }
  }
});

void t.test(
  'draws have the mean and the spread of the Poisson distribution, with its rare ends',
  async (t) => {
    const random = new Random(SEED);
    for (const mean of [0, 0.03, 2, 200]) {
      const poisson = new Poisson(mean);
      const n = 100_000;
      let [sum, squares, most] = [0, 0, 0];
      for (let i = 0; i < n; i += 1) {
        const draw = poisson.draw(random);
        sum += draw;
        squares += (draw - mean) ** 2;
        most = Math.max(most, draw);
      }
      const error = Math.sqrt(mean / n);
      t.ok(Math.abs(sum / n - mean) <= 5 * error, `mean ${sum / n} of ${mean}`);
      t.ok(Math.abs(squares / n - mean) <= 0.05 * mean + 5 * error);
      t.ok(mean === 0 || most >= mean + 3 * Math.sqrt(mean));
    }
  },
);
