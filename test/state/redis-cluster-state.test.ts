import t from 'tap';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedisCluster } from '../fixtures/redis-cluster.ts';
import { openState, postgresRecord, redisModel } from './redis-setup.ts';
import { stateMapContract } from './state-map-contract.ts';

await t.test('the state map on a Redis Cluster', async (t) => {
  const [redis, postgres] = await Promise.all([startRedisCluster(t), startPostgres(t)]);
  const record = await postgresRecord(t, postgres.url);
  const model = redisModel({ mode: 'cluster', nodes: redis.nodes, keyPrefix: redis.prefix });
  await stateMapContract(t, { shared: true, open: (cohorts) => openState(t, model, record, { cohorts }) });
});
