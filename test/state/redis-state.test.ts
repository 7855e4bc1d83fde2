import t from 'tap';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { openState, postgresRecord, redisModel } from './redis-setup.ts';
import { stateMapContract } from './state-map-contract.ts';

await t.test('the state map on one Redis server', async (t) => {
  const [redis, postgres] = await Promise.all([startRedis(t), startPostgres(t)]);
  const record = await postgresRecord(t, postgres.url);
  const model = redisModel({ url: redis.url, keyPrefix: redis.prefix });
  await stateMapContract(t, { shared: true, open: (cohorts) => openState(t, model, record, { cohorts }) });
});
