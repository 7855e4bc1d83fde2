import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ABSENT_RECORD } from '../../src/model.ts';
import { redisBinary } from '../fixtures/binaries.ts';
import { onFreePorts, startServer } from '../fixtures/server-process.ts';
import { freshRecord, MOVED, openState, redisModel, startStores } from './redis-setup.ts';
import { freshUser } from './state-map-contract.ts';

await t.test('the state map behind a sentinel', async (t) => {
  const stores = await startStores(t);
  const record = await freshRecord(t, stores);
  const dir = await mkdtemp(join(tmpdir(), 'turnout-sentinel-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const { sentinel, port } = await onFreePorts(1, async ([free = 0]) => {
    const config = join(dir, `${free}.conf`);
    await writeFile(
      config,
      `port ${free}\nbind 127.0.0.1\nsentinel monitor shop 127.0.0.1 ${stores.redis.port} 1\n`,
    );
    const process = await startServer({
      file: redisBinary(),
      args: [config, '--sentinel'],
      cwd: dir,
      ready: /\+monitor master/,
      endSignal: 'KILL',
    });
    return { sentinel: process, port: free };
  });
  t.teardown(() => sentinel.end());
  const model = redisModel({
    mode: 'sentinel',
    nodes: [{ host: '127.0.0.1', port }],
    sentinelName: 'shop',
  });
  const state = await openState(t, model, record);
  const user = freshUser();
  t.strictSame(await state.load(user), ABSENT_RECORD);
  await state.putUser(user, MOVED);
  t.strictSame(await state.load(user), MOVED);

  await t.rejects(openState(t, { ...model, sentinelName: 'nobody' }, record, { startMs: 500 }), {
    message: /cannot be attached to/,
  });
});
