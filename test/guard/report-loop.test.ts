import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import t from 'tap';
import { badNewsOf } from '../../src/guard/bad-news.ts';
import { ReportLoop } from '../../src/guard/report-loop.ts';
import { type Counts, NO_COUNTS } from '../../src/guard/slot.ts';
import type { GatewayReport } from '../../src/guard/slot-feed.ts';

const SOMETHING: GatewayReport['cohorts'] = new Map([
  ['free', { new: { byGroup: new Map(), kinds: { status: 1 } } }],
]);
const NOTHING: GatewayReport['cohorts'] = new Map();

/** So many requests to `new` in one user group. */
function toNew(counts: Partial<Counts>): GatewayReport['cohorts'] {
  return new Map([['free', { new: { byGroup: new Map([[3, { ...NO_COUNTS, ...counts }]]), kinds: {} } }]]);
}

const BAD = toNew({ requests: 10, failed: 1 });
const GOOD = toNew({ requests: 10 });

/** A loop whose ticks are the test's own, between counts and a feed that the test answers for. */
function loop() {
  const clock = { ms: 0 };
  const events: string[] = [];
  const told: GatewayReport[] = [];
  const state = { counted: NOTHING, drained: 0, ticked: 0, publish: async (): Promise<void> => {} };
  /** What is to be done between two ticks. */
  const early: { readonly ms: number; readonly run: () => void; isCancelled: boolean }[] = [];
  const log = pino({}, { write: (line: string) => void events.push(JSON.parse(line).event) });
  const telling = new ReportLoop({
    gateway: 'one',
    counter: {
      ticked: () => void (state.ticked += 1),
      drain: () => {
        const { counted } = state;
        state.counted = NOTHING;
        state.drained += 1;
        return counted;
      },
    },
    feed: {
      publish: (report) => {
        told.push(report);
        return state.publish();
      },
    },
    log,
    now: () => clock.ms,
    after: (ms, run) => {
      const one = { ms, run, isCancelled: false };
      early.push(one);
      return () => {
        one.isCancelled = true;
      };
    },
  });
  /** The time of the next telling between two ticks comes; resolves when it is told. */
  const comeEarly = async (): Promise<void> => {
    early.shift()?.run();
    await setImmediate();
  };
  return { telling, clock, events, told, state, early, comeEarly };
}

void t.test('counts are told in the tick in which they were counted', async (t) => {
  const { telling, told, state } = loop();
  state.counted = SOMETHING;
  await telling.tick();
  t.same(told, [{ gateway: 'one', cohorts: SOMETHING }]);
  t.equal(telling.published, 1);
});

void t.test('a gateway without requests tells so once a second', async (t) => {
  const { telling, told, clock } = loop();
  for (; clock.ms < 3_000; clock.ms += 250) await telling.tick();
  t.equal(told.length, 3);
  t.equal(told[0]?.cohorts.size, 0);
});

void t.test('while one telling is under way nothing is told, and the next one has it all', async (t) => {
  const { telling, told, state } = loop();
  const { promise, resolve } = Promise.withResolvers<void>();
  state.publish = () => promise;
  state.counted = SOMETHING;
  const first = telling.tick();
  state.counted = SOMETHING;
  await telling.tick();
  t.equal(told.length, 1);
  t.equal(state.drained, 1, 'counting went on');
  resolve();
  await first;
  state.publish = async () => {};
  await telling.tick();
  t.equal(told.length, 2);
  t.equal(told[1]?.cohorts.size, 1);
});

void t.test(
  'counts that cannot be told are dropped and counted, and it is tried once a second',
  async (t) => {
    const { telling, told, state, clock, events } = loop();
    state.publish = () => Promise.reject(new Error('Redis is away'));
    state.counted = SOMETHING;
    await telling.tick();
    t.equal(telling.dropped, 1);
    for (clock.ms = 250; clock.ms < 1_000; clock.ms += 250) {
      state.counted = SOMETHING;
      await telling.tick();
    }
    t.equal(told.length, 1, 'nothing was tried');
    t.equal(telling.dropped, 4);
    await telling.tick();
    t.equal(told.length, 2);
    t.equal(telling.dropped, 4, 'there was nothing to be dropped');
    state.publish = async () => {};
    clock.ms += 1_000;
    state.counted = SOMETHING;
    await telling.tick();
    t.equal(told.length, 3);
    t.equal(telling.published, 1);
    t.same(events, ['counts_dropped', 'counts_told']);
  },
);

void t.test('what was counted while a telling failed is dropped with it', async (t) => {
  const { telling, state } = loop();
  const { promise, reject } = Promise.withResolvers<void>();
  state.publish = () => promise;
  const first = telling.tick();
  state.counted = SOMETHING;
  reject(new Error('Redis is away'));
  await first;
  t.equal(state.counted.size, 0);
  t.equal(telling.dropped, 1);
});

void t.test('a loop that is closed tells nothing, and its last failure is nobody’s', async (t) => {
  const { telling, told, state, events } = loop();
  const { promise, reject } = Promise.withResolvers<void>();
  state.publish = () => promise;
  telling.start();
  const last = telling.tick();
  telling.close();
  reject(new Error('closed'));
  await last;
  await telling.tick();
  t.equal(told.length, 1);
  t.same(events, []);
});

void t.test(
  'behind bad news the next counts are told before the next tick, until they are good',
  async (t) => {
    const { telling, told, state, early, comeEarly } = loop();
    state.counted = BAD;
    await telling.tick();
    t.same(
      early.map(({ ms }) => ms),
      [50],
    );
    state.counted = BAD;
    await comeEarly();
    t.equal(told.length, 2, 'without a tick');
    t.equal(state.ticked, 1, 'and it is none: the counter’s time goes by ticks');
    t.equal(early.length, 1);
    state.counted = GOOD;
    await comeEarly();
    t.equal(told.length, 3);
    t.equal(early.length, 0);
    await telling.tick();
    t.equal(state.ticked, 2);
  },
);

void t.test('what was counted since brings no telling forward: only what was told does', async (t) => {
  const { telling, told, state, early } = loop();
  state.counted = GOOD;
  await telling.tick();
  state.counted = BAD;
  await setImmediate();
  t.equal(told.length, 1);
  t.equal(early.length, 0);
});

void t.test('there is bad news where a tenth of what is told of new failed or stalled', (t) => {
  const cases: [string, GatewayReport['cohorts'], boolean][] = [
    ['nothing', NOTHING, false],
    ['good requests', GOOD, false],
    ['a tenth failed', BAD, true],
    ['less than a tenth failed', toNew({ requests: 11, failed: 1 }), false],
    ['stalled, and none ended', toNew({ stalled: 1 }), true],
    ['stalled, of many', toNew({ requests: 10, stalled: 1 }), false],
    ['late ones, which were told as stalled', toNew({ requests: 10, late: 10 }), false],
    ['late ones that failed', toNew({ requests: 20, late: 20, failed: 1 }), true],
    ['mismatches', toNew({ requests: 10, compared: 10, mismatched: 10 }), false],
    [
      'legacy fails',
      new Map([['free', { legacy: BAD.get('free')?.new ?? { byGroup: new Map(), kinds: {} } }]]),
      false,
    ],
    ['one cohort of two', new Map([...BAD, ['staff', GOOD.get('free') ?? {}]]), true],
  ];
  for (const [what, cohorts, isBad] of cases) t.same(badNewsOf({ cohorts }), isBad ? ['free'] : [], what);
  t.end();
});

void t.test('bad news that lasts is told early once a second, after two seconds of it', async (t) => {
  const { telling, told, state, early, comeEarly } = loop();
  const second = async (): Promise<number> => {
    const before = told.length;
    for (let tick = 0; tick < 4; tick += 1) {
      state.counted = BAD;
      await telling.tick();
      for (let count = 0; count < 4 && early.length > 0; count += 1) {
        state.counted = BAD;
        await comeEarly();
      }
    }
    return told.length - before;
  };
  t.equal(await second(), 20);
  await second();
  await second();
  t.equal(await second(), 5);
  t.equal(await second(), 5);
});

void t.test('one telling between two ticks is to come at a time', async (t) => {
  const { telling, state, early } = loop();
  state.counted = BAD;
  await telling.tick();
  state.counted = BAD;
  await telling.tick();
  t.equal(early.length, 1);
});

void t.test('after the end nothing is told between ticks either', async (t) => {
  const { telling, state, told, early, comeEarly } = loop();
  state.counted = BAD;
  await telling.tick();
  telling.close();
  t.equal(early[0]?.isCancelled, true);
  await comeEarly();
  t.equal(told.length, 1);
});

void t.test('bad news that could not be told is not followed up', async (t) => {
  const { telling, state, early } = loop();
  state.publish = () => Promise.reject(new Error('Redis is away'));
  state.counted = BAD;
  await telling.tick();
  t.equal(early.length, 0);
});
