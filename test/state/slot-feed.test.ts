/** The counts on their way to those who judge: through a real Redis, and in memory. */
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { AttemptCounter } from '../../src/guard/attempt-counter.ts';
import { ReportLoop } from '../../src/guard/report-loop.ts';
import { FAILURE_KINDS } from '../../src/guard/slot.ts';
import type { GatewayReport, SlotFeed } from '../../src/guard/slot-feed.ts';
import { SlotWindows } from '../../src/guard/slot-windows.ts';
import { createSlotFeed } from '../../src/state/create-slot-feed.ts';
import { MemorySlotFeed } from '../../src/state/memory-slot-feed.ts';
import type { RedisModel } from '../../src/state/redis-client.ts';
import { REPORTS_MAX } from '../../src/state/redis-keys.ts';
import { RedisSlotFeed } from '../../src/state/redis-slot-feed.ts';
import { type RedisFixture, startRedis } from '../fixtures/redis.ts';
import { log, redisModel } from './redis-setup.ts';

function report(gateway: string, failures = 1): GatewayReport {
  const counter = new AttemptCounter({ failures: FAILURE_KINDS, stalledAfterMs: 1_000 }, () => 0);
  for (let i = 0; i < failures; i += 1) counter.begin('free', 'new', `user ${i}`, 0).over('backend_refused');
  return { gateway, cohorts: counter.drain() };
}

function gatewaysOf(reports: readonly GatewayReport[]): string[] {
  return reports.map(({ gateway }) => gateway);
}

function feedOf(t: Test, { url }: RedisFixture, over: Partial<RedisModel> = {}): RedisSlotFeed {
  const feed = new RedisSlotFeed(redisModel({ url, ...over }), log);
  t.teardown(() => feed.close());
  return feed;
}

const KEY = '{turnout}:slots';

async function feedContract(t: Test, feed: SlotFeed): Promise<void> {
  t.same(await feed.read(), []);
  const told = report('one', 3);
  await feed.publish(told);
  await feed.publish(report('two'));
  const [first, second, ...more] = await feed.read();
  t.same(first?.cohorts, told.cohorts);
  t.equal(second?.gateway, 'two');
  t.same(more, []);
  t.ok(second !== undefined && first !== undefined && second.atMs >= first.atMs);
  t.same(await feed.read(), [], 'nothing is read twice');

  const heard: Promise<readonly GatewayReport[]>[] = [];
  const forget = feed.onBadNews(() => void heard.push(feed.read()));
  await feed.publish(report('one', 0));
  t.equal(heard.length, 0, 'no news');
  await feed.publish(report('two'));
  t.equal(heard.length, 1, 'bad news');
  t.same(gatewaysOf((await heard[0]) ?? []), ['one', 'two'], 'it can be read then');
  forget();
  await feed.publish(report('two'));
  t.equal(heard.length, 1);
  await feed.read();
}

void t.test(
  'in memory what is told is read once, in order, with its moment; bad news calls for it',
  async (t) => {
    await feedContract(t, createSlotFeed({ state: { kind: 'embedded', userCacheMax: 10 } }, log));
    let ms = 5_000;
    const feed = new MemorySlotFeed(() => ms);
    await feed.publish(report('one'));
    ms = 1_000;
    await feed.publish(report('one'));
    t.same(
      (await feed.read()).map(({ atMs }) => atMs),
      [5_000, 5_000],
    );
  },
);

void t.test('in memory what nobody reads is bounded', async (t) => {
  const feed = new MemorySlotFeed(() => 0);
  for (let i = 0; i < 3_000; i += 1) await feed.publish(report(`${i}`, 0));
  const reports = await feed.read();
  t.equal(reports.length, 2_400);
  t.equal(reports.at(-1)?.gateway, '2999');
});

void t.test('through Redis', async (t) => {
  const redis = await startRedis(t, { disposable: true });
  t.beforeEach(() => redis.client.flushall().then(() => undefined));

  await t.test('what is told is read once, in order, with its moment; bad news calls for it', (t) =>
    feedContract(t, feedOf(t, redis)),
  );

  await t.test('whoever reads is told of the last ten minutes first', async (t) => {
    const [seconds] = await redis.client.time();
    const nowMs = Number(seconds) * 1_000;
    const old = Buffer.from([1, 1, 0x61, 0]);
    await redis.client.xadd(KEY, `${nowMs - 700_000}-0`, 'r', old);
    await redis.client.xadd(KEY, `${nowMs - 500_000}-0`, 'r', old);
    await feedOf(t, redis).publish(report('now'));
    t.same(gatewaysOf(await feedOf(t, redis).read()), ['a', 'now']);
  });

  await t.test('more than a page is read at once', async (t) => {
    const feed = feedOf(t, redis);
    await feed.read();
    for (let i = 0; i < 2_100; i += 1) await feed.publish(report(`${i}`, 0));
    t.same(
      gatewaysOf(await feed.read()),
      Array.from({ length: 2_100 }, (_, i) => `${i}`),
    );
  });

  await t.test('the stream is bounded', async (t) => {
    const feed = feedOf(t, redis);
    const filling = redis.client.pipeline();
    for (let i = 0; i < REPORTS_MAX + 5_000; i += 1) filling.xadd(KEY, '*', 'r', 'x');
    await filling.exec();
    await feed.publish(report('one'));
    t.ok((await redis.client.xlen(KEY)) < REPORTS_MAX + 500);
  });

  await t.test('an entry that cannot be read is left out, and said once', async (t) => {
    const events: string[] = [];
    const telling = pino({}, { write: (line: string) => void events.push(JSON.parse(line).event) });
    const feed = new RedisSlotFeed(redisModel({ url: redis.url }), telling);
    t.teardown(() => feed.close());
    await feed.read();
    await redis.client.xadd(KEY, '*', 'r', 'of a later version');
    await redis.client.xadd(KEY, '*', 'r', Buffer.from([1, 200]));
    await feed.publish(report('one'));
    t.same(gatewaysOf(await feed.read()), ['one']);
    t.same(events, ['counts_unreadable']);
  });

  await t.test('two readers read all of it each', async (t) => {
    const [one, other] = [feedOf(t, redis), feedOf(t, redis)];
    await one.read();
    await one.publish(report('one'));
    await other.publish(report('two'));
    t.same(gatewaysOf(await one.read()), ['one', 'two']);
    t.same(gatewaysOf(await other.read()), ['one', 'two']);
  });

  await t.test('two gateways are summed by whoever judges, each by its id', async (t) => {
    const book = new SlotWindows(
      () => 150,
      () => performance.now(),
    );
    const judging = feedOf(t, redis);
    book.add(await judging.read());
    const gateways = ['one', 'two'].map((id, index) => {
      const counter = new AttemptCounter({ failures: FAILURE_KINDS, stalledAfterMs: 1_000 }, () => 0);
      for (let i = 0; i <= index; i += 1)
        counter.begin('free', 'new', `user ${i}`, 0).over('backend_refused');
      for (let i = 0; i < 10; i += 1) counter.begin('free', 'legacy', `user ${i}`, 0).answered(200);
      const options = { gateway: id, counter, feed: feedOf(t, redis), log, now: () => performance.now() };
      return new ReportLoop(options);
    });
    await Promise.all(gateways.map((gateway) => gateway.tick()));
    book.add(await judging.read());
    const slots = book.slots('free');
    const sumOf = (backend: 'legacy' | 'new', id: string, what: 'requests' | 'failed'): number =>
      slots.reduce((sum, slot) => sum + (slot[backend].byGateway.get(id)?.[what] ?? 0), 0);
    t.equal(sumOf('new', 'one', 'failed'), 1);
    t.equal(sumOf('new', 'two', 'failed'), 2);
    t.equal(sumOf('legacy', 'two', 'requests'), 10);
    t.equal(sumOf('legacy', 'two', 'failed'), 0);
    t.equal(
      slots.reduce((sum, slot) => sum + (slot.new.kinds.connect ?? 0), 0),
      3,
    );
  });

  await t.test('a wiped Redis is read on', async (t) => {
    const feed = feedOf(t, redis);
    await feed.publish(report('before'));
    t.same(gatewaysOf(await feed.read()), ['before']);
    await redis.client.flushall();
    t.same(await feed.read(), []);
    await feed.publish(report('after'));
    t.same(gatewaysOf(await feed.read()), ['after']);
  });

  await t.test('ids that go backwards are followed, and nothing is read twice', async (t) => {
    const feed = feedOf(t, redis);
    await feed.publish(report('first'));
    const [first] = await feed.read();
    const aheadMs = (first?.atMs ?? 0) + 3_600_000;
    // What a server whose clock is an hour ahead has taken, and lost when it failed.
    await redis.client.xadd(KEY, `${aheadMs}-0`, 'r', Buffer.from([1, 1, 0x61, 0]));
    const [ahead] = await feed.read();
    t.equal(ahead?.atMs, aheadMs);
    await redis.client.del(KEY);
    await feed.publish(report('in between'));
    t.same(await feed.read(), [], 'this read notices');
    await feed.publish(report('after'));
    const [after, ...more] = await feed.read();
    t.equal(after?.gateway, 'after');
    t.same(more, []);
    t.ok(after !== undefined && after.atMs >= aheadMs && after.atMs < aheadMs + 60_000, 'moments go on');
  });

  await t.test('without Redis a call fails, and the next one finds it again', async (t) => {
    const feed = feedOf(t, redis);
    await feed.publish(report('before'));
    await feed.read();
    await redis.kill();
    await t.rejects(feed.publish(report('lost')));
    await t.rejects(feed.read());
    await redis.startEmpty();
    await feed.publish(report('after'));
    // The first read after it may be the one that notices that ids went backwards.
    let reports = await feed.read();
    if (reports.length === 0) {
      await feed.publish(report('after'));
      reports = await feed.read();
    }
    t.same(gatewaysOf(reports), ['after']);
  });

  await t.test('a Redis that says nothing fails a call within its bound', async (t) => {
    const feed = feedOf(t, redis, { commandMs: 100 });
    await feed.publish(report('before'));
    redis.freeze();
    t.teardown(() => redis.thaw());
    await t.rejects(feed.publish(report('lost')), /did not answer within 100 ms/u);
  });

  await t.test('a feed that is closed fails its calls', async (t) => {
    const feed = feedOf(t, redis);
    feed.close();
    await t.rejects(feed.publish(report('late')), /closed/u);
  });
});
