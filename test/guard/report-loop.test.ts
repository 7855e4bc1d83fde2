import { pino } from 'pino';
import t from 'tap';
import { ReportLoop } from '../../src/guard/report-loop.ts';
import type { GatewayReport } from '../../src/guard/slot-feed.ts';

const SOMETHING: GatewayReport['cohorts'] = new Map([
  ['free', { new: { byGroup: new Map(), kinds: { status: 1 } } }],
]);
const NOTHING: GatewayReport['cohorts'] = new Map();

/** A loop whose ticks are the test's own, between counts and a feed that the test answers for. */
function loop() {
  const clock = { ms: 0 };
  const events: string[] = [];
  const told: GatewayReport[] = [];
  const state = { counted: NOTHING, drained: 0, publish: async (): Promise<void> => {} };
  const log = pino({}, { write: (line: string) => void events.push(JSON.parse(line).event) });
  const telling = new ReportLoop({
    gateway: 'one',
    counter: {
      ticked: () => undefined,
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
  });
  return { telling, clock, events, told, state };
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
