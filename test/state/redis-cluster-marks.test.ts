/** Marks on a Redis Cluster, whose nodes each have some of the sets. */
import t from 'tap';
import { createControlMap } from '../../src/state/create-control-map.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedisCluster } from '../fixtures/redis-cluster.ts';
import { log, openState, postgresRecord, redisModel } from './redis-setup.ts';
import { freshUser, SEEDS } from './state-map-contract.ts';

await t.test('marks spread over the nodes are collected from all of them', async (t) => {
  const [redis, postgres] = await Promise.all([startRedisCluster(t), startPostgres(t, { disposable: true })]);
  const record = await postgresRecord(t, postgres.url);
  const model = redisModel({ mode: 'cluster', nodes: redis.nodes, keyPrefix: redis.prefix });
  const { marks } = await openState(t, model, record);
  if (marks === undefined) throw new Error('this map keeps no marks');
  const control = createControlMap({ config: { state: model }, log, record });
  t.teardown(() => control.close());
  const [staff] = SEEDS;
  if (staff === undefined) throw new Error('there is no cohort to be in');
  const users = Array.from({ length: 300 }, freshUser);
  const { marks: other } = await openState(t, model, record, { settledMs: 0 });
  if (other === undefined) throw new Error('this map keeps no marks');
  // So that the gateway's own queue does not record them first.
  await postgres.kill();
  await Promise.all(users.map((user) => marks.mark(user, staff, false)));
  t.equal(marks.unrecorded('staff'), users.length);
  // Of marks that only Redis has, at another gateway.
  t.ok(await other.caughtUp());
  const wrote = await Promise.all(users.map((user) => other.wrote(user, staff, [staff])));
  t.ok(wrote.every((each) => each === 'some'));
  t.equal(await other.wrote(freshUser(), staff, [staff]), 'unknown', 'the record is away');
  await t.rejects(
    control.collectMarks?.() ?? Promise.resolve(),
    'nothing is taken that the record does not have',
  );
  await postgres.start();
  await control.collectMarks?.();
  t.equal((await record.marks.marksOf(users)).length, users.length);
  t.equal(await other.wrote(freshUser(), staff, [staff]), 'none');
  while (marks.unrecorded('staff') > 0) await marks.recorded();
  t.pass('the gateway records them too, which changes nothing');
});
