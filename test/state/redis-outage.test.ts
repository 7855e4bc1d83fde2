/** What is promised while a store does not answer, on real servers that are killed and frozen. */
import t from 'tap';
import { ABSENT_RECORD } from '../../src/model.ts';
import {
  freshRecord,
  MOVED,
  openState,
  postgresRecord,
  redisModel,
  startStores,
  untilAttached,
  untilDetached,
} from './redis-setup.ts';
import { freshUser } from './state-map-contract.ts';

const stores = await startStores(t);
const { redis, postgres } = stores;

await t.test(
  'Redis down: cached users as last known, others from Postgres; both down: an error',
  async (t) => {
    const record = await freshRecord(t, stores);
    const state = await openState(t, redisModel({ url: redis.url }), record, { selfFenceAfterMs: 600_000 });
    const cached = freshUser();
    const stored = freshUser();
    const half = freshUser();
    const unknown = freshUser();
    const later = freshUser();
    await state.putUser(cached, MOVED);
    const { mapId } = state.snapshot;
    const version = await record.writeUser({ mapId, user: stored, record: MOVED, epochFrom: 'map' });
    await record.confirmUser(stored, version, 1);
    await record.writeUser({ mapId, user: half, record: MOVED, epochFrom: 'map' });

    await redis.kill();
    await untilDetached(state);
    t.equal(state.attachment, 'detached');
    t.match(state.status().problem, /./);
    t.strictSame(state.cached(cached), MOVED);
    t.strictSame(await state.load(stored), MOVED, 'from Postgres');
    await t.rejects(
      state.load(half),
      { code: 'state_unknown' },
      'a change that may not be in force is no answer',
    );
    t.strictSame(await state.load(unknown), ABSENT_RECORD, 'Postgres knows that it has none');
    await t.rejects(state.putUser(cached, ABSENT_RECORD), { code: 'state_unknown' });
    await t.rejects(state.place(unknown, 'staff'), { code: 'state_unknown' });

    await postgres.kill();
    t.strictSame(state.cached(cached), MOVED);
    t.strictSame(state.cached(stored), MOVED, 'what was read is known');
    await t.rejects(state.load(later), { code: 'state_unknown' });
    t.equal(state.cached(later), undefined);

    await postgres.start();
    await redis.start();
    await untilAttached(state);
    t.equal(state.cached(stored), undefined, 'what Postgres said is asked again');
    t.strictSame(await state.load(later), ABSENT_RECORD);
    // Redis, which answers again, never had this record, and it is Redis whose word counts then.
    t.strictSame(await state.load(stored), ABSENT_RECORD);
  },
);

await t.test('Redis frozen: loads are bounded and fall back, then it attaches again', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url, commandMs: 100 });
  const state = await openState(t, model, record, { selfFenceAfterMs: 2_000 });
  redis.freeze();
  t.strictSame(await state.load(freshUser()), ABSENT_RECORD);
  await untilDetached(state);
  redis.thaw();
  await untilAttached(state);
});

await t.test('without contact a gateway fences itself by its own clock, without any timer', async (t) => {
  const record = await freshRecord(t, stores);
  let skew = 0;
  const clock = (): number => performance.now() + skew;
  const state = await openState(t, redisModel({ url: redis.url }), record, {
    clock,
    selfFenceAfterMs: 5_000,
  });
  t.equal(state.attachment, 'attached');
  skew = 5_000;
  t.equal(state.attachment, 'fenced', 'as it is after SIGCONT, before any event was handled');
  await t.rejects(state.putUser(freshUser(), MOVED), { code: 'state_unknown' });
  await untilAttached(state);
  t.equal(state.attachment, 'attached');
});

await t.test('starts that cannot be right are refused in words', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const state = await openState(t, model, record);
  const otherRecord = await postgresRecord(t, await postgres.createDatabase());
  await t.rejects(openState(t, model, otherRecord), { message: /is new and knows no map/ });
  await otherRecord.createMap();
  await t.rejects(openState(t, model, otherRecord), { message: /but the map of .* is/ });
  t.equal((await redis.client.hget('{turnout}:meta', 'id')) ?? '', state.snapshot.mapId, 'left alone');

  await redis.client.hset('{turnout}:meta', 'format', 2);
  await t.rejects(openState(t, model, record), { message: /has format 2/ });
  await redis.client.hset('{turnout}:meta', 'format', 1);

  await postgres.kill();
  const alone = await openState(t, model, record);
  t.equal(alone.snapshot.mapId, state.snapshot.mapId, 'Redis alone is enough to start');
  await redis.kill();
  await t.rejects(openState(t, model, record, { startMs: 500 }), {
    message: /cannot be attached to within 500 ms.*ECONNREFUSED/,
  });
});
