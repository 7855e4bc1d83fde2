/** One process with embedded stores: the guard takes a cohort back, once, and a person lets it go again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Control } from '../../src/cutover/control.ts';
import { type GuardControl, GuardTrippedError, type Trip } from '../../src/guard/guard-control.ts';
import type { Stage } from '../../src/model.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { openGateway } from '../../src/workers/open-gateway.ts';
import { untilLive } from '../cutover/gateways.ts';
import { untilOver } from '../cutover/until-over.ts';
import { testConfig } from '../harness/gateway.ts';
import { within } from '../harness/within.ts';
import { FailingBackends, Readers } from './failing-backends.ts';

const OPS = { actor: 'ops', reason: 'test' };

async function setStage(control: Control, stage: Stage) {
  const begun = await control.changeStage({
    ...OPS,
    cohort: 'movers',
    stage,
    ramp: undefined,
    dirtyUsers: 'drain',
    expectedEpoch: undefined,
    idempotencyKey: undefined,
  });
  return untilOver(control, begun);
}

/** A process with embedded stores, a cohort that is live, and readers who get their answers from `new`. */
async function scene(t: Test, users: number, pauseMs: number) {
  const backends = await FailingBackends.start(t);
  const dir = await mkdtemp(join(tmpdir(), 'turnout-guard-'));
  const config = testConfig({
    backends: backends.ports,
    settings: {
      record: { kind: 'embedded', dir },
      cohorts: [{ name: 'movers', default: true, stage: 'shadow' }],
    },
  });
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const telemetry = createTelemetry({ level: 'info', accessSample: 0, destination });
  t.teardown(async () => {
    telemetry.close();
    await rm(dir, { recursive: true, force: true });
  });
  const gateway = await openGateway(config, telemetry);
  const { control, guard } = gateway;
  if (control === undefined || guard === undefined) throw new Error('no guard');
  await untilLive(control, 1);
  t.match(await setStage(control, 'live'), { phase: 'done' });
  const readers = new Readers([gateway.address.port], users, pauseMs);
  await within(readers.until('new'), 'answers of new');
  t.match(await guard.status(), [{ cohort: 'movers', stage: 'live', phase: 'armed' }]);
  return { backends, gateway, control, guard, readers, lines };
}

async function inForce(guard: GuardControl): Promise<Trip> {
  const settled = async (): Promise<Trip> => {
    for (;;) {
      const [trip] = await guard.trips(undefined, 10, 'movers');
      if (trip?.inForceAt !== undefined) return trip;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return within(settled(), 'the trip in force', 30_000);
}

void t.test(
  'a backend that fails is left within seconds, and for good until a person has seen to it',
  async (t) => {
    const { backends, gateway, control, guard, readers, lines } = await scene(t, 20, 80);
    backends.isBroken = true;
    const brokenAt = Date.now();
    await within(readers.until('legacy'), 'answers of legacy', 20_000);
    t.comment(`legacy after ${Date.now() - brokenAt} ms`);
    const trip = await inForce(guard);
    t.match(trip, { action: 'rollback', stage: 'live', note: undefined, clearedAt: undefined });
    t.ok(trip.figures.kinds['status'], 'the figures say how they failed');
    t.ok(Number(trip.inForceAt) - Number(trip.firstBadAt) < 20_000);
    t.comment(`in force ${Number(trip.inForceAt) - Number(trip.firstBadAt)} ms after the first failure`);
    t.match(await control.change(trip.change ?? ''), { kind: 'rollback', actor: 'guard', phase: 'done' });
    t.match(await guard.status('movers'), [{ stage: 'shadow', phase: 'tripped', trip: { id: trip.id } }]);

    await t.rejects(setStage(control, 'live'), GuardTrippedError);
    await t.rejects(
      guard.startRamp(
        'movers',
        {
          steps: [],
          gates: {
            guard: undefined,
            mismatchShareMax: undefined,
            comparedMin: undefined,
            mirrorBacklogMax: undefined,
          },
          automatic: true,
        },
        OPS,
      ),
      GuardTrippedError,
    );
    t.equal((await guard.trips(undefined, 10)).length, 1, 'it trips once');
    backends.isBroken = false;
    t.match(await guard.clear('movers', OPS), { id: trip.id, clearedBy: 'ops' });
    t.match(await setStage(control, 'live'), { phase: 'done' });
    await within(readers.until('new'), 'answers of new once more');
    t.equal((await guard.trips(undefined, 10)).length, 1, 'what was counted before says nothing any more');
    await readers.stop();
    await gateway.close({ graceMs: 1_000 });
    const events = lines.map((line) => String(JSON.parse(line).event));
    for (const event of ['guard_tripped', 'guard_in_force', 'guard_cleared'])
      t.equal(events.filter((each) => each === event).length, 1, event);
  },
);

void t.test('a backend that hangs is left, and reads that wait for it are answered', async (t) => {
  // Each waits for its answer: so many that those who wait are evidence enough.
  const { backends, gateway, control, guard, readers } = await scene(t, 80, 400);
  backends.isHanging = true;
  const hangingAt = Date.now();
  const trip = await inForce(guard);
  t.comment(`in force ${Number(trip.inForceAt) - hangingAt} ms after it began to hang`);
  t.match(trip, { action: 'rollback', condition: { metric: 'stalledShare' } });
  t.match(await control.cohorts(), [{ stage: 'shadow' }]);
  await within(readers.until('legacy'), 'answers of legacy', 20_000);
  await readers.stop();
  await gateway.close({ graceMs: 1_000 });
});
