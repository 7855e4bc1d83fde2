import t from 'tap';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { testConfig } from '../harness/gateway.ts';
import { redisModel } from '../state/redis-setup.ts';
import { moveContract, namedBackend, openWorld } from './move-contract.ts';

await t.test('every move of a truth, with Redis and Postgres', async (t) => {
  const [redis, postgres] = await Promise.all([startRedis(t), startPostgres(t)]);
  const written = testConfig({
    backends: { legacy: await namedBackend(t, 'legacy'), new: await namedBackend(t, 'new') },
    settings: { cohorts: [{ name: 'movers', default: true, stage: 'off' }] },
  });
  const world = await openWorld(t, {
    ...written,
    state: redisModel({ url: redis.url, keyPrefix: redis.prefix }),
    record: { kind: 'postgres', url: postgres.url, poolMax: 4, statementMs: 2_000 },
  });
  await moveContract(t, world);

  await t.test('the map is rebuilt on demand, and nobody moves', async (t) => {
    const { mapId } = world.gateway.state.snapshot;
    const made = await world.control.rebuild({ actor: 'ops', reason: 'test' });
    t.not(made.mapId, mapId);
    while (world.gateway.state.snapshot.mapId !== made.mapId)
      await new Promise((resolve) => setTimeout(resolve, 10));
    t.equal(await world.read('club 10'), 'new');
    t.equal(await world.read('club 91'), 'legacy');
    t.equal(await world.read('golden'), 'new');
  });
});
