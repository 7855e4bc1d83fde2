import t from 'tap';
import { createControlMap } from '../../src/state/create-control-map.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedisCluster } from '../fixtures/redis-cluster.ts';
import { CONTROL_COHORTS, controlContract, leaseContract } from './control-contract.ts';
import { log, openState, postgresRecord, redisModel } from './redis-setup.ts';
import { userControlContract } from './user-control-contract.ts';

await t.test('the barrier on a Redis Cluster', async (t) => {
  const [redis, postgres] = await Promise.all([startRedisCluster(t), startPostgres(t)]);
  const record = await postgresRecord(t, postgres.url);
  const model = redisModel({ mode: 'cluster', nodes: redis.nodes, keyPrefix: redis.prefix });
  const state = await openState(t, model, record, { cohorts: CONTROL_COHORTS });
  const control = createControlMap({ config: { state: model }, log, record });
  const rival = createControlMap({ config: { state: model }, log, record, state });
  t.teardown(() => {
    control.close();
    rival.close();
  });
  await controlContract(t, { record, control, rival, state });
  await userControlContract(t, { record, control, rival, state });
  await leaseContract(t, rival, control);
});
