import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { testConfig } from '../harness/gateway.ts';
import { moveContract, namedBackend, openWorld } from './move-contract.ts';

await t.test('every move of a truth, with embedded stores', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'turnout-moves-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const config = testConfig({
    backends: { legacy: await namedBackend(t, 'legacy'), new: await namedBackend(t, 'new') },
    settings: {
      record: { kind: 'embedded', dir },
      cohorts: [{ name: 'movers', default: true, stage: 'off' }],
    },
  });
  const world = await openWorld(t, config);
  await moveContract(t, world);

  await t.test('the record is the map: there is nothing to rebuild', async (t) => {
    await t.rejects(world.control.rebuild({ actor: 'ops', reason: 'test' }), { name: 'ChangeRefusedError' });
  });
});
