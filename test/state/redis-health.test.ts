import t from 'tap';
import { checkRedis } from '../../src/state/redis-health.ts';
import { redisKeys } from '../../src/state/redis-keys.ts';
import { startRedis } from '../fixtures/redis.ts';
import { startRedisCluster } from '../fixtures/redis-cluster.ts';
import { redisModel } from './redis-setup.ts';

const ANSWER_MS = 5_000;

void t.test('a server says how it keeps what it is given', async (t) => {
  const args = ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru', '--appendonly', 'no'];
  const { url, port, client } = await startRedis(t, { disposable: true, args });
  const model = redisModel({ url });
  const health = await checkRedis(model, ANSWER_MS);
  t.match(health, { mode: 'single', clusterState: undefined, map: undefined });
  t.match(health.nodes, [
    {
      where: `127.0.0.1:${port}`,
      version: /^\d+\.\d+/u,
      policy: 'allkeys-lru',
      maxBytes: 100 * 1024 * 1024,
      appendOnly: false,
      snapshots: false,
      persisted: true,
      replicas: 0,
    },
  ]);
  t.ok((health.nodes[0]?.usedBytes ?? 0) > 0);
  await client.config('SET', 'save', '60 1000');
  await client.config('SET', 'maxmemory-policy', 'noeviction');
  await client.hset(redisKeys('turnout').meta, { id: 'map-1', epoch: '42' });
  t.match(await checkRedis(model, ANSWER_MS), {
    nodes: [{ policy: 'noeviction', snapshots: true }],
    map: { id: 'map-1', epoch: 42 },
  });
});

void t.test('a server that may not be asked for its settings is still looked at', async (t) => {
  const { url, client } = await startRedis(t, { disposable: true });
  await client.call('ACL', 'SETUSER', 'guest', 'on', '>guest-word', '~*', '+@all', '-config');
  const model = redisModel({ url, username: 'guest', password: 'guest-word' });
  t.match(await checkRedis(model, ANSWER_MS), { nodes: [{ policy: 'noeviction', snapshots: undefined }] });
});

void t.test('every master of a cluster is looked at', async (t) => {
  const { nodes } = await startRedisCluster(t);
  const health = await checkRedis(redisModel({ mode: 'cluster', nodes }), ANSWER_MS);
  t.equal(health.clusterState, 'ok');
  t.equal(health.nodes.length, 3);
});

void t.test('a server that is not there, or does not answer, is an error in words', async (t) => {
  const redis = await startRedis(t, { disposable: true });
  const model = redisModel({ url: redis.url });
  redis.freeze();
  await t.rejects(checkRedis(model, 300), /Redis/u);
  redis.thaw();
  await redis.kill();
  await t.rejects(checkRedis(model, ANSWER_MS), /Redis cannot be reached: .*ECONNREFUSED/u);
});
