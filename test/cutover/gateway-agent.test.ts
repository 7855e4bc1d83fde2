import { pino } from 'pino';
import t, { type Test } from 'tap';
import { GatewayAgent, type GatewayAgentOptions } from '../../src/cutover/gateway-agent.ts';
import { InFlightWrites } from '../../src/cutover/in-flight-writes.ts';
import { createSnapshot } from '../../src/state/snapshot.ts';
import { cohort } from '../decision/fixtures.ts';
import { MemoryState } from '../harness/memory-state.ts';
import { within } from '../harness/within.ts';
import { MemoryChanges, MemoryControlMap } from './memory-stores.ts';

const COHORTS = [cohort({ name: 'movers', stage: 'shadow' })];

function setUp(t: Test, over: Partial<GatewayAgentOptions> = {}) {
  const registry = new MemoryChanges(COHORTS);
  const map = new MemoryControlMap(COHORTS);
  const state = new MemoryState(COHORTS);
  const writes = new InFlightWrites();
  const clock = { ms: 0 };
  const agent = new GatewayAgent({
    id: 'a',
    where: 'here',
    registry,
    map,
    state,
    writes,
    digest: 'd',
    // Renewals come when something happens, or hours later.
    selfFenceAfterMs: 100_000_000,
    alone: false,
    log: pino({ level: 'silent' }),
    now: () => clock.ms,
    startMs: 200,
    ...over,
  });
  t.teardown(() => agent.close());
  map.onSnapshot = (snapshot) => state.replace(snapshot);
  const lease = async (drained: number): Promise<void> => {
    const reached = async (): Promise<void> => {
      while (map.current.get('a')?.drained !== drained) await new Promise((resolve) => setImmediate(resolve));
    };
    await within(reached(), `a lease that says that ${drained} has drained`);
  };
  return { agent, registry, map, state, writes, clock, lease };
}

void t.test('a gateway is known before it listens, and no more when it has closed in order', async (t) => {
  const { agent, registry, map } = setUp(t);
  await agent.start();
  t.match(registry.gateways.get('a'), { where: 'here' });
  t.match(map.current.get('a'), { applied: 1, drained: 1, digest: 'd' });
  await agent.close();
  t.equal(registry.gateways.size, 0);
  t.equal(map.current.size, 0);
});

void t.test('what it has applied and drained is said at once', async (t) => {
  const { agent, map, writes, lease } = setUp(t);
  await agent.start();
  const write = { countedIn: undefined };
  writes.enter(write, 'nina', 'movers', true);
  await map.hold('x', 1, { held: ['movers'], users: [] });
  t.match(agent.acknowledged, { applied: 2, drained: 1 }, 'in the turn in which it is applied');
  const applied = async (): Promise<void> => {
    while (map.current.get('a')?.applied !== 2) await new Promise((resolve) => setImmediate(resolve));
  };
  await within(applied(), 'a lease that says that 2 is applied');
  t.equal(map.current.get('a')?.drained, 1);
  writes.end(write, 'nina');
  await lease(2);
});

void t.test('a record that does not answer keeps no gateway from serving', async (t) => {
  const { agent, registry, map } = setUp(t);
  registry.registerGateway = async () => {
    throw new Error('no Postgres');
  };
  await agent.start();
  t.ok(map.current.has('a'), 'its lease makes it count');
});

void t.test('a gateway that cannot catch up with the map does not start', async (t) => {
  const { agent, map, registry, clock } = setUp(t);
  map.renewLease = async () => {
    clock.ms += 100;
    return 99;
  };
  await t.rejects(agent.start(), /could not be caught up with/u);
  t.equal(registry.gateways.size, 0);
});

void t.test('it is fenced when the last renewal that counts is too long ago', async (t) => {
  const { agent, map, clock, state } = setUp(t);
  await agent.start();
  clock.ms = 99_999_999;
  t.equal(agent.fenced, false);
  clock.ms = 100_000_000;
  t.equal(agent.fenced, true, 'by elapsed time alone, whatever timers did');

  // The map answers again, but knows of a change that this gateway has yet to apply.
  map.onSnapshot = () => {};
  await map.hold('x', 1, { held: ['movers'], users: [] });
  const renewals = map.current.get('a')?.counter ?? 0;
  agent.reconfigure('another digest');
  const renewed = async (): Promise<void> => {
    while ((map.current.get('a')?.counter ?? 0) === renewals)
      await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  };
  await within(renewed(), 'a renewal');
  t.equal(map.current.get('a')?.digest, 'another digest');
  t.equal(agent.fenced, true, 'it may not act on what it knew before');
  state.replace(map.snapshot);
  t.equal(agent.fenced, false);
});

void t.test('a gateway that does not follow the map renews nothing', async (t) => {
  const { agent, map, state } = setUp(t);
  await agent.start();
  const renewals = map.current.get('a')?.counter;
  state.attach('detached');
  state.replace(createSnapshot({ mapId: 'memory', epoch: 2, cohorts: COHORTS }));
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  t.equal(map.current.get('a')?.counter, renewals);
});

void t.test('where the map is in the process itself there is nothing to be fenced from', async (t) => {
  const { agent, clock } = setUp(t, { alone: true });
  await agent.start();
  clock.ms = 1_000_000_000;
  t.equal(agent.fenced, false);
});
