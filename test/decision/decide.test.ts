import t from 'tap';
import { decide } from '../../src/decision/decide.ts';
import { bucketOf, rampSeed } from '../../src/decision/ramp.ts';
import type { Backend, Decision, Ramp, RequestClass, Rule, Stage, UserState } from '../../src/model.ts';
import { ABSENT_RECORD, STAGES } from '../../src/model.ts';
import { attributes, cohort, facts, member, placed, ROUTE, record, snapshot } from './fixtures.ts';

const codes = (decision: Decision): string[] => decision.reasons.map((reason) => reason.code);
const HOLD = { change: 'c-7', epoch: 7 };

/** The table of the stages, written out: what a user gets for whom the stage is in effect. */
const TABLE: readonly (readonly [Stage, RequestClass, Backend, Backend | undefined, Backend | undefined])[] =
  [
    ['off', 'read', 'legacy', undefined, undefined],
    ['off', 'write', 'legacy', undefined, undefined],
    ['dualwrite', 'read', 'legacy', undefined, undefined],
    ['dualwrite', 'write', 'legacy', undefined, 'new'],
    ['shadow', 'read', 'legacy', 'new', undefined],
    ['shadow', 'write', 'legacy', undefined, 'new'],
    ['live', 'read', 'new', 'legacy', undefined],
    ['live', 'write', 'new', undefined, 'legacy'],
    ['rampdown', 'read', 'new', undefined, undefined],
    ['rampdown', 'write', 'new', undefined, 'legacy'],
    ['complete', 'read', 'new', undefined, undefined],
    ['complete', 'write', 'new', undefined, undefined],
  ];
const BEFORE: Record<Stage, Stage> = {
  off: 'off',
  dualwrite: 'off',
  shadow: 'dualwrite',
  live: 'shadow',
  rampdown: 'live',
  complete: 'rampdown',
};

function expectedOf(stage: Stage, requestClass: RequestClass): object {
  const row = TABLE.find(([s, c]) => s === stage && c === requestClass);
  return { target: row?.[2], shadow: row?.[3], mirror: row?.[4], stage };
}

const bucket = bucketOf(rampSeed('everyone'), 'alice');
const ramps: readonly (readonly [string, boolean, Ramp])[] = [
  ['a full ramp', true, { kind: 'percent', buckets: 10_000 }],
  ['inside a ramp by the last bucket', true, { kind: 'percent', buckets: bucket + 1 }],
  ['outside a ramp by one bucket', false, { kind: 'percent', buckets: bucket }],
  ['an empty ramp', false, { kind: 'percent', buckets: 0 }],
  ['the last one in a count', true, { kind: 'count', count: 5 }],
  ['the first one not in a count', false, { kind: 'count', count: 4 }],
];

for (const stage of STAGES) {
  for (const requestClass of ['read', 'write'] as const) {
    for (const [name, inside, ramp] of ramps) {
      void t.test(`${stage}, ${requestClass}, ${name}`, async (t) => {
        const state = snapshot([cohort({ stage, ramp })]);
        const decision = decide(facts(requestClass, 'alice'), state, member('everyone', 4), 'legacy');
        t.match(decision, expectedOf(inside ? stage : BEFORE[stage], requestClass));
        t.match(decision, { held: false, ownerUnknown: false, cohort: 'everyone', place: undefined });
        const ramped = decision.reasons.find((reason) => reason.code.startsWith('ramp-'));
        if (stage === 'off' || name === 'a full ramp') t.equal(ramped, undefined);
        else t.match(ramped, { inside, stage: inside ? stage : BEFORE[stage] });
      });
    }
  }
}

void t.test('a route with a backend of its own goes there, whoever the user is', async (t) => {
  const state = snapshot([cohort({ stage: 'live' })], {
    cohorts: { everyone: HOLD },
    users: { alice: HOLD },
  });
  const route = { ...ROUTE, name: 'static', backend: 'legacy' as const };
  const pinned = record({ pin: 'new', membership: { cohort: 'everyone', ordinal: 0, by: 'explicit' } });
  t.strictSame(decide(facts('write', 'alice', { route }), state, pinned, 'new'), {
    target: 'legacy',
    shadow: undefined,
    mirror: undefined,
    held: false,
    ownerUnknown: false,
    cohort: undefined,
    stage: undefined,
    place: undefined,
    reasons: [{ code: 'route-backend', route: 'static', backend: 'legacy' }],
  });
});

void t.test(
  'a request without a user goes where the anonymous policy says, and is neither copied nor held',
  async (t) => {
    const state = snapshot([cohort({ stage: 'live', isDefault: true })], { cohorts: { everyone: HOLD } });
    for (const backend of ['legacy', 'new'] as const) {
      const decision = decide(facts('write', undefined), state, ABSENT_RECORD, backend);
      t.match(decision, {
        target: backend,
        held: false,
        shadow: undefined,
        mirror: undefined,
        cohort: undefined,
      });
      t.strictSame(decision.reasons, [{ code: 'anonymous', backend }]);
    }
  },
);

void t.test('a pin against the stage wins, and stops the copies', async (t) => {
  const state = snapshot([cohort({ stage: 'live' })]);
  const pinned = record({ ...member('everyone'), pin: 'legacy' });
  for (const requestClass of ['read', 'write'] as const) {
    const decision = decide(facts(requestClass, 'alice'), state, pinned, 'legacy');
    t.match(decision, { target: 'legacy', shadow: undefined, mirror: undefined, stage: 'live' });
    t.strictSame(codes(decision), ['pin', 'cohort-member', 'stage']);
  }
});

void t.test('a pin that agrees with the stage changes nothing: the copies go on', async (t) => {
  const state = snapshot([cohort({ stage: 'live' })]);
  const pinned = record({ ...member('everyone'), pin: 'new' });
  t.match(decide(facts('read', 'alice'), state, pinned, 'legacy'), { target: 'new', shadow: 'legacy' });
  t.match(decide(facts('write', 'alice'), state, pinned, 'legacy'), { target: 'new', mirror: 'legacy' });
});

void t.test('a pinned user without a cohort goes where the pin says', async (t) => {
  const decision = decide(facts('write', 'alice'), snapshot([]), record({ pin: 'new' }), 'legacy');
  t.match(decision, { target: 'new', held: false, cohort: undefined });
  t.strictSame(codes(decision), ['pin', 'no-cohort']);
});

void t.test(
  'membership comes before rules, the first rule before the others, and the default last',
  async (t) => {
    const isPaid: Rule = { kind: 'in', attribute: { source: 'claim', name: 'plan' }, values: ['paid'] };
    const hasPlan: Rule = { kind: 'exists', attribute: { source: 'claim', name: 'plan' } };
    const state = snapshot([
      cohort({ name: 'branch', stage: 'shadow' }),
      cohort({ name: 'paid', rule: isPaid }),
      cohort({ name: 'any-plan', rule: hasPlan }),
      cohort({ isDefault: true }),
    ]);
    const paid = { attributes: attributes({ 'claim.plan': 'paid' }) };
    const free = { attributes: attributes({ 'claim.plan': 'free' }) };
    const cases = [
      [decide(facts('read', 'u', paid), state, member('branch'), 'legacy'), 'branch', 'cohort-member'],
      [decide(facts('read', 'u', paid), state, ABSENT_RECORD, 'legacy'), 'paid', 'cohort-rule'],
      [decide(facts('read', 'u', free), state, ABSENT_RECORD, 'legacy'), 'any-plan', 'cohort-rule'],
      [decide(facts('read', 'u'), state, ABSENT_RECORD, 'legacy'), 'everyone', 'cohort-default'],
    ] as const;
    for (const [decision, name, code] of cases) {
      t.equal(decision.cohort, name);
      t.strictSame(codes(decision), [code, 'stage']);
    }
    t.match(decide(facts('read', 'u'), state, placed('branch'), 'legacy').reasons, [{ by: 'rule' }]);
  },
);

void t.test('a user of no cohort stays on legacy, for it has never been moved', async (t) => {
  const decision = decide(
    facts('write', 'alice'),
    snapshot([cohort({ stage: 'live' })]),
    ABSENT_RECORD,
    'new',
  );
  t.match(decision, {
    target: 'legacy',
    cohort: undefined,
    held: false,
    ownerUnknown: false,
    place: undefined,
  });
  t.strictSame(codes(decision), ['no-cohort']);
});

void t.test(
  'membership of a cohort that the map does not have: writes wait, reads are refused, no rule is tried',
  async (t) => {
    const state = snapshot([cohort({ stage: 'live', isDefault: true })]);
    const write = decide(facts('write', 'alice'), state, member('gone'), 'legacy');
    t.match(write, {
      held: true,
      ownerUnknown: true,
      cohort: undefined,
      place: undefined,
      mirror: undefined,
    });
    t.strictSame(write.reasons, [
      { code: 'cohort-unknown', cohort: 'gone' },
      { code: 'hold', scope: 'cohort', change: undefined },
    ]);
    const read = decide(facts('read', 'alice'), state, member('gone'), 'legacy');
    t.match(read, { held: false, ownerUnknown: true, shadow: undefined });
    t.strictSame(codes(read), ['cohort-unknown']);
    const pinned = decide(
      facts('write', 'alice'),
      state,
      record({ ...member('gone'), pin: 'new' }),
      'legacy',
    );
    t.match(pinned, { target: 'new', held: false, ownerUnknown: false });
  },
);

void t.test('in a per-user cohort only a migrated user has the stage of the cohort', async (t) => {
  const states: readonly (UserState | undefined)[] = [undefined, 'migrating', 'migrated', 'failed'];
  for (const stage of STAGES) {
    const state = snapshot([cohort({ stage, migration: 'per-user' })]);
    for (const userState of states) {
      for (const requestClass of ['read', 'write'] as const) {
        const known = record({ ...member('everyone'), state: userState });
        const decision = decide(facts(requestClass, 'alice'), state, known, 'legacy');
        const effective = userState === 'migrated' ? stage : 'off';
        t.match(decision, expectedOf(effective, requestClass), `${stage} ${userState} ${requestClass}`);
        t.match(decision.reasons[2], { code: 'user-state', state: userState, stage: effective });
        t.equal(decision.held, userState === 'migrating' && requestClass === 'write');
      }
    }
  }
});

void t.test('in a cohort that moves as a whole the state of a user says nothing', async (t) => {
  const known = record({ ...member('everyone'), state: 'migrating' });
  const decision = decide(facts('write', 'alice'), snapshot([cohort({ stage: 'live' })]), known, 'legacy');
  t.match(decision, { target: 'new', held: false });
  t.strictSame(codes(decision), ['cohort-member', 'stage']);
});

void t.test('holds stop writes and let reads go on, for a pinned user too', async (t) => {
  const held = [
    [snapshot([cohort({ stage: 'live' })], { cohorts: { everyone: HOLD } }), 'cohort'],
    [snapshot([cohort({ stage: 'live' })], { users: { alice: HOLD } }), 'user'],
  ] as const;
  for (const [state, scope] of held) {
    for (const pin of [undefined, 'legacy', 'new'] as const) {
      const known = record({ ...member('everyone'), pin });
      const write = decide(facts('write', 'alice'), state, known, 'legacy');
      t.equal(write.held, true);
      t.strictSame(write.reasons.at(-1), { code: 'hold', scope, change: 'c-7' });
      const read = decide(facts('read', 'alice'), state, known, 'legacy');
      t.equal(read.held, false);
      t.notMatch(codes(read), ['hold']);
      t.equal(read.target, pin ?? 'new');
    }
  }
  const other = snapshot([cohort()], { users: { bob: HOLD }, cohorts: { another: HOLD } });
  t.equal(decide(facts('write', 'alice'), other, member('everyone'), 'legacy').held, false);
});

void t.test(
  'a user hold stops the writes of a user without a cohort, and of one whose cohort is unknown',
  async (t) => {
    const state = snapshot([], { users: { alice: HOLD } });
    for (const known of [ABSENT_RECORD, record({ pin: 'new' }), member('gone')]) {
      const decision = decide(facts('write', 'alice'), state, known, 'legacy');
      t.equal(decision.held, true);
      t.match(decision.reasons.at(-1), { code: 'hold', scope: 'user', change: 'c-7' });
    }
  },
);

void t.test('copies are made only where the route and the cohort ask for them', async (t) => {
  const state = snapshot([
    cohort({ stage: 'live' }),
    cohort({ name: 'alone', stage: 'live', mirror: false }),
  ]);
  const plain = { route: { ...ROUTE, shadow: false, mirror: false } };
  t.equal(decide(facts('read', 'u', plain), state, member('everyone'), 'legacy').shadow, undefined);
  t.equal(decide(facts('write', 'u', plain), state, member('everyone'), 'legacy').mirror, undefined);
  t.equal(decide(facts('write', 'u'), state, member('alone'), 'legacy').mirror, undefined);
  t.equal(decide(facts('read', 'u'), state, member('alone'), 'legacy').shadow, 'legacy');
});

void t.test('the ramp hashes the sticky key where there is one', async (t) => {
  const state = snapshot([cohort({ stage: 'live', ramp: { kind: 'percent', buckets: bucket + 1 } })]);
  const decision = decide(facts('read', 'bob', { stickyKey: 'alice' }), state, member('everyone'), 'legacy');
  t.match(decision.reasons[2], { code: 'ramp-bucket', bucket, inside: true });
});

void t.test('a ramp by count leaves out a member whom a rule placed', async (t) => {
  const state = snapshot([cohort({ stage: 'live', ramp: { kind: 'count', count: 1_000 } })]);
  const decision = decide(facts('read', 'alice'), state, placed('everyone'), 'legacy');
  t.match(decision, { target: 'legacy', stage: 'shadow' });
  t.match(decision.reasons[2], { code: 'ramp-count', inside: false, ordinal: undefined, count: 1_000 });
});
