import t from 'tap';
import { compileRules, NO_RULES } from '../../src/comparison/compile-rules.ts';
import type { RulesWritten } from '../../src/comparison/rules-written.ts';
import { signatureOf } from '../../src/comparison/signature.ts';
import { groupIdOf } from '../../src/reports/gathered-groups.ts';
import { Redaction } from '../../src/reports/redaction.ts';
import { takeSample } from '../../src/reports/sample.ts';
import { type RulesTrial, type TriedSample, tryRules } from '../../src/reports/try-rules.ts';
import { answer, comparedRead } from './reads.ts';

const redaction = new Redaction(Buffer.alloc(32, 5), { paths: [], names: [] });

/** A sample for each group that the pair shows. */
function samples(left: unknown, right: unknown): TriedSample[] {
  const read = comparedRead(answer(left), answer(right));
  return read.comparison.differences.map((difference) => ({
    group: groupIdOf(signatureOf(read.route, difference)),
    sample: takeSample(read, () => true, redaction),
  }));
}

function run(of: readonly TriedSample[], written: RulesWritten, now = NO_RULES): Promise<RulesTrial> {
  return tryRules(of, now, { written, compiled: compileRules(written).rules ?? NO_RULES });
}

await t.test('rules say which groups would vanish and which would stay', async (t) => {
  const of = samples({ at: 1, price: 10, total: 1 }, { at: 2, price: 10.001, total: 5 });
  const trial = await run(of, { ignore: ['$.at'], tolerance: { '$.price': { absolute: 0.01 } } });
  t.strictSame(
    trial.groups.map(({ verdict }) => verdict),
    ['gone', 'gone', 'stays'],
  );
  t.equal(trial.samples, 3);
});

await t.test('a group of which only some samples vanish is partly gone', async (t) => {
  const of = [...samples({ a: 10 }, { a: 10.001 }), ...samples({ a: 10 }, { a: 11 })];
  const trial = await run(of, { tolerance: { '$.a': { absolute: 0.01 } } });
  t.match(trial.groups, [{ verdict: 'partly', samples: { gone: 1, stays: 1, unknown: 0 } }]);
});

await t.test('hidden values: equal and unequal can be told, nearness cannot', async (t) => {
  const of = samples({ email: 'a@b.example' }, { email: 'c@b.example' });
  t.match((await run(of, { ignore: ['$.email'] })).groups, [{ verdict: 'gone' }]);
  t.match((await run(of, { ignore: ['$.other'] })).groups, [{ verdict: 'stays' }]);
  t.match((await run(of, { comparators: { '$.email': 'case-insensitive' } })).groups, [
    { verdict: 'unknown' },
  ]);
});

await t.test('a sample without a body cannot tell', async (t) => {
  const long = 'x'.repeat(70_000);
  const trial = await run(samples({ a: 1, long }, { a: 2, long }), { ignore: ['$.a'] });
  t.match(trial.groups, [{ verdict: 'unknown' }]);
});

await t.test('what the rules of now cover and the tried ones do not would appear', async (t) => {
  const of = samples({ at: 1, price: 1 }, { at: 2, price: 2 }).slice(1);
  const now = compileRules({ ignore: ['$.at'] }).rules;
  const trial = await run(of, {}, now);
  t.match(trial, {
    groups: [{ verdict: 'stays' }],
    appear: [{ pattern: '$.at', kind: 'value', samples: 1 }],
  });
});
