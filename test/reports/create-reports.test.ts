import { type Logger, pino } from 'pino';
import t from 'tap';
import { createReports, type ReportOptions } from '../../src/reports/create-reports.ts';
import type { GroupDelta } from '../../src/reports/report-store.ts';
import { decodeSample } from '../../src/reports/sample.ts';
import { estimateUsers } from '../../src/reports/user-sketch.ts';
import { type Batches, batches } from './batches.ts';
import { answer, comparedRead, noiseRead } from './reads.ts';

function logOf(events: string[]): Logger {
  return pino({ level: 'info' }, { write: (line: string) => void events.push(JSON.parse(line).event) });
}

async function setUp(over: Partial<ReportOptions> = {}, store: Batches = batches()) {
  const clock = { at: Date.UTC(2026, 0, 1) };
  const events: string[] = [];
  const reports = createReports({
    store,
    log: logOf(events),
    now: () => clock.at,
    random: () => 0.5,
    redact: { paths: [], names: [] },
    sampleMs: 86_400_000,
    flushMs: 3_600_000,
    rulesPollMs: 3_600_000,
    ...over,
  });
  await reports.start();
  t.teardown(() => reports.stop());
  return { reports, store, clock, events };
}

const PRICE = [answer({ price: 1, at: 5 }), answer({ price: 2, at: 5 })] as const;

await t.test('one fault is one group for users of both backends, as it looks from legacy', async (t) => {
  const { reports, store } = await setUp();
  const [whole, lacking] = [answer({ line: 'x', n: 1 }), answer({ n: '1' })];
  const [found, gone] = [answer({}), answer({}, { status: 404 })];
  reports.compared(comparedRead(whole, lacking));
  reports.compared(comparedRead(lacking, whole, { authoritative: 'new', user: 'user-2' }));
  reports.compared(comparedRead(found, gone));
  reports.compared(comparedRead(gone, found, { authoritative: 'new' }));
  reports.noise(noiseRead(lacking, whole, { authoritative: 'new' }));
  await reports.flush();
  const [batch] = store.told;
  const groups = batch?.groups.map(({ kind, pattern, types, raw, noise }) => [
    kind,
    pattern,
    types,
    raw,
    noise,
  ]);
  t.same(groups, [
    ['missing', '$.line', 'string>absent', 2, 1],
    ['type', '$.n', 'number>string', 2, 1],
    ['status', 'status', '200>404', 2, 0],
  ]);
  const samples = batch?.samples.map(({ sample }) => sample.length > 0);
  t.ok(samples?.every(Boolean));
});

await t.test('a failure of legacy and one of new are two groups', async (t) => {
  const { reports, store } = await setUp();
  const failed = answer('', { status: 0, failure: { kind: 'timeout', code: 'backend_headers_timeout' } });
  reports.compared(comparedRead(answer({}), failed));
  reports.compared(comparedRead(answer({}), failed, { authoritative: 'new' }));
  await reports.flush();
  t.same(
    store.told[0]?.groups.map(({ kind, types }) => [kind, types]),
    [
      ['timeout', 'number>string'],
      ['timeout', 'string>number'],
    ],
  );
});

await t.test('reads are counted by route, cohort and direction, and told in one batch', async (t) => {
  const { reports, store } = await setUp();
  reports.compared(comparedRead(answer({ a: 1 }), answer({ a: 1 })));
  reports.compared(comparedRead(answer({ a: 1 }), answer({ a: 2 }), {}, { ignore: ['$.a'] }));
  reports.compared(comparedRead(...PRICE));
  reports.compared(comparedRead(...PRICE, { verdict: 'transient', user: 'user-2', secondaryMs: undefined }));
  reports.compared(comparedRead(...PRICE, { authoritative: 'new', cohort: undefined }));
  reports.noise(noiseRead(answer({ at: 1 }), answer({ at: 2 })));
  reports.noise(noiseRead(answer({ at: 1 }), answer({ at: 1 })));
  reports.skipped('orders', 'staff', 'breaker_open');
  t.equal(await reports.flush(), true);
  const [batch] = store.told;
  t.equal(store.told.length, 1);
  t.match(batch?.pairs, [
    {
      route: 'orders',
      cohort: 'staff',
      authoritative: 'legacy',
      compared: 4,
      matched: 2,
      covered: 1,
      confirmed: 1,
      transient: 1,
    },
    { route: 'orders', cohort: '', authoritative: 'new', compared: 1, matched: 0, confirmed: 1 },
  ]);
  t.same(
    batch?.sides.map(({ what, count }) => [what, count]),
    [
      ['noise_reads', 2],
      ['noise_differing', 1],
      ['skip:breaker_open', 1],
    ],
  );
  const [price, at] = batch?.groups ?? [];
  t.match(price, {
    pattern: '$.price',
    kind: 'value',
    raw: 3,
    confirmed: 2,
    transient: 1,
    noise: 0,
    cohorts: { staff: { raw: 2, confirmed: 1 }, '': { raw: 1, confirmed: 1 } },
  });
  t.equal(estimateUsers(price?.users ?? new Uint8Array()), 2);
  t.match(at, { pattern: '$.at', raw: 0, noise: 1 });
  t.equal(await reports.flush(), true);
  t.equal(store.told.length, 1, 'nothing new is nothing to tell');
});

await t.test('a difference in many items of one answer counts as one read', async (t) => {
  const { reports, store } = await setUp();
  const items = (price: number) => ({ items: Array.from({ length: 20 }, () => ({ price })) });
  reports.compared(comparedRead(answer(items(1)), answer(items(2))));
  await reports.flush();
  t.match(store.told[0]?.groups, [{ pattern: '$.items[].price', raw: 1 }]);
});

await t.test('samples are redacted before they are kept, and taken of what was not transient', async (t) => {
  const { reports, store, clock } = await setUp();
  const body = (price: number) => answer({ price, email: 'ann@example.com' });
  reports.compared(comparedRead(body(1), body(2), { verdict: 'transient' }));
  for (let read = 0; read < 20; read += 1) {
    clock.at += 1_000;
    reports.compared(comparedRead(body(1), body(2)));
  }
  await reports.flush();
  const samples = store.told[0]?.samples ?? [];
  t.equal(samples.length, 5);
  const sample = JSON.stringify(decodeSample(samples[0]?.sample ?? new Uint8Array()));
  t.notMatch(sample, /ann@example/);
  t.match(sample, /price/);
});

await t.test(
  'a group that has its samples gets a fresh one after a while, and after it was reopened',
  async (t) => {
    const { reports, store, clock } = await setUp();
    const tell = async () => {
      clock.at += 2_000;
      reports.compared(comparedRead(...PRICE));
      await reports.flush();
      return store.told.at(-1)?.samples.length;
    };
    t.equal(await tell(), 1);
    const id = store.told[0]?.groups[0]?.id ?? '';
    store.outcome = { samples: new Map([[id, 5]]) };
    await tell();
    t.equal(await tell(), 0, 'it has five');
    clock.at += 600_000;
    t.equal(await tell(), 1);
    t.equal(await tell(), 0);
    store.outcome = { samples: new Map(), reopened: [id] };
    await tell();
    t.equal(await tell(), 1);
  },
);

await t.test('no more than five samples are taken in a second, whatever comes', async (t) => {
  const { reports, store } = await setUp();
  for (let field = 0; field < 50; field += 1) {
    reports.compared(comparedRead(answer({ [`field${field}`]: 1 }), answer({ [`field${field}`]: 2 })));
  }
  await reports.flush();
  t.equal(store.told[0]?.samples.length, 5);
});

await t.test('a flood of different differences is bounded: the rest is counted', async (t) => {
  const { reports, store } = await setUp();
  for (let field = 0; field < 2_100; field += 1) {
    reports.compared(comparedRead(answer({ [`field${field}x`]: 1 }), answer({ [`field${field}x`]: 2 })));
  }
  t.equal(await reports.flush(), false, 'more is left');
  t.equal(store.told[0]?.groups.length, 500);
  for (let left = 5; left > 0 && !(await reports.flush()); left -= 1);
  const groups = store.told.flatMap((batch) => batch.groups);
  t.equal(groups.length, 2_000);
  t.equal(new Set(groups.map(({ id }) => id)).size, 2_000);
  t.same(
    store.told.flatMap(({ sides }) => sides).map(({ what, count }) => [what, count]),
    [['ungrouped', 100]],
  );
});

await t.test('groups that were confirmed are told first', async (t) => {
  const { reports, store } = await setUp();
  for (let field = 0; field < 600; field += 1) {
    const verdict = field < 550 ? 'unconfirmed' : 'confirmed';
    reports.compared(comparedRead(answer({ [`f${field}`]: 1 }), answer({ [`f${field}`]: 2 }), { verdict }));
  }
  await reports.flush();
  t.equal(store.told[0]?.groups.filter(({ confirmed }) => confirmed > 0).length, 50);
});

await t.test(
  'a batch that failed is told again as it was; what comes meanwhile waits for its turn',
  async (t) => {
    const { reports, store, events } = await setUp();
    store.failure = new Error('connection refused');
    reports.compared(comparedRead(...PRICE));
    t.equal(await reports.flush(), false);
    reports.compared(comparedRead(...PRICE));
    t.equal(await reports.flush(), false);
    store.failure = undefined;
    await reports.flush();
    await reports.flush();
    t.same(
      store.told.map(({ sequence, pairs }) => [sequence, pairs[0]?.compared]),
      [
        [1, 1],
        [2, 1],
      ],
    );
    t.same(events, ['reports_delayed'], 'said once');
  },
);

await t.test('a batch that the record refuses for ever is dropped, and said to be', async (t) => {
  const { reports, store, events } = await setUp();
  store.failure = Object.assign(new Error('invalid input'), { code: '22P02' });
  reports.compared(comparedRead(...PRICE));
  for (let tries = 0; tries < 20; tries += 1) await reports.flush();
  t.same(events, ['reports_delayed', 'reports_lost']);
  store.failure = undefined;
  reports.compared(comparedRead(...PRICE));
  await reports.flush();
  t.match(store.told, [{ sequence: 2 }]);
});

await t.test('reads that the record has already count for a group that comes later', async (t) => {
  const { reports, store } = await setUp();
  const same = () => reports.compared(comparedRead(answer({ a: 1 }), answer({ a: 1 })));
  for (let field = 0; field < 600; field += 1) {
    reports.compared(comparedRead(answer({ [`f${field}`]: 1 }), answer({ [`f${field}`]: 2 })));
  }
  same();
  await reports.flush();
  await reports.flush();
  const before = (delta: GroupDelta | undefined) => delta?.comparedBefore;
  t.equal(before(store.told[0]?.groups[0]), 0);
  // Of the 601 reads that the first batch told, 500 came before this group's first.
  t.equal(before(store.told[1]?.groups[0]), 101);
});

await t.test('only one batch is under way, and who stops waits for it', async (t) => {
  const { reports, store } = await setUp();
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  let under = 0;
  store.onBatch = async () => {
    begun.resolve();
    under += 1;
    t.equal(under, 1);
    await gate.promise;
    under -= 1;
  };
  reports.compared(comparedRead(...PRICE));
  const first = reports.flush();
  t.equal(reports.flush(), first);
  await begun.promise;
  reports.compared(comparedRead(...PRICE));
  const stopped = reports.stop();
  gate.resolve();
  await stopped;
  t.equal(store.told.length, 2);
});

await t.test(
  'rules are read when their version has moved, and kept while the record does not answer',
  async (t) => {
    let reads = 0;
    const store = batches({
      comparisonRules: () => {
        reads += 1;
        const saved = { version: 7, actor: 'ann', reason: '', at: 0 };
        return Promise.resolve([
          { ...saved, route: 'orders', rules: { ignore: ['$.at'] } },
          { ...saved, route: 'users', rules: undefined },
          { ...saved, route: 'odd', rules: { ignore: ['no path'] } },
        ]);
      },
    });
    const { reports, events } = await setUp({}, store);
    t.equal(reports.rulesOf('orders'), undefined);
    store.rulesVersion = 7;
    await reports.pollRules();
    await reports.pollRules();
    t.equal(reads, 1);
    t.ok(reports.rulesOf('orders'));
    t.equal(reports.rulesOf('users'), undefined, "the configuration's again");
    t.same(events, ['rules_unusable', 'rules_changed']);
    store.comparisonRulesVersion = () => Promise.reject(new Error('down'));
    await reports.pollRules();
    t.ok(reports.rulesOf('orders'));
  },
);
