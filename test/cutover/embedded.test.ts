/** One process with embedded stores: a flip through its own control service, and what is left after a restart. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { createRecord } from '../../src/storage/create-record.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { openGateway } from '../../src/workers/open-gateway.ts';
import { testConfig } from '../harness/gateway.ts';
import { FlipLoad, RecordingBackends } from './flip-load.ts';
import { untilLive } from './gateways.ts';
import { untilOver } from './until-over.ts';

void t.test('a single process flips a cohort, and remembers it', async (t) => {
  const backends = await RecordingBackends.start(t);
  const dir = await mkdtemp(join(tmpdir(), 'turnout-embedded-'));
  const config = testConfig({
    backends: { legacy: backends.port('legacy'), new: backends.port('new') },
    settings: {
      record: { kind: 'embedded', dir },
      cohorts: [{ name: 'movers', default: true, stage: 'off' }],
    },
  });
  const telemetry = createTelemetry({ level: 'error', accessSample: 0, destination: { write: () => {} } });
  t.teardown(async () => {
    telemetry.close();
    await rm(dir, { recursive: true, force: true });
  });

  // A process that crashed: it is registered, and nobody can be it any more.
  const record = await createRecord(config.record, pino({ level: 'silent' }));
  await record.changes.registerGateway('crashed', 'before');
  await record.close();

  const first = await openGateway(config, telemetry);
  const { control } = first;
  if (control === undefined) throw new Error('no control service');
  await untilLive(control, 1);
  const load = new FlipLoad([first.address.port]);
  load.target = 'new';
  load.flip = 1;
  load.run(['nina', 'leo']);
  const begun = await control.changeStage({
    cohort: 'movers',
    stage: 'live',
    ramp: undefined,
    dirtyUsers: 'force',
    actor: 'test',
    reason: 'test',
    expectedEpoch: undefined,
    idempotencyKey: undefined,
  });
  t.match(await untilOver(control, begun), { phase: 'done' });
  const settledAt = backends.applied.length;
  while (backends.applied.length < settledAt + 4) await new Promise((resolve) => setTimeout(resolve, 5));
  await load.stop();
  t.same(load.failures, []);
  t.same(load.stale, []);
  t.same([...new Set(backends.applied.slice(settledAt).map(({ owner }) => owner))], ['new']);
  await first.close({ graceMs: 1_000 });

  const second = await openGateway(config, telemetry);
  t.equal(second.state.snapshot.cohortByName.get('movers')?.stage, 'live');
  t.equal(second.state.snapshot.cohortHolds.size, 0);
  await second.close({ graceMs: 1_000 });
});
