/** Several hosts on real stores, with gateways and readers: one trip, one change, also when a host is killed in between. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { ConfigModel } from '../../src/config/model.ts';
import type { GuardAction } from '../../src/guard/condition.ts';
import type { Trip } from '../../src/guard/guard-control.ts';
import type { OpenControl } from '../../src/workers/open-control.ts';
import { openControl } from '../../src/workers/open-control.ts';
import { type GatewaysWorld, gatewaysWorld, untilLive } from '../cutover/gateways.ts';
import { untilOver } from '../cutover/until-over.ts';
import { within } from '../harness/within.ts';
import { FailingBackends, Readers } from './failing-backends.ts';
import type { Death, HostMessage } from './host-process.ts';

const ENDING = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const HOST = fileURLToPath(new URL(`./host-process${ENDING}`, import.meta.url));

/** Every condition does that. */
function acting(config: ConfigModel, action: GuardAction): ConfigModel {
  const conditions = config.guard.conditions.map((condition) => ({ ...condition, action }));
  return { ...config, guard: { ...config.guard, action, conditions } };
}

interface Scene extends GatewaysWorld {
  readonly backends: FailingBackends;
  readonly readers: Readers;
}

/** Two gateways, a cohort that is live, and readers who get their answers from `new`. */
async function scene(t: Test, action: GuardAction): Promise<Scene> {
  const backends = await FailingBackends.start(t);
  const world = await gatewaysWorld(
    t,
    { port: (owner) => backends.ports[owner] },
    { cohorts: [{ name: 'movers', default: true, stage: 'shadow' }], guard: { action } },
  );
  const gateways = [await world.start('one'), await world.start('two')];
  const { control } = world;
  await untilLive(control, 2);
  const request = { cohort: 'movers', stage: 'live', ramp: undefined, dirtyUsers: 'drain' } as const;
  const author = { actor: 'ops', reason: 'test', expectedEpoch: undefined, idempotencyKey: undefined };
  t.match(await untilOver(control, await control.changeStage({ ...request, ...author })), { phase: 'done' });
  const ports = gateways.map(({ port }) => port);
  const readers = new Readers(ports, 24, 100);
  t.teardown(() => readers.stop());
  await within(readers.until('new'), 'answers of new');
  return { ...world, backends, readers };
}

async function host(t: Test, config: ConfigModel): Promise<OpenControl> {
  const opened = await openControl(() => config, pino({ level: 'silent' }));
  if (opened === undefined) throw new Error('no control service');
  t.teardown(() => opened.close());
  return opened;
}

async function inForce({ guard }: OpenControl): Promise<Trip> {
  const found = async (): Promise<Trip> => {
    for (;;) {
      const trips = await guard.trips(undefined, 100, 'movers');
      const trip = trips.find(({ action }) => action === 'rollback');
      if (trip?.inForceAt !== undefined) return trip;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return within(found(), 'a trip in force', 40_000);
}

void t.test('three hosts see a dead backend, and take the cohort back once', async (t) => {
  const { config, control, backends, readers } = await scene(t, 'rollback');
  const hosts = [await host(t, config), await host(t, config)];
  const [first] = hosts;
  if (first === undefined) return;
  backends.isBroken = true;
  const brokenAt = Date.now();
  await within(readers.until('legacy'), 'answers of legacy', 30_000);
  t.comment(`legacy after ${Date.now() - brokenAt} ms`);
  const trip = await inForce(first);
  // Evidence may be enough before the other gateway has told what it counted.
  t.ok(trip.figures.gateways.length > 0 && trip.figures.gateways.every((id) => id === 'one' || id === 'two'));
  // Whoever was late has looked at the record again by then.
  const later = new Promise<void>((resolve) => {
    let ticks = 0;
    const stop = first.guard.onTick(() => {
      ticks += 1;
      if (ticks < 8) return;
      stop();
      resolve();
    });
  });
  await within(later, 'ticks');
  t.equal((await first.guard.trips(undefined, 100)).length, 1);
  const rollbacks = (await control.changes(undefined, 100)).filter(({ kind }) => kind === 'rollback');
  t.match(rollbacks, [{ id: trip.change, idempotencyKey: `guard-${trip.id}-0`, phase: 'done' }]);
  t.equal(rollbacks.length, 1);
});

for (const dies of ['row', 'change'] as const satisfies readonly Death[]) {
  void t.test(`a host is killed right after the ${dies}: another one takes the cohort back`, async (t) => {
    // The hosts that live would only warn: so it is the other one that trips.
    const { config, control, backends, readers } = await scene(t, 'warn');
    const survivor = await host(t, config);
    const victim = fork(HOST, [], { serialization: 'advanced' });
    t.teardown(() => victim.kill('SIGKILL'));
    const message: HostMessage = { config: acting(config, 'rollback'), dies };
    victim.send(message);
    await within(once(victim, 'message'), 'the start of the host', 20_000);
    const killed = once(victim, 'exit');
    backends.isBroken = true;
    t.match(await within(killed, 'the death of the host', 30_000), [null, 'SIGKILL']);
    const trip = await inForce(survivor);
    await within(readers.until('legacy'), 'answers of legacy', 20_000);
    t.match(trip, { action: 'rollback', stage: 'live' });
    const rollbacks = (await control.changes(undefined, 100)).filter(({ kind }) => kind === 'rollback');
    const [done, ...undone] = rollbacks;
    t.match(done, { id: trip.change, phase: 'done', actor: 'guard' });
    t.same(
      undone.map(({ phase }) => phase),
      dies === 'row' ? [] : ['undone'],
      'the change that nobody ran is undone, and made again',
    );
    t.equal(
      (await survivor.guard.trips(undefined, 100)).filter(({ action }) => action === 'rollback').length,
      1,
    );
  });
}
