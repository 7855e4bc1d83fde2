/** A Redis that is wiped, older or damaged is lost, never empty: on a real server that is made so. */
import t from 'tap';
import { ABSENT_RECORD } from '../../src/model.ts';
import type { RedisFixture } from '../fixtures/redis.ts';
import {
  confirmed,
  freshRecord,
  MOVED,
  openState,
  redisModel,
  startStores,
  untilAttached,
  untilDetached,
} from './redis-setup.ts';
import { freshUser, nextChange, SEEDS } from './state-map-contract.ts';

const stores = await startStores(t);
const { redis, postgres } = stores;

await t.test('Redis wiped: never empty; it is rebuilt from Postgres and every gateway follows', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const [a, b] = await Promise.all([openState(t, model, record), openState(t, model, record)]);
  const moved = Array.from({ length: 30 }, freshUser);
  for (const user of moved) await a.putUser(user, MOVED);
  await confirmed(record);
  const placed = freshUser();
  await a.place(placed, 'staff');
  const { mapId, epoch } = a.snapshot;
  const resets = Promise.all([a, b].map((state) => nextChange(state, (change) => change.kind === 'reset')));

  await redis.client.flushall();
  // Its connection is fine and its feed silent: a gateway that trusted the empty bucket would say "absent".
  for (const user of moved.slice(0, 5)) t.strictSame(await b.load(user), MOVED);
  await resets;
  await Promise.all([untilAttached(a), untilAttached(b)]);
  t.not(a.snapshot.mapId, mapId);
  t.equal(a.snapshot.mapId, b.snapshot.mapId);
  t.ok(a.snapshot.epoch > epoch);
  t.strictSame(a.snapshot.cohorts, SEEDS);
  for (const user of moved) t.strictSame(await a.load(user), MOVED);
  t.equal((await b.place(placed, 'everyone')).membership?.cohort, 'staff', 'the placement outlived the map');
  const heard = nextChange(b, (change) => change.kind === 'user');
  await a.putUser(freshUser(), MOVED);
  await heard;
});

await t.test('Redis wiped while Postgres is down: last known state, and no map appears', async (t) => {
  const record = await freshRecord(t, stores);
  const state = await openState(t, redisModel({ url: redis.url }), record, { selfFenceAfterMs: 4_000 });
  const user = freshUser();
  await state.putUser(user, MOVED);
  await postgres.kill();
  await redis.client.flushall();
  await untilDetached(state);
  t.strictSame(state.cached(user), MOVED);
  await t.rejects(state.load(freshUser()), { code: 'state_unknown' });
  await nextChange(state, (change) => change.kind === 'attachment' && change.attachment === 'fenced');
  t.strictSame(await redis.client.keys('*'), [], 'nobody seeded it as if it were new');
  t.strictSame(state.cached(user), MOVED);
  await postgres.start();
  await untilAttached(state);
  t.strictSame(await state.load(user), MOVED);
});

await t.test('Redis restored from an older copy: lost, not believed', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const state = await openState(t, model, record);
  const user = freshUser();
  await state.putUser(user, { ...ABSENT_RECORD, pin: 'legacy' });
  const old = await dump(redis);
  await state.putUser(user, MOVED);
  const { mapId, epoch } = state.snapshot;

  const reset = nextChange(state, (change) => change.kind === 'reset');
  await restore(redis, old);
  await reset;
  await untilAttached(state);
  t.not(state.snapshot.mapId, mapId);
  t.ok(state.snapshot.epoch > epoch);
  t.strictSame(await state.load(user), MOVED);
});

await t.test('an older copy that went on counting past what was seen is lost too', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const [seen, other] = await Promise.all([openState(t, model, record), openState(t, model, record)]);
  const old = await dump(redis);
  const user = freshUser();
  const epoch = await seen.putUser(user, MOVED);
  await other.close();
  const { mapId } = seen.snapshot;
  const reset = nextChange(seen, (change) => change.kind === 'reset');
  // Another history of the same map reaches the same epoch and more, as after a failover to a late replica.
  await restore(redis, old);
  await redis.client.hset('{turnout}:meta', 'epoch', epoch + 1);
  for (const e of [epoch, epoch + 1]) await redis.client.xadd('{turnout}:changes', '*', 'e', e, 'k', 's');
  await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await reset;
  await untilAttached(seen);
  t.not(seen.snapshot.mapId, mapId);
  t.strictSame(await seen.load(user), MOVED);
});

await t.test('an older copy is lost also for a gateway that has seen nothing later', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const first = await openState(t, model, record);
  const old = await dump(redis);
  const user = freshUser();
  await first.putUser(user, MOVED);
  await confirmed(record);
  const { mapId } = first.snapshot;
  // Whoever has seen the change is gone, and Redis fails over to a replica that had not heard of it.
  await first.close();
  await restore(redis, old);

  const second = await openState(t, model, record);
  t.not(second.snapshot.mapId, mapId, 'the record knows of a later epoch');
  t.strictSame(await second.load(user), MOVED);
});

await t.test(
  'a map that the record has retired is lost also for a gateway that left it as it is',
  async (t) => {
    const record = await freshRecord(t, stores);
    const state = await openState(t, redisModel({ url: redis.url }), record);
    const { mapId } = state.snapshot;
    // Somebody found Redis empty and began a rebuild; then Redis failed over to a replica that had the old map.
    await record.replaceMap(mapId, state.snapshot.epoch);
    const reset = nextChange(state, (change) => change.kind === 'reset');
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await reset;
    await untilAttached(state);
    t.not(state.snapshot.mapId, mapId);
    t.equal(
      (await state.place(freshUser(), 'staff')).membership?.cohort,
      'staff',
      'and the record takes placements',
    );
  },
);

await t.test('one bucket evicted: its users are not taken for absent', async (t) => {
  const record = await freshRecord(t, stores);
  const state = await openState(t, redisModel({ url: redis.url, userBuckets: 1, userCacheMax: 2 }), record);
  const user = freshUser();
  await state.putUser(user, MOVED);
  for (let n = 0; n < 3; n++) await state.load(freshUser());
  t.equal(state.cached(user), undefined, 'no longer cached');
  await confirmed(record);
  const reset = nextChange(state, (change) => change.kind === 'reset');
  await redis.client.del('turnout:u:0');
  t.strictSame(await state.load(user), MOVED);
  await reset;
  await untilAttached(state);
  t.strictSame(await state.load(user), MOVED, 'and the map was rebuilt');
});

type Dump = readonly { readonly key: string; readonly value: Buffer }[];

async function dump({ client }: RedisFixture): Promise<Dump> {
  const keys = await client.keys('*');
  return Promise.all(
    keys.map(async (key) => ({ key, value: (await client.dumpBuffer(key)) ?? Buffer.alloc(0) })),
  );
}

async function restore({ client }: RedisFixture, copy: Dump): Promise<void> {
  const all = client.multi().flushall();
  for (const { key, value } of copy) all.restore(key, 0, value);
  await all.exec();
}
