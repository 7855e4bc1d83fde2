import t from 'tap';
import type { Condition, Judgement } from '../../src/guard/condition.ts';
import { judge } from '../../src/guard/judge.ts';
import { firstBadSecond } from '../../src/guard/onset.ts';
import { type Counts, latencyBin, NO_COUNTS, type Slot } from '../../src/guard/slot.ts';
import { EVIDENCE_BAR } from '../../src/guard/trip.ts';
import { counts, even, made, NOTHING, seconds, side, slot } from './made-slots.ts';

const ERRORS = made('errorRate', 0.05);

function judged(condition: Condition, slots: readonly Slot[], now = slots.at(-1)?.second ?? 0): Judgement {
  const judgement = judge([condition], slots, now)[0];
  if (judgement === undefined) throw new Error('no judgement');
  return judgement;
}

void t.test('without a slot, without requests and with too few of them there is no data', async (t) => {
  t.match(judged(ERRORS, []), { verdict: 'no-data', path: undefined, figures: { value: undefined } });
  t.equal(judged(ERRORS, seconds(1, 30, NOTHING)).verdict, 'no-data');
  const few = judged(ERRORS, seconds(1, 49, even(counts(1))), 49);
  t.match(few, { verdict: 'no-data', figures: { requests: 30, value: 0 } });
});

void t.test('a cohort whose requests stopped is without data, however good or bad it was', async (t) => {
  for (const failed of [0, 20]) {
    const slots = seconds(1, 60, even(counts(20, failed)));
    t.equal(judged(ERRORS, slots, 60 + 30).verdict, 'no-data');
    t.equal(judged(ERRORS, slots, 60 + 151).verdict, 'no-data');
    t.equal(judged(ERRORS, slots, 60).verdict === 'tripped', failed > 0);
  }
});

void t.test(
  'few failures are healthy, by one window with many requests or by all of them with few',
  async (t) => {
    const many = judged(ERRORS, seconds(1, 30, even(counts(200, 2))));
    t.match(many, { verdict: 'healthy', figures: { requests: 6000, value: 0.01, windowsOver: 0 } });
    t.equal(judged(ERRORS, seconds(1, 30, even(counts(2)))).verdict, 'uncertain', '60 requests are too few');
    t.equal(judged(ERRORS, seconds(1, 150, even(counts(2)))).verdict, 'healthy', '300 are enough');
  },
);

void t.test('a latest window that is over the threshold is not healthy by those before it', async (t) => {
  const slots = [...seconds(1, 120, even(counts(20))), ...seconds(121, 150, even(counts(20, 1)))];
  t.equal(judged(made('errorRate', 0.049), slots).verdict, 'uncertain');
});

void t.test('a dead backend trips within a second, by one tick of 200 requests a second', async (t) => {
  const slots = [...seconds(1, 60, even(counts(200, 1))), slot(61, even(counts(50, 50)))];
  const { verdict, path, figures } = judged(ERRORS, slots);
  t.same([verdict, path], ['tripped', 'overwhelming']);
  t.ok(figures.evidence > EVIDENCE_BAR);
  t.same(figures.kinds, { status: 50 + 29 });
  t.equal(firstBadSecond(ERRORS, slots, 61), 61);
});

void t.test('a dead backend trips by its first requests, and seven failures are not enough', async (t) => {
  const condition = made('errorRate', 0.001);
  t.not(judged(condition, seconds(1, 7, even(counts(1, 1)))).verdict, 'tripped');
  const groups = seconds(1, 20, NOTHING).map(({ second }) => {
    const one = counts(1, 1);
    const of16 = Array.from({ length: 16 }, (_, at) => (at === second % 16 ? one : NO_COUNTS));
    return slot(second, side({ gateways: { a: one }, groups: of16 }));
  });
  t.match(judged(condition, groups), { verdict: 'tripped', path: 'overwhelming' });
});

void t.test('three windows of five over the threshold trip, two do not', async (t) => {
  // So little over the threshold that three windows are not overwhelming, but each one is shown to be over it.
  const good = even(counts(160, 0));
  const bad = even(counts(160, 16));
  const condition = made('errorRate', 0.088);
  const two = [...seconds(1, 90, good), ...seconds(91, 150, bad)];
  const three = [...seconds(1, 60, good), ...seconds(61, 150, bad)];
  t.match(judged(condition, two), { verdict: 'uncertain', figures: { windowsOver: 2 } });
  t.match(judged(condition, three), { verdict: 'tripped', path: 'windows', figures: { windowsOver: 3 } });
});

void t.test('what is over moves nobody', async (t) => {
  const slots = [...seconds(1, 10, even(counts(20, 20))), ...seconds(11, 12, even(counts(20)))];
  const after = judged(ERRORS, slots);
  t.ok(after.figures.evidence > EVIDENCE_BAR, 'the evidence is there');
  t.equal(after.verdict, 'uncertain');
});

void t.test('one gateway whose requests all fail rolls nobody back, and is named', async (t) => {
  const bad = counts(20, 20);
  const ok = counts(20, 0);
  const groups = Array.from({ length: 16 }, (_, at) => (at < 4 ? counts(5, 5) : counts(10 / 3, 0)));
  const slots = seconds(1, 60, side({ gateways: { a: ok, b: bad, c: ok }, groups }));
  t.match(judged(ERRORS, slots), { verdict: 'uncertain', figures: { apart: { gateway: 'b' } } });
  const only = seconds(1, 60, side({ gateways: { b: bad }, groups: [] }));
  t.equal(judged(ERRORS, only).verdict, 'tripped', 'a single gateway has no others');
  const most = seconds(1, 60, side({ gateways: { a: counts(1, 0), b: bad }, groups: [] }));
  t.equal(judged(ERRORS, most).verdict, 'tripped', 'the others are less than a tenth');
});

void t.test('one user or two whose requests all fail roll nobody back, three do', async (t) => {
  const sick = (users: number): Slot[] => {
    const groups = Array.from({ length: 16 }, (_, at) => (at < users ? counts(4, 4) : counts(4, 0)));
    return seconds(1, 60, side({ gateways: { a: counts(64, 4 * users) }, groups }));
  };
  const condition = made('errorRate', 0.01);
  t.match(judged(condition, sick(1)), { verdict: 'uncertain', figures: { apart: { userGroups: [0] } } });
  t.match(judged(condition, sick(2)), { verdict: 'uncertain', figures: { apart: { userGroups: [0, 1] } } });
  t.equal(judged(condition, sick(3)).verdict, 'tripped');
});

void t.test('with few active user groups fewer are left out', async (t) => {
  const sick = (users: number, active: number): Judgement => {
    const groups = Array.from({ length: active }, (_, at) => (at < users ? counts(4, 4) : counts(4, 0)));
    return judged(ERRORS, seconds(1, 60, side({ gateways: { a: counts(4 * active, 4 * users) }, groups })));
  };
  t.equal(sick(2, 7).verdict, 'tripped', 'of seven one is left out');
  t.equal(sick(1, 4).verdict, 'uncertain');
  t.equal(sick(1, 3).verdict, 'tripped', 'of three none');
});

void t.test('a slow backend trips by its mean, and its few slowest requests do not', async (t) => {
  const condition = made('meanLatencyMs', 1000);
  const slow = judged(condition, seconds(1, 30, even(counts(20, 0, 1500))));
  t.match(slow, { verdict: 'tripped', path: 'overwhelming' });
  t.ok((slow.figures.lower ?? 0) > 1000 && (slow.figures.value ?? 0) > 1300);
  // 2 % take five minutes: a mean of 6 s, but one of 0.3 s with each counted as at most 10 s.
  const latency = new Map([
    [latencyBin(100), 98],
    [latencyBin(300_000), 2],
  ]);
  const few = judged(condition, seconds(1, 30, even({ ...NO_COUNTS, requests: 100, latency })));
  t.equal(few.verdict, 'uncertain', 'not healthy either: its mean is measured to be over');
  t.ok((few.figures.upper ?? 0) < 1000);
});

void t.test('a quantile trips when more requests than it allows are slower', async (t) => {
  const latency = (slow: number): Counts => ({
    ...NO_COUNTS,
    requests: 100,
    latency: new Map([
      [latencyBin(100), 100 - slow],
      [latencyBin(2000), slow],
    ]),
  });
  const condition = made('p90LatencyMs', 1000);
  t.equal(judged(condition, seconds(1, 30, even(latency(20)))).verdict, 'tripped');
  t.equal(judged(condition, seconds(1, 30, even(latency(10)))).verdict, 'uncertain');
  const good = judged(condition, seconds(1, 30, even(latency(5))));
  t.equal(good.verdict, 'healthy');
  t.ok((good.figures.upper ?? 0) < 120 && (good.figures.lower ?? 0) > 90, 'the bin of 100 ms');
});

void t.test('a backend that answers nobody trips by its stalled requests', async (t) => {
  const condition = made('stalledShare', 0.5);
  const slots = [...seconds(1, 30, even(counts(200))), slot(31, even({ ...NO_COUNTS, stalled: 50 }))];
  t.match(judged(condition, slots), { verdict: 'tripped', path: 'overwhelming' });
  // Those that end after all were counted when they stalled.
  const late = { ...counts(50, 0, 1500), late: 50 };
  t.match(judged(condition, [...slots, slot(32, even(late))]).figures, { requests: 29 * 200 + 50 - 200 });
});

void t.test('mismatches are a share of the compared reads', async (t) => {
  const condition = made('mismatchShare', 0.01);
  const slots = seconds(1, 60, even({ ...counts(100), compared: 10, mismatched: 1 }, 1));
  t.match(judged(condition, slots), { figures: { requests: 300, value: 0.1 } });
  t.equal(judged(condition, seconds(1, 60, even(counts(100)))).verdict, 'no-data');
});

void t.test(
  'the mirror backlog is a level: the last one in each window, and no data where nobody knows it',
  async (t) => {
    const condition = made('mirrorBacklog', 100);
    const at = (level: number | undefined) => (second: number) => slot(second, NOTHING, NOTHING, level);
    const range = (from: number, to: number): number[] =>
      Array.from({ length: to - from + 1 }, (_, i) => from + i);
    t.equal(judged(condition, range(1, 60).map(at(undefined))).verdict, 'no-data');
    t.match(judged(condition, range(1, 60).map(at(100))), { verdict: 'healthy', figures: { value: 100 } });
    t.equal(judged(condition, range(1, 60).map(at(101))).verdict, 'uncertain');
    const slots = range(1, 90).map(at(101));
    t.match(judged(condition, slots), { verdict: 'tripped', path: 'windows' });
    t.equal(firstBadSecond(condition, slots, 90), 1);
    t.equal(judged(condition, [...slots, at(5)(91)]).verdict, 'healthy');
  },
);

void t.test('with both thresholds, legacy excuses what it is shown to do itself', async (t) => {
  const condition = made('errorRate', 0.05, { overLegacy: 1.5 });
  const bad = even(counts(100, 20));
  const trippedBeside = (legacy: Counts): Judgement => judged(condition, seconds(1, 60, bad, even(legacy)));
  t.equal(trippedBeside(counts(100, 1)).verdict, 'tripped');
  t.match(trippedBeside(counts(100, 20)).verdict, /healthy|uncertain/);
  t.equal(trippedBeside(counts(100, 10)).verdict, 'tripped', '20 % is over 1.5 × 10 %');
  t.equal(trippedBeside(NO_COUNTS).figures.threshold, 0.05, 'silent legacy excuses nothing');
  t.equal(trippedBeside(counts(100, 100)).verdict, 'healthy');
});

void t.test(
  'against legacy alone both must have requests, and new has to be worse for certain',
  async (t) => {
    for (const metric of ['errorRate', 'meanLatencyMs', 'p90LatencyMs', 'stalledShare'] as const) {
      const condition = made(metric, undefined, { overLegacy: 1.5 });
      const fresh = even({ ...counts(100, 20, 3000), stalled: 40, late: 20 });
      t.equal(judged(condition, seconds(1, 90, fresh)).verdict, 'no-data', metric);
      const good = even({ ...counts(100, 5, 1000), stalled: 10, late: 5 });
      t.equal(judged(condition, seconds(1, 90, fresh, good)).verdict, 'tripped', metric);
      t.match(judged(condition, seconds(1, 90, fresh, fresh)).verdict, /uncertain|healthy/, metric);
    }
  },
);

void t.test(
  'the newest second is a part of the latest window, later ones and older ones are not',
  async (t) => {
    const slots = [...seconds(1, 30, even(counts(10))), ...seconds(31, 60, even(counts(10, 1)))];
    t.match(judged(ERRORS, slots, 60).figures, { requests: 300, value: 0.1 });
    t.match(judged(ERRORS, slots, 30).figures, { requests: 300, value: 0 });
  },
);

void t.test('the figures say who reported', async (t) => {
  const slots = seconds(1, 30, even(counts(30), 3), even(counts(5), 1));
  t.same(judged(ERRORS, slots).figures.gateways, ['g1', 'g2', 'g3']);
  t.match(judged(ERRORS, slots).figures, { legacyRequests: 150, legacyValue: 0 });
});

void t.test('the first bad second is that of the failures that go on, not of an old one', async (t) => {
  const slots = [
    ...seconds(1, 4, even(counts(20))),
    slot(5, even(counts(20, 1))),
    ...seconds(6, 100, even(counts(20))),
    ...seconds(101, 110, even(counts(20, 10))),
  ];
  t.equal(firstBadSecond(ERRORS, slots, 110), 101);
  t.equal(firstBadSecond(ERRORS, seconds(1, 50, even(counts(20))), 50), undefined);
});

void t.test('a pause that hits both backends in the same second trips nothing', async (t) => {
  const calm = seconds(1, 60, even(counts(160, 0, 20)), even(counts(40, 0, 20)));
  const slow = even(counts(160, 0, 900));
  for (const condition of [
    made('p50LatencyMs', undefined, { overLegacy: 2 }),
    made('meanLatencyMs', 100, { overLegacy: 1.2 }),
  ]) {
    const both = [...calm, slot(61, slow, even(counts(40, 0, 900)))];
    t.not(judged(condition, both).verdict, 'tripped', condition.metric);
    const one = [...calm, slot(61, slow, even(counts(40, 0, 20)))];
    t.equal(judged(condition, one).verdict, 'tripped', condition.metric);
    const unknown = [...calm, slot(61, slow, even(counts(4, 0, 900)))];
    t.equal(judged(condition, unknown).verdict, 'tripped', 'too few requests to legacy excuse nothing');
  }
});
