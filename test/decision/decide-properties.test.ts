import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../src/decision/decide.ts';
import { explain, explainAsJson } from '../../src/decision/explain.ts';
import { bucketOf, rampSeed } from '../../src/decision/ramp.ts';
import type {
  AttributeRef,
  Backend,
  Cohort,
  Decision,
  Facts,
  Ramp,
  Rule,
  Snapshot,
  Stage,
  UserRecord,
} from '../../src/model.ts';
import { RAMP_BUCKETS, STAGES } from '../../src/model.ts';
import { attributes, cohort, facts, member, placed, record, snapshot } from './fixtures.ts';

const NAMES = ['a', 'b', 'c', 'everyone'];
const backend = fc.constantFrom<Backend>('legacy', 'new');
const stage = fc.constantFrom<Stage>(...STAGES);
const maybe = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(some, { nil: undefined });
const user = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'binary', minLength: 1 }));
const percent = fc
  .oneof(fc.nat(RAMP_BUCKETS), fc.constantFrom(0, RAMP_BUCKETS))
  .map((buckets): Ramp => ({ kind: 'percent', buckets }));
const ramp = fc.oneof(
  percent,
  fc.nat(20).map((count): Ramp => ({ kind: 'count', count })),
);

const attribute: fc.Arbitrary<AttributeRef> = fc.record({
  source: fc.constantFrom('header', 'claim', 'cookie', 'query', 'path'),
  name: fc.constantFrom('plan', 'x'),
});
const value = fc.constantFrom('free', 'paid', '');
const { rule } = fc.letrec<{ rule: Rule }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ kind: fc.constant('in' as const), attribute, values: fc.array(value) }),
    fc.record({ kind: fc.constant('prefix' as const), attribute, prefix: value }),
    fc.record({ kind: fc.constant('exists' as const), attribute }),
    fc.record({ kind: fc.constant('all' as const), rules: fc.array(tie('rule'), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('any' as const), rules: fc.array(tie('rule'), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('not' as const), rule: tie('rule') }),
  ),
}));

const someCohort = fc.record<Cohort>({
  name: fc.constantFrom(...NAMES),
  stage,
  ramp,
  salt: fc.string(),
  rule: maybe(rule),
  isDefault: fc.boolean(),
  migration: fc.constantFrom('cohort', 'per-user'),
  mirror: fc.boolean(),
});
const hold = fc.record({ change: fc.string(), epoch: fc.nat() });
const someSnapshot = (users: readonly string[]): fc.Arbitrary<Snapshot> =>
  fc
    .tuple(
      fc.uniqueArray(someCohort, { selector: (one) => one.name, maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...NAMES), hold),
      fc.dictionary(fc.constantFrom(...users), hold),
    )
    .map(([cohorts, cohortHolds, userHolds]) =>
      snapshot(cohorts, { cohorts: cohortHolds, users: userHolds }),
    );
const someRecord = fc.record<UserRecord>({
  state: fc.constantFrom(undefined, 'migrating', 'migrated', 'failed'),
  pin: maybe(backend),
  membership: maybe(
    fc.record({
      cohort: fc.constantFrom(...NAMES, 'gone'),
      ordinal: maybe(fc.nat(30)),
      by: fc.constantFrom('explicit', 'rule'),
    }),
  ),
  newId: maybe(fc.string()),
});
const someAttributes = fc
  .dictionary(fc.constantFrom('header.plan', 'claim.plan', 'claim.x', 'cookie.x', 'query.plan'), value)
  .map(attributes);
const someFacts: fc.Arbitrary<Facts> = fc.record({
  route: fc.record({
    name: fc.string(),
    backend: fc.option(backend, { nil: undefined, freq: 10 }),
    shadow: fc.boolean(),
    mirror: fc.boolean(),
  }),
  class: fc.constantFrom('read', 'write'),
  user: fc.option(fc.oneof(fc.constantFrom('alice', 'bob'), user), { nil: undefined, freq: 10 }),
  attributes: someAttributes,
  stickyKey: fc.option(user, { nil: undefined, freq: 3 }),
});

const everything = fc.tuple(someFacts, someSnapshot(['alice', 'bob']), someRecord, backend);

void t.test('every input gives a decision with reasons, each of which can be told', async () => {
  fc.assert(
    fc.property(everything, (input) => {
      const decision = decide(...input);
      const sentences = explain(decision);
      return (
        decision.reasons.length > 0 &&
        sentences.length === decision.reasons.length &&
        sentences.every((sentence) => sentence.endsWith('.')) &&
        JSON.stringify(explainAsJson(decision)).length > 0
      );
    }),
    { numRuns: 5_000 },
  );
});

void t.test('the same input gives the same decision, also under a fresh copy of the snapshot', async (t) => {
  fc.assert(
    fc.property(everything, ([given, state, known, anonymous]) => {
      const copy: Snapshot = { ...state };
      t.strictSame(decide(given, state, known, anonymous), decide(given, copy, known, anonymous));
    }),
    { numRuns: 200 },
  );
});

void t.test('what is promised of every decision holds', async (t) => {
  fc.assert(
    fc.property(everything, ([given, state, known, anonymous]) => {
      const decision = decide(given, state, known, anonymous);
      const last = decision.reasons.at(-1);
      const has = (code: string): boolean => decision.reasons.some((reason) => reason.code === code);
      const broken: string[] = [];
      const expect = (what: string, holds: boolean): void => {
        if (!holds) broken.push(what);
      };
      const { shadow, mirror } = decision;
      expect('only writes are held', !decision.held || given.class === 'write');
      expect('held decisions end with the hold', decision.held === (last?.code === 'hold'));
      expect(
        'only reads are shadowed',
        shadow === undefined || (given.class === 'read' && given.route.shadow),
      );
      expect(
        'only writes are mirrored',
        mirror === undefined || (given.class === 'write' && given.route.mirror),
      );
      expect('no copy goes to the target', shadow !== decision.target && mirror !== decision.target);
      expect('a pin wins', !has('pin') || decision.target === known.pin);
      expect(
        'a cohort is named with its stage',
        (decision.cohort === undefined) === (decision.stage === undefined),
      );
      expect('members are not placed', decision.place === undefined || known.membership === undefined);
      expect(
        'a user is placed where it is',
        decision.place === undefined || decision.place === decision.cohort,
      );
      expect(
        'nobody guesses',
        has('cohort-unknown') ? decision.ownerUnknown === !has('pin') : !decision.ownerUnknown,
      );
      t.strictSame(broken, []);
    }),
    { numRuns: 2_000 },
  );
});

/** The buckets that the user gets under each stage, as the reasons tell it. */
function bucketOfReasons(decision: Decision): number | undefined {
  for (const reason of decision.reasons) if (reason.code === 'ramp-bucket') return reason.bucket;
  return undefined;
}

void t.test('raising a ramp never moves anybody out of it', async () => {
  fc.assert(
    fc.property(
      fc.string(),
      user,
      fc.nat(RAMP_BUCKETS),
      fc.nat(RAMP_BUCKETS),
      fc.constantFrom<Stage>('dualwrite', 'shadow', 'live', 'rampdown', 'complete'),
      (salt, key, one, other, at) => {
        const stageAt = (buckets: number): Stage | undefined => {
          const state = snapshot([cohort({ stage: at, salt, ramp: { kind: 'percent', buckets } })]);
          return decide(facts('read', key), state, member('everyone'), 'legacy').stage;
        };
        return stageAt(Math.min(one, other)) !== at || stageAt(Math.max(one, other)) === at;
      },
    ),
    { numRuns: 2_000 },
  );
});

void t.test('a ramp by count is monotonic too, and admits members in the order they were added', async () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(50), fc.nat(50), (ordinal, one, more) => {
      const inside = (count: number): boolean => {
        const state = snapshot([cohort({ stage: 'live', ramp: { kind: 'count', count } })]);
        return decide(facts('read', 'alice'), state, member('everyone', ordinal), 'legacy').stage === 'live';
      };
      return inside(one) === ordinal < one && (!inside(one) || inside(one + more));
    }),
  );
});

void t.test('a change of stage never reshuffles: the bucket stays', async () => {
  fc.assert(
    fc.property(fc.string(), user, percent, (salt, key, partial) => {
      const expected = bucketOf(rampSeed(salt), key);
      return STAGES.every((at) => {
        const state = snapshot([cohort({ stage: at, salt, ramp: partial })]);
        const bucket = bucketOfReasons(decide(facts('read', key), state, member('everyone'), 'legacy'));
        return bucket === undefined || bucket === expected;
      });
    }),
  );
});

void t.test('once recorded, a user stays where it was placed, whatever its attributes', async (t) => {
  fc.assert(
    fc.property(everything, someAttributes, ([given, state, known, anonymous], later) => {
      const first = decide(given, state, { ...known, membership: undefined }, anonymous);
      if (first.place === undefined) return;
      const recorded = { ...known, membership: placed(first.place).membership };
      const second = decide({ ...given, attributes: later }, state, recorded, anonymous);
      t.match(second, { target: first.target, cohort: first.cohort, stage: first.stage, place: undefined });
    }),
    { numRuns: 3_000 },
  );
});

void t.test('where nobody is recorded, other attributes lead to the same backend', async (t) => {
  fc.assert(
    fc.property(everything, someAttributes, ([given, state, known, anonymous], later) => {
      const stranger = record({ state: known.state });
      const first = decide(given, state, stranger, anonymous);
      // A user of no cohort cannot be recorded anywhere.
      if (first.place !== undefined || first.cohort === undefined) return;
      const second = decide({ ...given, attributes: later }, state, stranger, anonymous);
      t.equal(second.target, first.target);
    }),
    { numRuns: 3_000 },
  );
});
