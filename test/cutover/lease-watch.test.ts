import t from 'tap';
import { LeaseWatch } from '../../src/cutover/lease-watch.ts';
import type { Lease, RegisteredGateway } from '../../src/cutover/stores.ts';

const POLICY = { selfFenceAfterMs: 10_000, writeMaxMs: 5_000 };
const REGISTERED: readonly RegisteredGateway[] = [{ id: 'a', where: 'host', registeredAt: new Date(0) }];

function lease(counter: number): Lease {
  return { gateway: 'a', counter, applied: 1, drained: 1, settled: 1, digest: 'd' };
}

function watching(): {
  see: (ms: number, counter: number | undefined) => void;
  verdict: (ms: number) => string | undefined;
  watch: LeaseWatch;
} {
  const watch = new LeaseWatch(POLICY);
  return {
    watch,
    see: (ms, counter) => watch.see(ms, ms, REGISTERED, counter === undefined ? [] : [lease(counter)]),
    verdict: (ms) => watch.judge(ms)[0]?.liveness,
  };
}

void t.test('a lease that was not seen to move is no sign of life', async (t) => {
  const { see, verdict } = watching();
  see(0, 7);
  t.equal(verdict(0), 'silent');
  see(100, 8);
  t.equal(verdict(100), 'live');
});

void t.test('a lease that stands still is silent, then fenced, then settled', async (t) => {
  const { see, verdict, watch } = watching();
  see(0, 1);
  see(100, 2);
  see(6_000, 2);
  t.equal(verdict(6_000), 'live');
  see(6_200, 2);
  t.equal(verdict(6_200), 'silent');
  see(12_500, 2);
  t.equal(verdict(12_500), 'silent', 'the fence and its margin are counted from 100');
  see(12_600, 2);
  t.match(watch.judge(12_600), [{ liveness: 'fenced', settlesInMs: 5_000 }]);
  see(17_600, 2);
  t.match(watch.judge(17_600), [{ liveness: 'fenced', settlesInMs: 0, where: 'host' }]);
  see(17_700, 3);
  t.equal(verdict(17_700), 'live', 'it is back');
});

void t.test('a watcher that could not ask takes nobody for fenced', async (t) => {
  const { see, verdict, watch } = watching();
  see(0, 1);
  see(100, 2);
  t.equal(verdict(60_000), 'silent', 'nobody was asked since');
  watch.see(100, 60_000, REGISTERED, [lease(2)]);
  t.equal(verdict(60_000), 'silent', 'the answer may be as old as the question');
});

void t.test(
  'a gateway that never had a lease is fenced when it has been registered for long enough',
  async (t) => {
    const { see, verdict } = watching();
    see(0, undefined);
    t.equal(verdict(0), 'silent');
    see(12_500, undefined);
    t.equal(verdict(12_500), 'fenced');
  },
);

void t.test('an older answer, or a map that lost its leases, is no sign of life', async (t) => {
  const { see, verdict } = watching();
  see(0, 1);
  see(100, 5);
  see(7_000, 4);
  see(7_100, undefined);
  see(7_200, 5);
  t.equal(verdict(7_200), 'silent');
});

void t.test('a gateway with a lease counts before it could be registered', async (t) => {
  const watch = new LeaseWatch(POLICY);
  watch.see(0, 0, [], [lease(1)]);
  t.match(watch.judge(0), [{ id: 'a', registeredAt: undefined }]);
  watch.see(10, 10, [], []);
  t.same(watch.judge(10), [], 'and no longer when it has signed off');
});
