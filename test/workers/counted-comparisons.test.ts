import t from 'tap';
import { AttemptCounter } from '../../src/guard/attempt-counter.ts';
import { FAILURE_KINDS } from '../../src/guard/slot.ts';
import { userGroup } from '../../src/guard/user-group.ts';
import type { ShadowVerdict } from '../../src/shadow/report-sink.ts';
import { CountedComparisons } from '../../src/workers/counted-comparisons.ts';
import { answer, comparedRead, noiseRead } from '../reports/reads.ts';
import { MemorySink } from '../shadow/memory-sink.ts';

void t.test(
  'comparisons are counted by cohort and user, confirmed ones as mismatches, and told on',
  async (t) => {
    const counter = new AttemptCounter({ failures: FAILURE_KINDS, stalledAfterMs: 1_000 }, () => 0);
    const sink = new MemorySink();
    const counted = new CountedComparisons(sink, counter);
    const [one, other] = [answer({ a: 1 }), answer({ a: 2 })];
    const verdicts: ShadowVerdict[] = ['matched', 'confirmed', 'transient', 'flapping', 'unconfirmed'];
    for (const verdict of verdicts) counted.compared(comparedRead(one, other, { verdict }));
    counted.compared(comparedRead(one, other, { user: undefined }));
    counted.compared(comparedRead(one, other, { cohort: undefined }));
    counted.noise(noiseRead(one, other));
    counted.skipped('orders', 'staff', 'queue_full');
    const sides = counter.drain();
    t.same([...sides.keys()], ['staff']);
    const side = sides.get('staff');
    t.equal(side?.legacy, undefined);
    t.same([...(side?.new?.byGroup.keys() ?? [])], [userGroup('user-1')]);
    t.match(side?.new?.byGroup.get(userGroup('user-1')), { compared: 4, mismatched: 1, requests: 0 });
    t.equal(sink.reads.length, 7);
  },
);
