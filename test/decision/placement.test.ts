import t from 'tap';
import { decide } from '../../src/decision/decide.ts';
import { bucketOf, rampSeed } from '../../src/decision/ramp.ts';
import type { Cohort, Rule, UserRecord } from '../../src/model.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import { attributes, cohort, facts, member, record, snapshot } from './fixtures.ts';

const isPaid: Rule = { kind: 'in', attribute: { source: 'claim', name: 'plan' }, values: ['paid'] };
const PAID = { attributes: attributes({ 'claim.plan': 'paid' }) };
const bucket = bucketOf(rampSeed('paid'), 'alice');

function ruled(changes: Partial<Cohort>): Cohort {
  return cohort({ name: 'paid', salt: 'paid', rule: isPaid, ...changes });
}

/** Whom a paying and a not paying request of alice is recorded as a member of. */
function places(cohorts: readonly Cohort[], known: UserRecord = ABSENT_RECORD): (string | undefined)[] {
  const state = snapshot(cohorts);
  return [PAID, {}].map((more) => decide(facts('read', 'alice', more), state, known, 'legacy').place);
}

const NOBODY = [undefined, undefined];

void t.test('a user is recorded where other attributes could send it to the other backend', async (t) => {
  t.strictSame(places([ruled({ stage: 'live' }), cohort({ isDefault: true })]), ['paid', 'everyone']);
  t.strictSame(places([ruled({}), cohort({ isDefault: true, stage: 'complete' })]), ['paid', 'everyone']);
});

void t.test('nobody is recorded while every cohort within reach has the same truth', async (t) => {
  t.strictSame(places([ruled({ stage: 'shadow' }), cohort({ isDefault: true })]), NOBODY);
  t.strictSame(places([ruled({ stage: 'live' }), cohort({ isDefault: true, stage: 'complete' })]), NOBODY);
  t.strictSame(places([cohort({ isDefault: true, stage: 'live' })]), NOBODY, 'a default cohort alone');
});

void t.test('without a default cohort a user who meets no rule is on legacy, and counts so', async (t) => {
  t.strictSame(places([ruled({ stage: 'live' })]), ['paid', undefined]);
  t.strictSame(places([ruled({ stage: 'shadow' })]), NOBODY);
});

void t.test('in a partial ramp it depends on the bucket of the user', async (t) => {
  const onRamp = (buckets: number): Cohort[] => [
    ruled({ stage: 'live', ramp: { kind: 'percent', buckets } }),
    cohort({ isDefault: true }),
  ];
  t.strictSame(places(onRamp(bucket + 1)), ['paid', 'everyone']);
  t.strictSame(places(onRamp(bucket)), NOBODY);
  t.strictSame(places(onRamp(0)), NOBODY);
  const rampdown = ruled({ stage: 'rampdown', ramp: { kind: 'percent', buckets: 1 } });
  t.strictSame(places([rampdown, cohort({ isDefault: true, stage: 'live' })]), NOBODY, 'both sides are new');
});

void t.test('a ramp by count admits nobody whom a rule places', async (t) => {
  const counted = ruled({ stage: 'live', ramp: { kind: 'count', count: 1_000_000 } });
  t.strictSame(places([counted, cohort({ isDefault: true })]), NOBODY);
  t.strictSame(places([counted, cohort({ isDefault: true, stage: 'live' })]), ['paid', 'everyone']);
});

void t.test('in a per-user cohort it depends on the state of the user', async (t) => {
  const cohorts = [ruled({ stage: 'live', migration: 'per-user' }), cohort({ isDefault: true })];
  t.strictSame(places(cohorts), NOBODY);
  t.strictSame(places(cohorts, record({ state: 'failed' })), NOBODY);
  t.strictSame(places(cohorts, record({ state: 'migrated' })), ['paid', 'everyone']);
});

void t.test('a member and a pinned user are not recorded again', async (t) => {
  const cohorts = [ruled({ stage: 'live' }), cohort({ isDefault: true })];
  t.strictSame(places(cohorts, member('everyone')), NOBODY);
  t.strictSame(places(cohorts, record({ pin: 'legacy' })), NOBODY);
});
