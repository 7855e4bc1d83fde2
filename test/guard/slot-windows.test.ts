import fc from 'fast-check';
import t from 'tap';
import type { Counts, SideSlot } from '../../src/guard/slot.ts';
import type { GatewayReport, StampedReport } from '../../src/guard/slot-feed.ts';
import { CountsSum } from '../../src/guard/slot-fold.ts';
import { reachOf, SlotWindows } from '../../src/guard/slot-windows.ts';
import { anyReport } from './any-report.ts';

function counts(requests: number, failed = 0): Counts {
  return new CountsSum().add({
    requests,
    failed,
    stalled: 0,
    late: 0,
    compared: 0,
    mismatched: 0,
    latency: new Map([[10, requests]]),
  });
}

function report(
  gateway: string,
  atMs: number,
  byGroup: readonly (readonly [number, Counts])[],
  cohort = 'free',
): StampedReport {
  return { gateway, atMs, cohorts: new Map([[cohort, { new: { byGroup: new Map(byGroup), kinds: {} } }]]) };
}

function windows(reachSeconds = 150): { book: SlotWindows; clock: { ms: number } } {
  const clock = { ms: 0 };
  return {
    book: new SlotWindows(
      () => reachSeconds,
      () => clock.ms,
    ),
    clock,
  };
}

function total(parts: Iterable<Counts>): CountsSum {
  const sum = new CountsSum();
  for (const part of parts) sum.add(part);
  return sum;
}

void t.test('two gateways are summed by second, by group and by gateway', async (t) => {
  const { book } = windows();
  t.equal(book.nowSecond(), undefined);
  book.add([
    report('one', 5_100, [[3, counts(2, 1)]]),
    report('two', 5_900, [
      [3, counts(5)],
      [4, counts(1)],
    ]),
    report('one', 6_000, [[3, counts(1)]]),
  ]);
  t.equal(book.nowSecond(), 6);
  const [first, second, ...more] = book.slots('free');
  t.same(more, []);
  t.equal(first?.second, 5);
  t.equal(first?.new.byGroup.get(3)?.requests, 7);
  t.equal(first?.new.byGroup.get(3)?.failed, 1);
  t.same([...(first?.new.byGroup.get(3)?.latency ?? [])], [[10, 7]]);
  t.equal(first?.new.byGateway.get('two')?.requests, 6);
  t.equal(first?.legacy.byGateway.size, 0);
  t.equal(second?.second, 6);
  t.same(book.slots('nobody'), []);
});

void t.test('failures are summed by kind', async (t) => {
  const { book } = windows();
  const side = { byGroup: new Map([[1, counts(1)]]), kinds: { connect: 2 } } as const;
  const cohorts: GatewayReport['cohorts'] = new Map([['free', { legacy: side }]]);
  book.add([
    { gateway: 'one', atMs: 1_000, cohorts },
    { gateway: 'two', atMs: 1_000, cohorts },
  ]);
  t.same(book.slots('free')[0]?.legacy.kinds, { connect: 4 });
});

void t.test('a slot is the same object until something is added to it', async (t) => {
  const { book } = windows();
  book.add([report('one', 5_000, [[1, counts(1)]]), report('one', 6_000, [[1, counts(1)]])]);
  const [five, six] = book.slots('free');
  book.add([report('two', 6_500, [[1, counts(1)]])]);
  const [fiveAgain, sixAgain] = book.slots('free');
  t.equal(fiveAgain, five);
  t.not(sixAgain, six);
  t.not(sixAgain?.new, six?.new);
  t.equal(sixAgain?.new.byGroup.get(1)?.requests, 2);
});

void t.test('time goes on while nobody reports, and never back', async (t) => {
  const { book, clock } = windows();
  book.add([report('one', 5_000, [[1, counts(1)]])]);
  clock.ms = 3_500;
  book.add([]);
  t.equal(book.nowSecond(), 8);
  book.add([report('one', 6_000, [[1, counts(1)]])]);
  t.equal(book.nowSecond(), 8);
  t.same(
    book.slots('free').map(({ second }) => second),
    [5, 6],
    'what was read late is of the second in which it came in',
  );
});

void t.test('seconds are kept for ten minutes, and cohorts as long as they have some', async (t) => {
  const { book } = windows();
  for (let second = 1; second <= 2_000; second += 1)
    book.add([report('one', second * 1_000, [[1, counts(1)]])]);
  const slots = book.slots('free');
  t.ok(slots.length >= 600 && slots.length <= 620, `${slots.length}`);
  t.equal(slots.at(-1)?.second, 2_000);
  book.add([{ gateway: 'one', atMs: 9_000_000, cohorts: new Map() }]);
  t.same(book.slots('free'), []);
});

void t.test('where windows reach further back, what is older is summed up by ten seconds', async (t) => {
  const { book } = windows(1_800);
  for (let second = 1; second <= 3_000; second += 1)
    book.add([report('one', second * 1_000, [[1, counts(1)]])]);
  const slots = book.slots('free');
  const reach = slots.filter(({ second }) => second >= 3_000 - 1_800);
  t.equal(total(reach.flatMap((slot) => [...slot.new.byGroup.values()])).requests, 1_801);
  const seconds = slots.map(({ second }) => second);
  t.same(
    seconds,
    seconds.toSorted((a, b) => a - b),
  );
  t.ok(slots.length < 600 + 10 + 125, `${slots.length}`);
});

void t.test('gateways are known by their last report', async (t) => {
  const { book, clock } = windows();
  book.add([
    { gateway: 'two', atMs: 1_000, cohorts: new Map() },
    { gateway: 'one', atMs: 4_000, cohorts: new Map() },
  ]);
  t.same(book.gateways(5), ['one', 'two']);
  t.same(book.gateways(2), ['one']);
  clock.ms = 700_000;
  book.add([]);
  t.same(book.gateways(1_000), []);
});

void t.test('hours back it is by the minute, and every second is there once', async (t) => {
  const { book } = windows(10_800);
  for (let second = 1; second <= 12_000; second += 1)
    book.add([report('one', second * 1_000, [[1, counts(1)]])]);
  const slots = book.slots('free');
  const seconds = slots.map(({ second }) => second);
  t.same(
    seconds,
    seconds.toSorted((a, b) => a - b),
  );
  const [first = 0] = seconds;
  t.ok(first <= 12_000 - 10_800 && first > 12_000 - 10_800 - 120, `${first}`);
  t.equal(total(slots.flatMap((slot) => [...slot.new.byGroup.values()])).requests, 12_000 - first + 1);
  t.ok(slots.length < 610 + 306 + 125, `${slots.length}`);
});

void t.test('how far conditions look back is known', async (t) => {
  t.equal(reachOf([]), 0);
  t.equal(
    reachOf([
      { windowMs: 30_000, windows: { over: 3, of: 5 } },
      { windowMs: 1_500, windows: { over: 1, of: 1 } },
    ]),
    150,
  );
  t.equal(reachOf([{ windowMs: 3_600_000, windows: { over: 1, of: 20 } }]), 72_000);
});

void t.test('user groups and gateways sum to the same counts, whoever reports what and when', async () => {
  const steps = fc.array(fc.tuple(anyReport(['one', 'two', 'three']), fc.integer({ min: 0, max: 3_000 })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(steps, (reports) => {
      const { book } = windows();
      let atMs = 1_000_000;
      let told = 0;
      for (const [each, laterMs] of reports) {
        atMs += laterMs;
        book.add([{ ...each, atMs }]);
        for (const sides of each.cohorts.values()) {
          for (const side of [sides.legacy, sides.new]) told += total(side?.byGroup.values() ?? []).requests;
        }
      }
      let found = 0;
      for (const cohort of ['free', 'staff', 'a cohort with é']) {
        for (const slot of book.slots(cohort)) {
          if (!isSound(slot.legacy) || !isSound(slot.new)) return false;
          found += total([...slot.legacy.byGroup.values(), ...slot.new.byGroup.values()]).requests;
        }
      }
      return found === told;
    }),
  );
});

function isSound({ byGroup, byGateway }: SideSlot): boolean {
  const [groups, gateways] = [total(byGroup.values()), total(byGateway.values())];
  const inBins = [...groups.latency].reduce((sum, [, count]) => sum + count, 0);
  const bins = [...groups.latency].every(([bin, count]) => gateways.latency.get(bin) === count);
  return (
    bins &&
    inBins === groups.requests &&
    (['requests', 'failed', 'stalled', 'late', 'compared', 'mismatched'] as const).every(
      (field) => groups[field] === gateways[field],
    )
  );
}
