/** Who wrote to `new` through any gateway, asked of Redis and of the record. */
import t from 'tap';
import { ABSENT_RECORD } from '../../src/model.ts';
import {
  freshRecord,
  openState,
  redisModel,
  startStores,
  until,
  untilAttached,
  untilDetached,
} from './redis-setup.ts';
import { freshUser, SEEDS } from './state-map-contract.ts';
import { marksOf, writtenContract, wrote } from './written-contract.ts';

const stores = await startStores(t);
const { redis, postgres } = stores;
const [staff] = SEEDS;
const SETTLED = { settledMs: 0 };

await t.test('two gateways', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const writer = await openState(t, model, record);
  await writtenContract(t, await openState(t, model, record, SETTLED), writer, record);
});

await t.test('a mark that only Redis has is found; with the record away nobody is clean', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const state = await openState(t, model, record, SETTLED);
  const writer = await openState(t, model, record);
  await postgres.kill();
  const user = freshUser();
  await marksOf(writer).mark(user, staff, false);
  t.equal(await wrote(state, user), 'some');
  t.equal(await wrote(writer, user), 'some', 'known there');
  t.equal(await wrote(state, freshUser()), 'unknown');
  await postgres.start();
  await until(async () => (await wrote(state, freshUser())) === 'none');
  t.equal(await wrote(state, user), 'some');
});

await t.test('with Redis away nobody is clean: others may have marked in it', async (t) => {
  const record = await freshRecord(t, stores);
  const state = await openState(t, redisModel({ url: redis.url }), record, SETTLED);
  const marked = freshUser();
  await marksOf(state).mark(marked, staff, false);
  const detached = untilDetached(state);
  await redis.kill();
  t.equal(await wrote(state, freshUser()), 'unknown');
  await detached;
  t.notOk(await marksOf(state).caughtUp());
  t.equal(await wrote(state, freshUser()), 'unknown');
  t.equal(await wrote(state, marked), 'some', 'what this gateway knows itself');
  await redis.start();
  await untilAttached(state);
});

await t.test('a map that was wiped has no marks, and nobody is clean', async (t) => {
  const record = await freshRecord(t, stores);
  const state = await openState(t, redisModel({ url: redis.url }), record, SETTLED);
  await redis.client.flushall();
  t.equal(await wrote(state, freshUser()), 'unknown');
  t.notOk(await marksOf(state).caughtUp());
  await untilDetached(state);
  await untilAttached(state);
});

await t.test('a connection that is new proves nothing yet', async (t) => {
  const record = await freshRecord(t, stores);
  const state = await openState(t, redisModel({ url: redis.url }), record, { settledMs: 60_000 });
  t.equal(await wrote(state, freshUser()), 'unknown');
});

await t.test('a gateway has caught up when it has applied what others had', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const state = await openState(t, model, record, SETTLED);
  const other = await openState(t, model, record);
  for (let n = 0; n < 30; n += 1) {
    const epoch = await other.putUser(freshUser(), { ...ABSENT_RECORD, pin: 'new' });
    t.ok(await marksOf(state).caughtUp());
    if (state.snapshot.epoch < epoch) t.fail('it has not');
  }
  // As if another gateway had applied a change that this one has not heard of.
  await redis.client.hincrby('{turnout}:meta', 'epoch', 1);
  t.notOk(await marksOf(state).caughtUp());
  await redis.client.hincrby('{turnout}:meta', 'epoch', -1);
  t.ok(await marksOf(state).caughtUp());
});
