/** What the record promises the reports, run against Postgres and against its embedded twin. */
import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import { LatencySketch } from '../../src/reports/latency-sketch.ts';
import {
  type GroupDelta,
  type PairCounts,
  REPORT_BOUNDS,
  type ReportBatch,
  type ReportBounds,
} from '../../src/reports/report-store.ts';
import { encodeSample } from '../../src/reports/sample.ts';
import { estimateUsers, UserSketch } from '../../src/reports/user-sketch.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A whole hour of a whole day, so that the tests may count on it. */
const NOON = Date.UTC(2026, 5, 1, 12);

const KEY = Buffer.alloc(32, 7);

function sketch(...users: string[]): Uint8Array {
  const users_ = new UserSketch();
  for (const user of users) users_.add(user, KEY);
  return users_.encode();
}

function latency(...pairs: (readonly [number, number])[]): Uint8Array {
  const latencies = new LatencySketch();
  for (const [one, other] of pairs) latencies.observe(one, other);
  return latencies.encode();
}

export function pair(over: Partial<PairCounts> = {}): PairCounts {
  return {
    route: 'orders',
    cohort: 'staff',
    authoritative: 'legacy',
    compared: 10,
    matched: 8,
    covered: 1,
    transient: 0,
    confirmed: 2,
    flapping: 0,
    unconfirmed: 0,
    latency: latency([10, 20]),
    ...over,
  };
}

export function group(id: string, over: Partial<GroupDelta> = {}): GroupDelta {
  return {
    id: id.padEnd(16, '0'),
    signature: `["orders","value","$.${id}","number>number"]`,
    route: 'orders',
    kind: 'value',
    pattern: `$.${id}`,
    types: 'number>number',
    weight: 50,
    raw: 2,
    confirmed: 2,
    transient: 0,
    flapping: 0,
    unconfirmed: 0,
    noise: 0,
    firstSeen: NOON,
    lastSeen: NOON,
    lastConfirmed: NOON,
    comparedBefore: 0,
    noiseReadsBefore: 0,
    users: sketch('u1', 'u2'),
    cohorts: { staff: { raw: 2, confirmed: 2, noise: 0 } },
    ...over,
  };
}

function sample(group: string, over: Partial<ReportBatch['samples'][number]> = {}) {
  return {
    group: group.padEnd(16, '0'),
    at: NOON,
    expiresAt: NOON + DAY,
    verdict: 'confirmed' as const,
    sample: encodeSample({
      route: 'orders',
      cohort: 'staff',
      authoritative: 'legacy',
      request: { method: 'GET', target: '/orders/1', headers: ['accept', '*/*'], changed: undefined },
      answers: {
        authoritative: {
          status: 200,
          headers: [],
          body: { kind: 'text', text: '{"a":1}' },
          durationMs: 1,
          failure: undefined,
        },
        secondary: {
          status: 200,
          headers: [],
          body: { kind: 'text', text: '{"a":2}' },
          durationMs: 2,
          failure: undefined,
        },
      },
      differences: [],
    }),
    ...over,
  };
}

/** A process that tells batches. */
function teller(record: RecordStore, bounds: ReportBounds = REPORT_BOUNDS) {
  const process = randomUUID();
  let sequence = 0;
  return {
    next(batch: Partial<ReportBatch>): ReportBatch {
      sequence += 1;
      return { process, sequence, at: NOON, pairs: [], sides: [], groups: [], samples: [], ...batch };
    },
    tell(batch: Partial<ReportBatch>) {
      return record.reports.applyReportBatch(this.next(batch), bounds);
    },
  };
}

export async function reportContract(t: Test, record: RecordStore): Promise<void> {
  const { reports } = record;
  const one = teller(record);
  const other = teller(record);

  await t.test('the key is made once, whoever asks', async (t) => {
    const [a, b] = await Promise.all([reports.reportKey(), reports.reportKey()]);
    t.strictSame(Buffer.from(a), Buffer.from(b));
    t.equal(a.length, 32);
  });

  await t.test('two processes add to one group, one hour and one total', async (t) => {
    await one.tell({
      pairs: [pair()],
      groups: [group('a')],
      sides: [{ route: 'orders', cohort: 'staff', what: 'noise_reads', count: 4 }],
    });
    await other.tell({
      pairs: [pair({ latency: latency([30, 90]) })],
      groups: [
        group('a', {
          lastSeen: NOON + 5,
          users: sketch('u2', 'u3'),
          cohorts: { crew: { raw: 2, confirmed: 1, noise: 1 } },
        }),
      ],
    });
    const [found] = await reports.listMismatchGroups(NOON);
    t.match(found, {
      raw: 4,
      confirmed: 4,
      compared: 20,
      noiseReads: 4,
      status: 'open',
      lastSeen: NOON + 5,
      firstSeen: NOON,
    });
    t.equal(estimateUsers(found?.users ?? new Uint8Array()), 3);
    t.strictSame(found?.cohorts, {
      crew: { raw: 2, confirmed: 1, noise: 1 },
      staff: { raw: 2, confirmed: 2, noise: 0 },
    });
    const [coverage] = await reports.coverageCounts(NOON, NOON + HOUR);
    t.match(coverage?.pairs[0], { compared: 20, matched: 16, covered: 2, confirmed: 4 });
    const merged = new LatencySketch();
    merged.merge(coverage?.pairs[0]?.latency ?? new Uint8Array());
    t.match(merged.figures(), { pairs: 2, authoritative: { meanMs: 20 }, secondary: { meanMs: 55 } });
    t.equal(coverage?.sides.get('noise_reads'), 4);
    t.strictSame(await reports.coverageCounts(NOON + HOUR, NOON + DAY), []);
  });

  await t.test('a batch that is sent again counts once', async (t) => {
    const batch = one.next({ pairs: [pair({ route: 'once' })], groups: [group('b', { route: 'once' })] });
    await reports.applyReportBatch(batch, REPORT_BOUNDS);
    await reports.applyReportBatch(batch, REPORT_BOUNDS);
    t.match(await reports.listMismatchGroups(NOON, 'once'), [{ raw: 2, compared: 10 }]);
  });

  await t.test('the reads of a group are those that were compared since its first', async (t) => {
    await one.tell({ pairs: [pair({ route: 'late', compared: 100 })] });
    await one.tell({
      pairs: [pair({ route: 'late', compared: 7 })],
      groups: [group('c', { route: 'late', comparedBefore: 3 })],
    });
    t.match(await reports.listMismatchGroups(NOON, 'late'), [{ compared: 10, noiseReads: 0 }]);
  });

  await t.test('batches of several processes at once lose nothing', async (t) => {
    const names = ['p', 'q', 'r', 's', 't'];
    await Promise.all(
      Array.from({ length: 6 }, async (_, at) => {
        const process = teller(record);
        const order = at % 2 === 0 ? names : names.toReversed();
        for (let turn = 0; turn < 3; turn += 1) {
          await process.tell({
            pairs: order.map((cohort) => pair({ route: 'busy', cohort })),
            groups: order.map((name) => group(name, { route: 'busy' })),
            samples: order.map((name) => sample(name)),
          });
        }
      }),
    );
    const groups = await reports.listMismatchGroups(NOON, 'busy');
    t.strictSame(
      groups.map(({ raw, samples }) => [raw, samples]),
      names.map(() => [36, 5]),
    );
    const rows = await reports.coverageCounts(NOON, NOON + HOUR);
    for (const { pairs } of rows.filter(({ route }) => route === 'busy')) {
      t.equal(pairs[0]?.compared, 180);
      const merged = new LatencySketch();
      merged.merge(pairs[0]?.latency ?? new Uint8Array());
      t.equal(merged.pairs, 18);
    }
  });

  await t.test('samples: five of a group, confirmed ones first, until they expire', async (t) => {
    const outcome = await one.tell({
      groups: [group('d', { route: 'sampled' })],
      samples: [
        sample('d', { verdict: 'confirmed', at: NOON - 1 }),
        ...Array.from({ length: 7 }, (_, at) => sample('d', { verdict: 'unconfirmed', at: NOON + at })),
      ],
    });
    t.strictSame([...outcome.samples.values()], [5]);
    const kept = await reports.mismatchSamples(NOON, 'd'.padEnd(16, '0'));
    t.strictSame(
      kept.map(({ at }) => at - NOON),
      [6, 5, 4, 3, -1],
    );
    t.equal(kept[0]?.sample.request.target, '/orders/1');
    t.strictSame(await reports.mismatchSamples(NOON + DAY, 'd'.padEnd(16, '0')), []);
    t.equal((await reports.mismatchSamplesOf(NOON, 'sampled', 3)).length, 3);
  });

  await t.test('samples together are bounded in bytes', async (t) => {
    const bounded = teller(record, { ...REPORT_BOUNDS, sampleBytesMax: 1 });
    const outcome = await bounded.tell({
      groups: [group('d', { route: 'sampled' })],
      samples: [sample('d')],
    });
    t.equal(outcome.refusedSamples, 1);
  });

  await groupLife(t, record);
  await groupBound(t, record);
  await rulesContract(t, record);
  await upkeepContract(t, record);
}

async function groupLife(t: Test, { reports }: RecordStore): Promise<void> {
  const id = 'e'.padEnd(16, '0');
  const record = { reports } as const;
  let sequence = 0;
  const tell = (batch: Partial<ReportBatch>) =>
    record.reports.applyReportBatch(
      {
        process: 'life',
        sequence: ++sequence,
        at: NOON,
        pairs: [],
        sides: [],
        groups: [],
        samples: [],
        ...batch,
      },
      REPORT_BOUNDS,
    );

  await t.test(
    'a group is acknowledged, assigned and ignored until a moment, and all of it is told',
    async (t) => {
      await tell({ groups: [group('e', { route: 'life' })], pairs: [pair({ route: 'life' })] });
      t.match(
        await reports.changeMismatchGroup(id, NOON + 1, 'ann', { action: 'acknowledge', note: 'seen' }),
        {
          status: 'acknowledged',
          note: 'seen',
          statusSince: NOON + 1,
        },
      );
      t.match(await reports.changeMismatchGroup(id, NOON + 2, 'ann', { action: 'assign', owner: 'bob' }), {
        status: 'acknowledged',
        owner: 'bob',
        note: 'seen',
        statusSince: NOON + 1,
      });
      t.match(
        await reports.changeMismatchGroup(id, NOON + 3, 'bob', { action: 'ignore', until: NOON + 100 }),
        {
          status: 'ignored',
          ignoredUntil: NOON + 100,
          owner: 'bob',
        },
      );
      t.match(await reports.readMismatchGroup(NOON + 99, id), { status: 'ignored' });
      t.match(await reports.readMismatchGroup(NOON + 100, id), { status: 'open', ignoredUntil: undefined });
      t.equal((await reports.countMismatchGroups(NOON + 99)).get('ignored'), 1);
      t.equal((await reports.countMismatchGroups(NOON + 100)).get('ignored'), 0);
      const events = await reports.mismatchEvents(id, 10);
      t.strictSame(
        events.map(({ actor, action, from, to }) => [actor, action, from, to]),
        [
          ['bob', 'ignore', 'acknowledged', 'ignored'],
          ['ann', 'assign', 'acknowledged', 'acknowledged'],
          ['ann', 'acknowledge', 'open', 'acknowledged'],
        ],
      );
      t.equal(await reports.changeMismatchGroup('nothing', NOON, 'ann', { action: 'resolve' }), undefined);
    },
  );

  await t.test(
    'a resolved group opens again for a confirmed difference that is younger, and for no other',
    async (t) => {
      await reports.changeMismatchGroup(id, NOON + 200, 'ann', { action: 'resolve' });
      t.strictSame(
        (await tell({ groups: [group('e', { route: 'life', lastConfirmed: NOON + 199 })] })).reopened,
        [],
      );
      t.strictSame(
        (await tell({ groups: [group('e', { route: 'life', confirmed: 0, lastConfirmed: undefined })] }))
          .reopened,
        [],
      );
      t.match(await reports.readMismatchGroup(NOON + 300, id), { status: 'resolved', raw: 6 });
      const back = group('e', {
        route: 'life',
        raw: 1,
        confirmed: 1,
        firstSeen: NOON + 201,
        lastConfirmed: NOON + 201,
      });
      const outcome = await tell({
        at: NOON + 300,
        groups: [back],
        pairs: [pair({ route: 'life', compared: 5 })],
      });
      t.strictSame(outcome.reopened, [id]);
      t.match(await reports.readMismatchGroup(NOON + 300, id), {
        status: 'open',
        reopened: 1,
        reopenedAt: NOON + 300,
        raw: 1,
        confirmed: 1,
        compared: 5,
        countedFrom: NOON + 201,
        firstSeen: NOON,
      });
      t.match((await reports.mismatchEvents(id, 1))[0], { actor: 'turnout', action: 'reopened' });
    },
  );

  await t.test('a watch counts what is compared after it began', async (t) => {
    t.equal(await reports.mismatchWatch(id), undefined);
    await reports.armMismatchWatch(id, NOON + 400, 'ann');
    t.match(await reports.mismatchWatch(id), { armedAt: NOON + 400, actor: 'ann', reads: 0, seen: 0 });
    await tell({
      pairs: [pair({ route: 'life', compared: 30 })],
      groups: [group('e', { route: 'life', raw: 1, lastSeen: NOON + 399 })],
    });
    t.match(await reports.mismatchWatch(id), { reads: 30, seen: 0 });
    await tell({ groups: [group('e', { route: 'life', raw: 2, lastSeen: NOON + 401 })] });
    t.match(await reports.mismatchWatch(id), { reads: 30, seen: 3 });
    await reports.noteMismatchEvent(id, NOON + 500, 'ann', 'verify', 'still there');
    t.match((await reports.mismatchEvents(id, 1))[0], { action: 'verify', detail: 'still there' });
  });
}

async function groupBound(t: Test, record: RecordStore): Promise<void> {
  await t.test('beyond the bound resolved and ignored groups make room, open ones do not', async (t) => {
    const { reports } = record;
    const held = (await reports.listMismatchGroups(NOON)).length;
    const bounded = teller(record, { ...REPORT_BOUNDS, groupsMax: held + 2 });
    const ids = ['v', 'w', 'x', 'y'].map((id) => id.padEnd(16, '0'));
    const first = await bounded.tell({
      groups: [group('v', { confirmed: 0 }), group('w', { confirmed: 5 }), group('x', { confirmed: 4 })],
      samples: [sample('v')],
    });
    t.strictSame(first.refusedGroups, [ids[0]], 'the one that was never confirmed');
    await reports.changeMismatchGroup(ids[1] ?? '', NOON, 'ann', { action: 'resolve' });
    await reports.changeMismatchGroup(ids[2] ?? '', NOON, 'ann', { action: 'ignore', until: NOON + DAY });
    t.strictSame((await bounded.tell({ groups: [group('y')] })).refusedGroups, []);
    t.equal(await reports.readMismatchGroup(NOON, ids[1] ?? ''), undefined, 'the resolved one goes first');
    t.ok(await reports.readMismatchGroup(NOON, ids[2] ?? ''));
    t.strictSame((await bounded.tell({ groups: [group('v')] })).refusedGroups, []);
    t.equal(await reports.readMismatchGroup(NOON, ids[2] ?? ''), undefined);
    t.strictSame(
      (await bounded.tell({ groups: [group('w')] })).refusedGroups,
      [ids[1]],
      'only open ones are left',
    );
  });
}

async function rulesContract(t: Test, { reports }: RecordStore): Promise<void> {
  await t.test('rules have a version, a history, and a way back to the configuration', async (t) => {
    t.equal(await reports.comparisonRulesVersion(), 0);
    const rules = { ignore: ['$.at'], tolerance: { '$.price': { absolute: 0.01 } } };
    const { version: first } = await reports.saveComparisonRules('orders', rules, NOON, 'ann', 'a time');
    const { version: second } = await reports.saveComparisonRules(
      'users',
      { unordered: ['$.tags'] },
      NOON,
      'bob',
      '',
    );
    t.ok(second > first);
    t.equal(await reports.comparisonRulesVersion(), second);
    t.match(await reports.comparisonRules(), [
      { route: 'orders', version: first, rules, actor: 'ann', reason: 'a time', at: NOON },
      { route: 'users', version: second },
    ]);
    t.strictSame(await reports.saveComparisonRules('orders', undefined, NOON, 'bob', '', second), {
      isSaved: false,
      version: first,
    });
    const { version: third } = await reports.saveComparisonRules(
      'orders',
      undefined,
      NOON + 1,
      'ann',
      '',
      first,
    );
    t.equal((await reports.comparisonRules())[0]?.rules, undefined);
    t.strictSame(
      (await reports.comparisonRulesHistory('orders', 10)).map(({ version }) => version),
      [third, first],
    );
    await t.rejects(
      reports.saveComparisonRules('orders', { ignore: ['no path'] }, NOON, 'ann', ''),
      RangeError,
    );
  });
}

async function upkeepContract(t: Test, record: RecordStore): Promise<void> {
  await t.test('upkeep is done once in its time, folds old hours and throws away what expired', async (t) => {
    const { reports } = record;
    const teller_ = teller(record);
    const later = NOON + 100 * DAY;
    for (const hour of [0, 1, 2]) {
      await teller_.tell({
        at: NOON + hour * HOUR,
        pairs: [pair({ route: 'fold' })],
        sides: [{ route: 'fold', cohort: 'staff', what: 'skip:memory', count: 2 }],
      });
    }
    t.equal((await reports.countedReads('staff', 0)).filter(({ route }) => route === 'fold').length, 3);
    const done = await Promise.all([
      reports.reportUpkeep(later, HOUR, REPORT_BOUNDS),
      reports.reportUpkeep(later, HOUR, REPORT_BOUNDS),
    ]);
    t.strictSame(done.toSorted(), [false, true]);
    const folded = (await reports.countedReads('staff', 0)).filter(({ route }) => route === 'fold');
    t.strictSame(folded, [{ at: NOON - 12 * HOUR, route: 'fold', compared: 30, noiseReads: 0 }]);
    const [row] = (await reports.coverageCounts(0, later)).filter(({ route }) => route === 'fold');
    const merged = new LatencySketch();
    merged.merge(row?.pairs[0]?.latency ?? new Uint8Array());
    t.equal(merged.pairs, 3);
    t.equal(row?.sides.get('skip:memory'), 6);
    t.strictSame(await reports.mismatchSamplesOf(NOON, 'busy', 100), [], 'expired');
    t.equal(await reports.reportUpkeep(later + HOUR - 1, HOUR, REPORT_BOUNDS), false);
    t.equal(await reports.reportUpkeep(later + HOUR, HOUR, { ...REPORT_BOUNDS, countRowsMax: 1 }), true);
    t.ok((await reports.coverageCounts(0, later)).length <= 1, 'the bound on rows');
    t.ok(
      (await reports.listMismatchGroups(NOON, 'orders')).some(({ compared }) => compared > 0),
      'totals stay',
    );
  });
}
