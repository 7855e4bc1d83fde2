import t from 'tap';
import { hasUsersOnNew, isTracked, nextEra } from '../../src/cutover/era.ts';
import type { Cohort, Ramp, Stage } from '../../src/model.ts';

const ALL: Ramp = { kind: 'percent', buckets: 10_000 };

function cohort(stage: Stage, era?: Cohort['era'], ramp = ALL): Cohort {
  return {
    name: 'sydney',
    stage,
    ramp,
    salt: 'sydney',
    rule: undefined,
    isDefault: false,
    migration: 'cohort',
    mirror: false,
    ...(era === undefined ? {} : { era }),
  };
}

/** The cohort after each of these stages in turn, eras written as a change writes them. */
function through(first: Stage, ...rest: readonly (Stage | Cohort)[]): Cohort {
  let now: Cohort = { ...cohort(first), era: nextEra(undefined, cohort(first)) };
  for (const each of rest) {
    const next = typeof each === 'string' ? cohort(each) : each;
    now = { ...next, era: nextEra(now, next) };
  }
  return now;
}

void t.test('a cohort that nobody ever left legacy with has no era', async (t) => {
  t.equal(through('off', 'dualwrite', 'shadow', 'off').era, undefined);
});

void t.test(
  'an era begins when the first users come to new, and lasts as long as any are there',
  async (t) => {
    t.strictSame(through('shadow', 'live').era, { number: 1, tracked: true });
    t.strictSame(through('shadow', 'live', 'rampdown', 'live').era, { number: 1, tracked: true });
    const some: Ramp = { kind: 'percent', buckets: 100 };
    t.strictSame(through('shadow', cohort('live', undefined, some), 'live').era, {
      number: 1,
      tracked: true,
    });
  },
);

void t.test('after everybody went back the next one to come begins another era', async (t) => {
  t.strictSame(through('live', 'shadow').era, { number: 1, tracked: true });
  t.strictSame(through('live', 'shadow', 'live').era, { number: 2, tracked: true });
  const nobody: Ramp = { kind: 'count', count: 0 };
  t.strictSame(through('live', cohort('live', undefined, nobody), 'live').era, { number: 2, tracked: true });
});

void t.test('complete makes it untracked until nobody is on new any more', async (t) => {
  t.strictSame(through('live', 'complete').era, { number: 1, tracked: false });
  t.strictSame(through('live', 'complete', 'rampdown', 'live').era, { number: 1, tracked: false });
  t.strictSame(through('live', 'complete', 'live', 'shadow').era, { number: 1, tracked: true });
  t.strictSame(through('live', 'complete', 'off', 'live').era, { number: 2, tracked: true });
  t.strictSame(through('complete').era, { number: 1, tracked: false });
});

void t.test('a cohort that an older version left on new is untracked', async (t) => {
  t.strictSame(nextEra(cohort('live'), cohort('rampdown')), { number: 1, tracked: false });
  t.equal(isTracked(cohort('live')), false);
  t.equal(isTracked(cohort('shadow')), true);
  t.equal(nextEra(cohort('live'), cohort('shadow')), undefined);
});

void t.test('a ramp that admits nobody has nobody on new, unless those outside are there too', async (t) => {
  t.equal(hasUsersOnNew(cohort('live', undefined, { kind: 'percent', buckets: 0 })), false);
  t.equal(hasUsersOnNew(cohort('rampdown', undefined, { kind: 'percent', buckets: 0 })), true);
  t.equal(hasUsersOnNew(cohort('shadow')), false);
});
