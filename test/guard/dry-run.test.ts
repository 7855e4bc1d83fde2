import fc from 'fast-check';
import t from 'tap';
import { Random } from '../../bench/guard/random.ts';
import { DRY_TRIPS_MAX, dryRun } from '../../src/guard/dry-run.ts';
import { judge, tripPathOf } from '../../src/guard/judge.ts';
import { TripScreen } from '../../src/guard/screen.ts';
import { latencyBin, NO_COUNTS, type Slot } from '../../src/guard/slot.ts';
import { tallyOf } from '../../src/guard/tally.ts';
import { counts, even, made, seconds, slot } from './made-slots.ts';

const CONDITIONS = [
  made('errorRate', 0.05),
  made('errorRate', 0.05, { name: 'beside', overLegacy: 1.5, windows: { over: 1, of: 1 }, confidence: 0.9 }),
  made('meanLatencyMs', 200, { minRequests: 1, windows: { over: 2, of: 3 } }),
  made('p90LatencyMs', 400, { windowMs: 10_000 }),
  made('stalledShare', 0.05, { windowMs: 7_000, minRequests: 1 }),
];

/** Seconds that are good and bad by turns, many of them near a threshold. Some have no slot. */
function drawSlots(seed: number, length: number, slotSeconds: number): Slot[] {
  const random = new Random(seed);
  let [failing, slow] = [0.03, 0.1];
  return Array.from({ length }, (_, at) => {
    if (random.next() < 0.02) failing = [0, 0.03, 0.06, 0.1, 0.5][random.below(5)] ?? 0;
    if (random.next() < 0.02) slow = [0, 0.1, 0.3, 0.6][random.below(4)] ?? 0;
    const n = random.below(40 * slotSeconds);
    let [failed, late] = [0, 0];
    for (let i = 0; i < n; i += 1) {
      if (random.next() < failing) failed += 1;
      if (random.next() < slow) late += 1;
    }
    const latency = new Map([
      [latencyBin(30), n - late],
      [latencyBin(700), late],
    ]);
    const all = { ...NO_COUNTS, requests: n, failed, stalled: failed, late: failed, latency };
    return slot(at * slotSeconds, even(all, 2), even(counts(random.below(30), random.below(2))));
  }).filter(() => random.next() < 0.9);
}

void t.test('what the screen rules out does not trip, and it rules out most of what is good', async (t) => {
  let [trips, ruledOut, possible] = [0, 0, 0];
  for (const seed of [1, 2, 3]) {
    const slots = drawSlots(seed, 400, 1);
    for (const condition of CONDITIONS) {
      const screen = new TripScreen(condition);
      slots.forEach((one, at) => {
        const mayTrip = screen.push(one.second, tallyOf(one.new));
        const path = tripPathOf(condition, slots.slice(Math.max(0, at - 160), at + 1), one.second);
        if (path !== undefined) trips += 1;
        if (mayTrip) possible += 1;
        else ruledOut += 1;
        if (path !== undefined && !mayTrip) t.fail(`${condition.name}, seed ${seed}, second ${one.second}`);
      });
    }
  }
  t.ok(
    trips > 100 && ruledOut > 1000,
    `${trips} trips, ${possible} possible, ${ruledOut} ruled out (seeds 1, 2, 3)`,
  );
});

void t.test('the quick answer is that of the judgement', async () => {
  const slots = drawSlots(4, 300, 1);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 330 }), fc.constantFrom(...CONDITIONS), (now, condition) => {
      return tripPathOf(condition, slots, now) === judge([condition], slots, now)[0]?.path;
    }),
  );
});

void t.test(
  'a dry run trips where the judgement of each slot does, with a pause after each trip',
  async (t) => {
    for (const slotSeconds of [1, 5]) {
      const slots = drawSlots(5, 300, slotSeconds);
      const cooldownMs = 60_000;
      const found = dryRun(CONDITIONS, slots, { slotSeconds, cooldownMs });
      const expected = CONDITIONS.flatMap((condition) => {
        let quietUntil = 0;
        return slots.flatMap((one, at) => {
          if (one.second < quietUntil) return [];
          const judged = judge([condition], slots.slice(0, at + 1), one.second + slotSeconds - 1)[0];
          if (judged?.path === undefined) return [];
          quietUntil = one.second + cooldownMs / 1000;
          return [
            { atSecond: one.second, condition: condition.name, path: judged.path, figures: judged.figures },
          ];
        });
      });
      const inOrder = CONDITIONS.flatMap(({ name }) => found.filter(({ condition }) => condition === name));
      t.ok(expected.length > 3);
      t.same(inOrder, expected, `slots of ${slotSeconds} s`);
    }
  },
);

void t.test('a dry run over nothing finds nothing, and one that always trips ends', async (t) => {
  t.same(dryRun(CONDITIONS, [], { slotSeconds: 5, cooldownMs: 0 }), []);
  t.same(dryRun([], seconds(1, 50, even(counts(20, 20))), { slotSeconds: 1, cooldownMs: 0 }), []);
  const bad = seconds(1, DRY_TRIPS_MAX + 20, even(counts(20, 20)));
  const trips = dryRun([made('errorRate', 0.05, { windows: { over: 1, of: 1 }, windowMs: 2000 })], bad, {
    slotSeconds: 1,
    cooldownMs: 0,
  });
  t.equal(trips.length, DRY_TRIPS_MAX);
});
