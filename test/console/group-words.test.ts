import t from 'tap';
import {
  changedInWords,
  judgementMeans,
  readsInWords,
  sampleVerdict,
  sidesOf,
  statusTone,
  trialTone,
  usersInWords,
  verdictTone,
  watchInWords,
} from '../../src/console/evidence/group-words.ts';

const WATCH = {
  armedAt: '2026-11-21T09:00:00Z',
  actor: 'ann',
  reads: 300,
  seen: 0,
  upper: 0.01,
  needed: null,
};

await t.test('a watch says what is known, and what would tell', (t) => {
  t.equal(
    watchInWords({ ...WATCH, verdict: 'fixed' }),
    'Fixed: not in any of 300 reads, so it is in less than 1.00 % of reads (95 % confidence).',
  );
  t.equal(
    watchInWords({ ...WATCH, verdict: 'waiting', needed: 1_200 }),
    'Waiting: not in any of 300 reads so far. 1,200 would tell.',
  );
  t.equal(
    watchInWords({ ...WATCH, verdict: 'still_there', seen: 2, upper: null }),
    'Still there: in 2 of 300 reads since then.',
  );
  t.end();
});

await t.test('words that are not known are said as they are', (t) => {
  const at = '2026-11-21T09:00:00Z';
  t.equal(
    sampleVerdict({ target: '/', at, verdict: 'unknown', why: 'method' }),
    'unknown: it is no GET or HEAD',
  );
  t.equal(sampleVerdict({ target: '/', at, verdict: 'unknown', why: 'constructor' }), 'unknown: constructor');
  t.equal(sampleVerdict({ target: '/', at, verdict: 'still_there', why: null }), 'still there');
  t.equal(statusTone('constructor'), 'calm');
  t.equal(judgementMeans('constructor'), undefined);
  t.equal(changedInWords('tomorrow'), 'tomorrow');
  t.end();
});

await t.test('figures say what they are of', (t) => {
  t.equal(readsInWords({ count: 4, total: 1_000, share: 0.004, low: 0, high: 1 }), '4 of 1,000 reads');
  t.equal(readsInWords({ count: 0, total: 0, share: 0, low: 0, high: 1 }), 'no reads');
  t.equal(usersInWords({ estimate: 1, error: 0 }), 'about 1 user');
  t.equal(usersInWords({ estimate: 120, error: 4 }), 'about 120 ± 4 users');
  t.end();
});

await t.test('the side that served the user stands on the left', (t) => {
  t.strictSame(
    [sidesOf('legacy'), sidesOf('new')],
    [
      ['legacy', 'new'],
      ['new', 'legacy'],
    ],
  );
  t.end();
});

await t.test('good news looks good, bad news bad', (t) => {
  t.strictSame(['fixed', 'gone', 'still_there', 'waiting'].map(verdictTone), ['good', 'good', 'bad', 'warn']);
  t.strictSame(['gone', 'partly', 'stays', 'unknown'].map(trialTone), ['good', 'warn', 'calm', 'calm']);
  t.strictSame(['open', 'acknowledged', 'ignored', 'resolved'].map(statusTone), [
    'bad',
    'warn',
    'calm',
    'good',
  ]);
  t.end();
});
