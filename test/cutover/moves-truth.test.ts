import fc from 'fast-check';
import t from 'tap';
import { goesOn, movesTruth, needsEveryGateway } from '../../src/cutover/moves-truth.ts';
import { decide } from '../../src/decision/decide.ts';
import { bucketOf, rampSeed } from '../../src/decision/ramp.ts';
import type { Backend, Cohort, UserRecord } from '../../src/model.ts';
import { RAMP_BUCKETS, STAGES } from '../../src/model.ts';
import { cohort, facts, snapshot } from '../decision/fixtures.ts';

const SALT = 'movers';

/** A user for every bucket, so that whether anybody moves can be asked of all of them. */
function userOfEachBucket(): readonly string[] {
  const users: string[] = [];
  const seed = rampSeed(SALT);
  let found = 0;
  for (let n = 0; found < RAMP_BUCKETS; n += 1) {
    const bucket = bucketOf(seed, `user ${n}`);
    if (users[bucket] !== undefined) continue;
    users[bucket] = `user ${n}`;
    found += 1;
  }
  return users;
}

const USERS = userOfEachBucket();
const ORDINALS_MAX = 6;

const anyRamp = fc.oneof(
  fc
    .oneof(fc.constantFrom(0, 1, RAMP_BUCKETS - 1, RAMP_BUCKETS), fc.nat({ max: RAMP_BUCKETS }))
    .map((buckets) => ({ kind: 'percent', buckets }) as const),
  fc.nat({ max: ORDINALS_MAX }).map((count) => ({ kind: 'count', count }) as const),
);
const anyChange = fc.record({ stage: fc.constantFrom(...STAGES), ramp: anyRamp });
const anyMigration = fc.constantFrom('cohort', 'per-user');

function ownerUnder(of: Cohort, user: string, record: UserRecord): Backend {
  return decide(facts('write', user), snapshot([of]), record, 'legacy').target;
}

/** Buckets next to the ends of both ramps; in between everybody fares alike. */
function bucketsToAsk(...of: readonly Cohort[]): number[] {
  const ends = of.flatMap(({ ramp }) => (ramp.kind === 'percent' ? [ramp.buckets - 1, ramp.buckets] : []));
  return [0, ...ends, RAMP_BUCKETS - 1].filter((bucket) => bucket >= 0 && bucket < RAMP_BUCKETS);
}

type Moves = (before: Backend, after: Backend) => boolean;

/** Whether there is a user whose owners before and after are so. */
function isThere(before: Cohort, after: Cohort, moves: Moves): boolean {
  for (const state of [undefined, 'migrated'] as const) {
    for (const bucket of bucketsToAsk(before, after)) {
      for (let ordinal = -1; ordinal < ORDINALS_MAX; ordinal += 1) {
        const membership =
          ordinal < 0
            ? ({ cohort: SALT, ordinal: undefined, by: 'rule' } as const)
            : ({ cohort: SALT, ordinal, by: 'explicit' } as const);
        const record = { state, pin: undefined, membership, newId: undefined };
        const user = USERS[bucket] ?? '';
        if (moves(ownerUnder(before, user, record), ownerUnder(after, user, record))) return true;
      }
    }
  }
  return false;
}

void t.test('a truth moves exactly when the decision sends somebody to the other backend', async (t) => {
  fc.assert(
    fc.property(anyChange, anyChange, anyMigration, (from, to, migration) => {
      const before = cohort({ name: SALT, salt: SALT, migration, ...from });
      const after = cohort({ name: SALT, salt: SALT, migration, ...to });
      return movesTruth(before, after) === isThere(before, after, (one, other) => one !== other);
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});

void t.test(
  'a cohort goes on exactly when somebody comes to new, or its stage there is a later one',
  async (t) => {
    fc.assert(
      fc.property(anyChange, anyChange, anyMigration, (from, to, migration) => {
        const before = cohort({ name: SALT, salt: SALT, migration, ...from });
        const after = cohort({ name: SALT, salt: SALT, migration, ...to });
        const isLater = STAGES.indexOf(to.stage) > Math.max(2, STAGES.indexOf(from.stage));
        const comes = isThere(before, after, (one, other) => one === 'legacy' && other === 'new');
        return goesOn(before, after) === (comes || isLater);
      }),
      { numRuns: 2_000 },
    );
    t.pass();
  },
);

void t.test('stages on the same side move nobody, whatever the ramp does', async (t) => {
  const half = { kind: 'percent', buckets: 5_000 } as const;
  for (const [from, to] of [
    ['off', 'shadow'],
    ['dualwrite', 'off'],
    ['rampdown', 'complete'],
  ] as const) {
    t.notOk(movesTruth(cohort({ stage: from, ramp: half }), cohort({ stage: to })), `${from} to ${to}`);
  }
  t.notOk(movesTruth(cohort({ stage: 'live' }), cohort({ stage: 'rampdown' })));
  t.ok(movesTruth(cohort({ stage: 'live', ramp: half }), cohort({ stage: 'rampdown' })), 'the other half');
});

void t.test('only what leaves off or complete needs every gateway', async (t) => {
  const stages = STAGES.filter((stage) => needsEveryGateway(cohort({ stage }), cohort({ stage: 'live' })));
  t.same(stages, ['off', 'complete']);
  t.notOk(needsEveryGateway(cohort({ stage: 'off' }), cohort({ stage: 'off', mirror: false })));
});
