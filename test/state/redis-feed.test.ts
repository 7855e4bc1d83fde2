/** The change feed between gateways, over connections and writers that die. */
import t from 'tap';
import { ABSENT_RECORD } from '../../src/model.ts';
import {
  freshRecord,
  MOVED,
  openState,
  redisModel,
  startStores,
  untilAttached,
  untilDetached,
} from './redis-setup.ts';
import { freshUser, nextChange } from './state-map-contract.ts';

const stores = await startStores(t);
const { redis } = stores;

await t.test('two gateways see what each other writes', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const [a, b] = await Promise.all([openState(t, model, record), openState(t, model, record)]);
  t.equal(a.snapshot.mapId, b.snapshot.mapId, 'both of two that start at once on empty stores have one map');
  const user = freshUser();
  t.strictSame(await b.load(user), ABSENT_RECORD);
  const heard = nextChange(b, (change) => change.kind === 'user' && change.user === user);
  const epoch = await a.putUser(user, MOVED);
  await heard;
  t.strictSame(b.cached(user), MOVED);
  t.ok(b.snapshot.epoch >= epoch);

  const placed = freshUser();
  await b.load(placed);
  const heardPlaced = nextChange(b, (change) => change.kind === 'user' && change.user === placed);
  await a.place(placed, 'staff');
  t.equal(
    (await b.place(placed, 'everyone')).membership?.cohort,
    'staff',
    'the first one wins, heard of or not',
  );
  await heardPlaced;
});

await t.test('a killed connection loses no change', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const [a, b] = await Promise.all([openState(t, model, record), openState(t, model, record)]);
  const users = Array.from({ length: 50 }, freshUser);
  for (const user of users) await b.load(user);
  let resets = 0;
  b.onChange((change) => {
    if (change.kind === 'reset') resets++;
  });
  let last = 0;
  for (const [index, user] of users.entries()) {
    // Every other of b's connections dies in between, those of a with them: a writes when it is attached again.
    if (index % 10 === 5) await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    for (;;) {
      try {
        last = await a.putUser(user, MOVED);
        break;
      } catch {
        await untilAttached(a);
      }
    }
  }
  while (b.snapshot.epoch < last) await nextChange(b, () => true);
  await untilAttached(b);
  for (const user of users) t.strictSame(b.cached(user), MOVED);
  t.equal(resets, 0, 'the feed went on where it stopped');
});

await t.test('Redis restarted with its data: changes made meanwhile are applied', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const [a, b] = await Promise.all([openState(t, model, record), openState(t, model, record)]);
  const user = freshUser();
  await b.load(user);
  const before = b.snapshot.mapId;
  const epoch = await a.putUser(user, MOVED);
  await redis.kill();
  await Promise.all([untilDetached(a), untilDetached(b)]);
  await redis.start();
  await Promise.all([untilAttached(a), untilAttached(b)]);
  t.ok(b.snapshot.epoch >= epoch);
  t.strictSame(b.cached(user), MOVED);
  t.equal(b.snapshot.mapId, before);
});

await t.test('a gateway that fell behind the trimmed feed drops everything and reloads', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url, userBuckets: 1 });
  const [a, b] = await Promise.all([openState(t, model, record), openState(t, model, record)]);
  const user = freshUser();
  await b.load(user);
  const resets = Promise.all([a, b].map((state) => nextChange(state, (change) => change.kind === 'reset')));
  // While both are cut off: a change of the user, others, and a feed trimmed to the last of them.
  const { epoch } = b.snapshot;
  const bytes = Buffer.of(1, 0x80 | 0b1000, 50); // pin new, version 50
  const cut = redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  const change = redis.client
    .multi()
    .hset('turnout:u:0', user, bytes)
    .hset('{turnout}:meta', 'epoch', epoch + 5)
    .xtrim('{turnout}:changes', 'MAXLEN', 0)
    .xadd('{turnout}:changes', '*', 'e', epoch + 5, 'k', 's')
    .exec();
  await Promise.all([cut, change]);
  await resets;
  await untilAttached(b);
  t.ok(b.snapshot.epoch >= epoch + 5);
  t.strictSame(await b.load(user), { ...ABSENT_RECORD, pin: 'new' });
});

await t.test('a feed trimmed under the eyes of a gateway is noticed by the gap', async (t) => {
  const record = await freshRecord(t, stores);
  const state = await openState(t, redisModel({ url: redis.url }), record);
  const { epoch, mapId } = state.snapshot;
  const reset = nextChange(state, (change) => change.kind === 'reset');
  await redis.client
    .multi()
    .hset('{turnout}:meta', 'epoch', epoch + 5)
    .xtrim('{turnout}:changes', 'MAXLEN', 0)
    .xadd('{turnout}:changes', '*', 'e', epoch + 5, 'k', 's')
    .exec();
  await reset;
  await untilAttached(state);
  t.equal(state.snapshot.epoch, epoch + 5);
  t.equal(state.snapshot.mapId, mapId, 'it is still the same map');
});

await t.test('a feed that skips a change is damaged: the map is rebuilt', async (t) => {
  const record = await freshRecord(t, stores);
  const state = await openState(t, redisModel({ url: redis.url }), record);
  const { epoch, mapId } = state.snapshot;
  const reset = nextChange(state, (change) => change.kind === 'reset');
  await redis.client
    .multi()
    .hset('{turnout}:meta', 'epoch', epoch + 2)
    .xadd('{turnout}:changes', '*', 'e', epoch + 2, 'k', 's')
    .exec();
  await reset;
  await untilAttached(state);
  t.not(state.snapshot.mapId, mapId);
  t.ok(state.snapshot.epoch > epoch + 2);
});

await t.test('a record that cannot be read is an error for its user, not an absent record', async (t) => {
  const record = await freshRecord(t, stores);
  const state = await openState(t, redisModel({ url: redis.url, userBuckets: 1 }), record);
  const user = freshUser();
  await redis.client.hset('turnout:u:0', user, Buffer.of(9, 9, 9));
  await t.rejects(state.load(user), { code: 'state_unknown', cause: { message: /format 9/ } });
  t.equal(state.cached(user), undefined);
  t.strictSame(await state.load(freshUser()), ABSENT_RECORD, 'others are served');
});

await t.test('a change whose writer died after announcing it is finished by another gateway', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url, userBuckets: 1 });
  const b = await openState(t, model, record, { selfFenceAfterMs: 1_000 });
  const user = freshUser();
  const bytes = Buffer.of(1, 0x80 | 0b1000, 50); // pin new, version 50
  const overtaken = freshUser();
  const newer = Buffer.of(1, 0x80 | 0b0100, 60); // pin legacy, version 60
  await redis.client.hset('turnout:u:0', overtaken, newer);
  const heard = nextChange(b, (change) => change.kind === 'user' && change.user === user);
  // What the dead writer did: the epoch, the pending entry and the announcement, in one script.
  const { epoch } = b.snapshot;
  await redis.client
    .multi()
    .hset('{turnout}:meta', 'epoch', epoch + 1)
    .hset('{turnout}:pending', user, Buffer.concat([Buffer.from('50:'), bytes]))
    .xadd('{turnout}:changes', '*', 'e', epoch + 1, 'k', 'u', 'u', user, 'r', bytes)
    .hset('{turnout}:meta', 'epoch', epoch + 2)
    .hset('{turnout}:pending', overtaken, Buffer.concat([Buffer.from('50:'), bytes]))
    .xadd('{turnout}:changes', '*', 'e', epoch + 2, 'k', 'u', 'u', overtaken, 'r', bytes)
    .exec();
  await heard;
  const pinned = { ...ABSENT_RECORD, pin: 'new' };
  t.strictSame(await b.load(user), pinned, 'in force at once, although the bucket does not have it');
  const late = await openState(t, model, record);
  t.strictSame(await late.load(user), pinned, 'for a gateway that starts now too');
  while ((await redis.client.hlen('{turnout}:pending')) > 0)
    await new Promise((next) => setTimeout(next, 50));
  t.strictSame(await redis.client.hgetBuffer('turnout:u:0', user), bytes);
  t.strictSame(await redis.client.hgetBuffer('turnout:u:0', overtaken), newer, 'a newer record stays');
  t.equal((await b.load(overtaken)).pin, 'legacy');
});

await t.test('a write that only Postgres has is carried out by the next gateway that attaches', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const a = await openState(t, model, record);
  const user = freshUser();
  await a.load(user);
  await record.writeUser({ mapId: a.snapshot.mapId, user, record: MOVED, epochFrom: 'map' });
  const heard = nextChange(a, (change) => change.kind === 'user' && change.user === user);
  await openState(t, model, record);
  await heard;
  t.strictSame(a.cached(user), MOVED);
});
