import t from 'tap';
import { decide } from '../../src/decision/decide.ts';
import { consequences, explain, explainAsJson, sentenceOf } from '../../src/decision/explain.ts';
import type { Reason } from '../../src/model.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import { attributes, cohort, facts, member, snapshot } from './fixtures.ts';

/** One reason or more of every code. The type fails to compile when a code has none here. */
const EVERY_REASON: { readonly [C in Reason['code']]: readonly Extract<Reason, { code: C }>[] } = {
  'route-backend': [{ code: 'route-backend', route: 'static', backend: 'legacy' }],
  anonymous: [{ code: 'anonymous', backend: 'legacy' }],
  pin: [{ code: 'pin', backend: 'new' }],
  'cohort-member': [
    { code: 'cohort-member', cohort: 'beta', by: 'explicit' },
    { code: 'cohort-member', cohort: 'beta', by: 'rule' },
  ],
  'cohort-unknown': [{ code: 'cohort-unknown', cohort: 'beta' }],
  'cohort-rule': [{ code: 'cohort-rule', cohort: 'beta' }],
  'cohort-default': [{ code: 'cohort-default', cohort: 'beta' }],
  'no-cohort': [{ code: 'no-cohort' }],
  stage: [{ code: 'stage', cohort: 'beta', stage: 'live' }],
  'ramp-bucket': [
    { code: 'ramp-bucket', inside: true, bucket: 17, buckets: 1_250, stage: 'live' },
    { code: 'ramp-bucket', inside: false, bucket: 9_999, buckets: 1, stage: 'shadow' },
  ],
  'ramp-count': [
    { code: 'ramp-count', inside: true, ordinal: 0, count: 100, stage: 'live' },
    { code: 'ramp-count', inside: false, ordinal: undefined, count: 100, stage: 'shadow' },
  ],
  'user-state': [
    { code: 'user-state', state: undefined, stage: 'off' },
    { code: 'user-state', state: 'migrating', stage: 'off' },
    { code: 'user-state', state: 'migrated', stage: 'live' },
    { code: 'user-state', state: 'failed', stage: 'off' },
  ],
  hold: [
    { code: 'hold', scope: 'cohort', change: 'c-7' },
    { code: 'hold', scope: 'cohort', change: undefined },
    { code: 'hold', scope: 'user', change: 'c-7' },
    { code: 'hold', scope: 'migrating', change: undefined },
  ],
};

void t.test('every reason has a sentence of its own', async (t) => {
  const all = Object.values(EVERY_REASON).flat();
  const sentences = all.map(sentenceOf);
  for (const [index, sentence] of sentences.entries()) {
    t.match(sentence, /^[A-Z].{20,}\.$/, all[index]?.code ?? '');
    t.notMatch(sentence, /undefined|null|NaN/, sentence);
  }
  t.equal(new Set(sentences).size, all.length);
});

void t.test('the figures of a ramp are told as people count', async (t) => {
  const [byBucket] = EVERY_REASON['ramp-bucket'];
  const [byCount] = EVERY_REASON['ramp-count'];
  t.match(byBucket && sentenceOf(byBucket), /1250 of 10000 buckets \(12\.5 %\).*bucket is 17, inside it/);
  t.match(byCount && sentenceOf(byCount), /first 100 members.*number 1, inside it/);
});

void t.test('a decision is explained in the order of its reasons', async (t) => {
  const state = snapshot([cohort({ stage: 'live', ramp: { kind: 'percent', buckets: 0 } })], {
    users: { alice: { change: 'c-7', epoch: 7 } },
  });
  const decision = decide(facts('write', 'alice'), state, member('everyone'), 'legacy');
  t.strictSame(
    explain(decision).map((sentence) => sentence.slice(0, 24)),
    [
      'The user is a member of ',
      'Cohort "everyone" is at ',
      'The ramp admits the firs',
      'Writes of this user wait',
    ],
  );
  t.strictSame(consequences(decision), [
    'The write waits; by this decision it would then go to legacy.',
    'The write is to be replayed on new.',
  ]);
});

void t.test('the JSON form says absent things with null', async (t) => {
  const decision = decide(facts('read', 'alice'), snapshot([]), ABSENT_RECORD, 'legacy');
  t.strictSame(JSON.parse(JSON.stringify(explainAsJson(decision))), {
    target: 'legacy',
    shadow: null,
    mirror: null,
    held: false,
    ownerUnknown: false,
    cohort: null,
    stage: null,
    place: null,
    reasons: [
      {
        code: 'no-cohort',
        sentence:
          'The user belongs to no cohort and there is no default cohort, so nothing has moved it from legacy.',
        detail: {},
      },
    ],
  });
  const held = decide(facts('write', 'alice'), snapshot([]), member('gone'), 'legacy');
  t.match(explainAsJson(held).reasons[1], { code: 'hold', detail: { scope: 'cohort', change: null } });
});

void t.test('the consequences name copies, placement and refusals', async (t) => {
  const rule = { kind: 'exists', attribute: { source: 'claim', name: 'plan' } } as const;
  const state = snapshot([cohort({ name: 'paid', stage: 'live', rule }), cohort({ isDefault: true })]);
  const paid = { attributes: attributes({ 'claim.plan': 'paid' }) };
  t.match(consequences(decide(facts('read', 'alice', paid), state, ABSENT_RECORD, 'legacy')), [
    'The request goes to new.',
    /sent to legacy for comparison/,
    /recorded as a member of cohort "paid"/,
  ]);
  t.match(consequences(decide(facts('read', 'alice'), state, member('gone'), 'legacy')), [/read is refused/]);
  t.match(consequences(decide(facts('write', 'alice'), state, member('gone'), 'legacy')), [/write waits/]);
});
