import t from 'tap';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedisCluster } from '../fixtures/redis-cluster.ts';
import { confirmed, MOVED, openState, postgresRecord, redisModel } from './redis-setup.ts';
import { freshUser, stateMapContract } from './state-map-contract.ts';

await t.test('the state map on a Redis Cluster', async (t) => {
  const [redis, postgres] = await Promise.all([startRedisCluster(t), startPostgres(t)]);
  const record = await postgresRecord(t, postgres.url);
  const model = redisModel({ mode: 'cluster', nodes: redis.nodes, keyPrefix: redis.prefix });
  await stateMapContract(t, { shared: true, open: (cohorts) => openState(t, model, record, { cohorts }) });

  await t.test(
    'a node of the cluster dies: its users come from Postgres, and nobody is taken for absent',
    async (t) => {
      const state = await openState(t, redisModel({ ...model, userCacheMax: 2, commandMs: 200 }), record);
      const users = Array.from({ length: 20 }, freshUser);
      for (const user of users) await state.putUser(user, MOVED);
      await confirmed(record);
      await redis.processes[2]?.end();
      for (const user of users) t.strictSame(await state.load(user), MOVED);
    },
  );
});
