import t from 'tap';
import { NO_RULES } from '../../src/comparison/compile-rules.ts';
import { signatureOf } from '../../src/comparison/signature.ts';
import { Redaction } from '../../src/reports/redaction.ts';
import type { StoredSample } from '../../src/reports/report-store.ts';
import { takeSample } from '../../src/reports/sample.ts';
import {
  concludeVerification,
  judgeWatch,
  type VerifiedSample,
  verifySample,
} from '../../src/reports/verify-group.ts';
import type { ReplayOutcome, ReplaysReads } from '../../src/shadow/read-replay.ts';
import type { ComparedRead, ShadowRequest } from '../../src/shadow/report-sink.ts';
import { answer, comparedRead } from './reads.ts';

const redaction = new Redaction(Buffer.alloc(32, 5), { paths: [], names: [] });
const READ = comparedRead(answer({ price: 1 }), answer({ price: 2 }));
const [DIFFERENCE] = READ.comparison.differences;
const SIGNATURE = DIFFERENCE === undefined ? '' : signatureOf('orders', DIFFERENCE);

function stored(over: Partial<ComparedRead> = {}): StoredSample {
  const sample = takeSample({ ...READ, ...over }, () => true, redaction);
  return { at: 1, expiresAt: 2, verdict: 'confirmed', sample };
}

function answering(outcome: ReplayOutcome, asked: ShadowRequest[] = []): ReplaysReads {
  return {
    replay: (request) => {
      asked.push(request);
      return Promise.resolve(outcome);
    },
  };
}

function compared(read: ComparedRead): ReplayOutcome {
  return { kind: 'compared', comparison: read.comparison, answers: read.answers };
}

async function outcomeOf(outcome: ReplayOutcome, of = stored()): Promise<VerifiedSample['outcome']> {
  return (await verifySample(of, SIGNATURE, answering(outcome), NO_RULES)).outcome;
}

await t.test('a replayed read tells whether the difference is still there', async (t) => {
  const same = comparedRead(answer({ price: 1 }), answer({ price: 1 }));
  const other = comparedRead(answer({ price: 1, a: 1 }), answer({ price: 1 }));
  t.strictSame(await outcomeOf(compared(READ)), { verdict: 'still_there' });
  t.strictSame(await outcomeOf(compared(same)), { verdict: 'gone' });
  t.strictSame(await outcomeOf(compared(other)), { verdict: 'gone' }, 'another difference is another group');
});

await t.test('two refusals are equal and prove nothing', async (t) => {
  const refused = comparedRead(answer({ e: 1 }, { status: 401 }), answer({ e: 1 }, { status: 401 }));
  t.strictSame(await outcomeOf(compared(refused)), { verdict: 'unknown', why: 'other_answer' });
});

await t.test('the data of another user, or data that has changed, proves nothing', async (t) => {
  const body = (price: number) => answer({ price });
  t.strictSame(await outcomeOf(compared(comparedRead(body(7), body(7)))), {
    verdict: 'unknown',
    why: 'other_answer',
  });
  const shown = (left: object, right: object, now: object) => {
    const read = comparedRead(answer(left), answer(right));
    const [difference] = read.comparison.differences;
    const signature = difference === undefined ? '' : signatureOf('orders', difference);
    const replay = answering(compared(comparedRead(answer(now), answer(now))));
    return verifySample(stored(read), signature, replay, NO_RULES).then(({ outcome }) => outcome.verdict);
  };
  t.equal(await shown({ a: { b: 1 } }, { a: {} }, { a: { b: 1 } }), 'gone', 'a missing field');
  t.equal(await shown({ a: { b: 1 } }, { a: {} }, { a: {} }), 'unknown');
  t.equal(await shown({ a: {} }, { a: { b: 1 } }, { a: {} }), 'gone', 'a field too many');
  t.equal(await shown({ a: {} }, { a: { b: 1 } }, { c: {} }), 'unknown', 'the place is not there');
  t.equal(
    await shown({ email: 'a@b.example' }, { email: 'c@b.example' }, { email: 'd@b.example' }),
    'gone',
    'hidden',
  );
  t.equal(await shown({ email: 'a@b.example' }, { email: 'c@b.example' }, { email: 5 }), 'unknown');
  t.equal(await shown({ list: [{ a: 1 }] }, { list: [{ a: 2 }] }, { list: [{ a: 1 }] }), 'gone');
  t.equal(await shown({ list: [{ a: 1 }] }, { list: [{ a: 2 }] }, { list: [] }), 'unknown');
});

await t.test('what cannot be asked again is said to be', async (t) => {
  t.strictSame(await outcomeOf({ kind: 'impossible', why: 'credential_in_query' }), {
    verdict: 'unknown',
    why: 'credential_in_query',
  });
  t.strictSame(await outcomeOf({ kind: 'skipped', reason: 'body_too_large' }), {
    verdict: 'unknown',
    why: 'skipped',
  });
  const never = answering(compared(READ));
  const request = { method: 'POST', target: '/search', headers: [] };
  t.match(await verifySample(stored({ request }), SIGNATURE, never, NO_RULES), {
    outcome: { why: 'method' },
  });
  const hidden = { method: 'GET', target: '/users/ann@example.com', headers: [] };
  t.match(await verifySample(stored({ request: hidden }), SIGNATURE, never, NO_RULES), {
    outcome: { why: 'request_changed' },
  });
  t.match(await verifySample(stored(), SIGNATURE, undefined, NO_RULES), { outcome: { why: 'no_replay' } });
});

await t.test('a hash is never sent in place of a header', async (t) => {
  const asked: ShadowRequest[] = [];
  const request = { method: 'GET', target: '/o', headers: ['accept', '*/*', 'x-tenant', '7'] };
  await verifySample(stored({ request }), SIGNATURE, answering(compared(READ), asked), NO_RULES);
  t.strictSame(asked, [{ method: 'GET', target: '/o', headers: ['accept', '*/*'] }]);
});

await t.test('a watch: the rule of three, against what the share was before', (t) => {
  const before = { raw: 100, compared: 1_000 };
  t.strictSame(judgeWatch({ reads: 10, seen: 1 }, before), { verdict: 'still_there', seen: 1 });
  t.strictSame(judgeWatch({ reads: 300, seen: 0 }, before), { verdict: 'fixed', upper: 0.01 });
  t.match(judgeWatch({ reads: 30, seen: 0 }, before), { verdict: 'waiting', upper: 0.1, needed: 37 });
  t.match(judgeWatch({ reads: 0, seen: 0 }, before), { verdict: 'waiting', upper: 1 });
  t.end();
});

await t.test(
  'one that is still there outweighs the rest; the watch answers for those that cannot tell',
  (t) => {
    const sample = (verdict: 'gone' | 'still_there' | 'unknown'): VerifiedSample => ({
      target: '/',
      at: 0,
      outcome: verdict === 'unknown' ? { verdict, why: 'method' } : { verdict },
    });
    const watch = {
      armedAt: 0,
      actor: 'ann',
      reads: 300,
      seen: 0,
      outcome: { verdict: 'fixed', upper: 0.01 },
    } as const;
    t.equal(concludeVerification([sample('gone'), sample('still_there')], watch), 'still_there');
    t.equal(concludeVerification([sample('gone'), sample('gone')], undefined), 'fixed');
    t.equal(concludeVerification([sample('gone'), sample('unknown')], undefined), 'waiting');
    t.equal(concludeVerification([sample('gone'), sample('unknown')], watch), 'fixed');
    t.equal(concludeVerification([], undefined), 'waiting');
    t.end();
  },
);
