import fc from 'fast-check';
import t from 'tap';
import { rampOf } from '../../src/admin/ramp-form.ts';
import { movesTruth } from '../../src/cutover/moves-truth.ts';
import { RAMP_BUCKETS, STAGES } from '../../src/model.ts';
import { type Known, movement, movementInWords, type StageAndRamp } from '../../src/wording/movement.ts';
import { cohortNamed } from '../admin/fake-control.ts';

const at = (stage: StageAndRamp['stage'], ramp: StageAndRamp['ramp'] = '100%'): StageAndRamp => ({
  stage,
  ramp,
});
const toNew = (whose: string) => `${whose}: reads and writes move from legacy to new`;
const toLegacy = (whose: string) => `${whose}: reads and writes move from new to legacy`;
const inWords = (
  before: StageAndRamp,
  after: StageAndRamp,
  known?: Known,
  migration: 'cohort' | 'per-user' = 'cohort',
) => movementInWords({ name: 'c', migration, known }, movement(before, after));

void t.test('who moves is said in words, and in which direction', async (t) => {
  const cases: [StageAndRamp, StageAndRamp, string][] = [
    [at('off'), at('live'), toNew('all users of cohort c')],
    [at('shadow', '50%'), at('live', '50%'), toNew('50 % of the users of cohort c')],
    [at('live', '10%'), at('live', '12.5%'), toNew('2.5 % of the users of cohort c')],
    [at('live', '12.5%'), at('live', '10%'), toLegacy('2.5 % of the users of cohort c')],
    [at('live', '30%'), at('off', '30%'), toLegacy('30 % of the users of cohort c')],
    [at('live', '30%'), at('rampdown', '30%'), toNew('70 % of the users of cohort c')],
    [at('complete'), at('shadow'), toLegacy('all users of cohort c')],
    [at('shadow', 100), at('live', 1_000), toNew('the first 1,000 users of cohort c')],
    [at('live', 100), at('live', 1_000), toNew('900 users of cohort c')],
    [at('live', 1_000), at('live', 100), toLegacy('900 users of cohort c')],
    [at('live', 100), at('rampdown', 100), toNew('all users of cohort c but the first 100')],
    [
      at('live', 100),
      at('live', '10%'),
      `${toNew('some users of cohort c')}; ${toLegacy('some users of cohort c')}`,
    ],
    [at('live', 100), at('live', '100%'), toNew('all users of cohort c but the first 100')],
  ];
  for (const [before, after, expected] of cases) {
    t.equal(inWords(before, after), expected, JSON.stringify([before, after]));
  }
  const moved = 'all users of cohort c whose data was moved';
  t.equal(inWords(at('off'), at('live'), undefined, 'per-user'), toNew(moved));
});

void t.test('where it is known how many there are, it is said', async (t) => {
  const [off, live] = [at('off'), at('live')];
  t.equal(inWords(off, live, { count: 1_204, more: false }), toNew('1,204 users of cohort c'));
  t.equal(inWords(off, live, { count: 1, more: false }), toNew('1 user of cohort c'));
  t.equal(inWords(off, live, { count: 10_000, more: true }), toNew('more than 10,000 users of cohort c'));
  const half = inWords(at('off', '50%'), at('live', '50%'), { count: 1_204, more: false });
  t.equal(half, toNew('50 % of the 1,204 users of cohort c'));
});

void t.test('nobody moves between stages with one owner, nor by an empty ramp', async (t) => {
  const cases: [StageAndRamp, StageAndRamp][] = [
    [at('off'), at('dualwrite')],
    [at('shadow', '10%'), at('dualwrite', 7)],
    [at('live'), at('rampdown')],
    [at('rampdown', '10%'), at('complete', '10%')],
    [at('shadow'), at('live', '0%')],
    [at('live', 0), at('off')],
    [at('live', '10%'), at('live', '10%')],
  ];
  for (const [before, after] of cases) t.same(movement(before, after), [], JSON.stringify([before, after]));
});

void t.test('it asks exactly where the cutover holds writes', async (t) => {
  const ramp = fc.oneof(
    fc.integer({ min: 0, max: RAMP_BUCKETS }).map((buckets) => `${buckets / 100}%`),
    fc.constantFrom('0%', '100%'),
    fc.integer({ min: 0, max: 100 }),
  );
  const place = fc.record({ stage: fc.constantFrom(...STAGES), ramp });
  const migration = fc.constantFrom('cohort' as const, 'per-user' as const);
  fc.assert(
    fc.property(place, place, migration, (before, after, migration) => {
      const [a, b] = [before, after].map(({ stage, ramp: form }) =>
        cohortNamed('c', stage, { ramp: rampOf(form), migration }),
      );
      if (a === undefined || b === undefined) return false;
      return movesTruth(a, b) === movement(before, after).length > 0;
    }),
  );
  t.pass('for every pair of stages and ramps that was tried');
});
