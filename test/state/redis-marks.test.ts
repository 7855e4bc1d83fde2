/** Marks of writes in Redis: durable before they are told so, whichever store is away, and in the record soon. */
import t from 'tap';
import type { StateMap, WriteMarker } from '../../src/state/state-map.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import {
  freshRecord,
  openState,
  redisModel,
  startStores,
  until,
  untilAttached,
  untilDetached,
} from './redis-setup.ts';
import { freshUser, nextChange, SEEDS } from './state-map-contract.ts';

const stores = await startStores(t);
const { redis, postgres } = stores;
const [staff] = SEEDS;

function marksOf(state: StateMap): WriteMarker {
  if (state.marks === undefined) throw new Error('this map keeps no marks');
  return state.marks;
}

/** Marks that are in Redis. */
async function inRedis(): Promise<readonly string[]> {
  const keys = await redis.client.keys('turnout:w:*');
  return (await Promise.all(keys.map((key) => redis.client.smembers(key)))).flat();
}

async function isRecorded(record: RecordStore, user: string): Promise<boolean> {
  return (await record.marks.marksOf([user])).length > 0;
}

await t.test(
  'a mark is in Redis when it resolves, then in the record, then in the record alone',
  async (t) => {
    const record = await freshRecord(t, stores);
    const state = await openState(t, redisModel({ url: redis.url }), record);
    const marks = marksOf(state);
    const user = freshUser();
    t.notOk(marks.isMarked(user, staff));
    await Promise.all([marks.mark(user, staff, false), marks.mark(user, staff, false)]);
    t.strictSame(await inRedis(), [`01:staff\0${user}`]);
    t.ok(marks.isMarked(user, staff));
    t.notOk(marks.isMarked(user, undefined), 'not as a pinned user');
    t.notOk(marks.isMarked(user, { name: 'staff', era: { number: 2, tracked: true } }), 'not in another era');
    t.equal(marks.unrecorded('staff'), 1);
    await marks.recorded();
    t.equal(marks.unrecorded('staff'), 0);
    t.ok(await isRecorded(record, user));
    await until(async () => (await inRedis()).length === 0);
    t.match(state.status().marks, { inMap: 1, inRecord: 0, failed: 0, waiting: 0, remembered: 1 });
  },
);

await t.test('while Redis is down a mark goes to the record at once', async (t) => {
  const record = await freshRecord(t, stores);
  const state = await openState(t, redisModel({ url: redis.url }), record);
  const marks = marksOf(state);
  await redis.kill();
  const users = Array.from({ length: 20 }, freshUser);
  await Promise.all(users.map((user) => marks.mark(user, staff, true)));
  t.equal((await record.marks.marksOf(users)).filter(({ unplaced }) => unplaced).length, 20);
  t.ok(users.every((user) => marks.isMarked(user, staff)));
  t.match(state.status().marks, { inMap: 0, inRecord: 20, waiting: 0 });
  await redis.start();
  await untilAttached(state);
});

await t.test('with neither store a write is refused and counted, and is not taken for marked', async (t) => {
  const record = await freshRecord(t, stores);
  const state = await openState(t, redisModel({ url: redis.url }), record);
  const marks = marksOf(state);
  const user = freshUser();
  await Promise.all([redis.kill(), postgres.kill()]);
  await t.rejects(marks.mark(user, staff, false), { code: 'state_unknown' });
  t.notOk(marks.isMarked(user, staff));
  t.match(state.status().marks, { failed: 1 });
  await Promise.all([redis.start(), postgres.start()]);
  await untilAttached(state);
  await marks.mark(user, staff, false);
  t.ok(marks.isMarked(user, staff));
});

await t.test(
  'while Postgres is down marks wait, in Redis and here, and are recorded when it is back',
  async (t) => {
    const record = await freshRecord(t, stores);
    const state = await openState(t, redisModel({ url: redis.url }), record);
    const marks = marksOf(state);
    await postgres.kill();
    const user = freshUser();
    await marks.mark(user, staff, false);
    const recorded = marks.recorded();
    t.equal(marks.unrecorded('staff'), 1);
    t.equal((await inRedis()).length, 1);
    await postgres.start();
    await recorded;
    t.ok(await isRecorded(record, user));
  },
);

await t.test('Redis is wiped before a mark was recorded: the gateway has it still', async (t) => {
  const record = await freshRecord(t, stores);
  const state = await openState(t, redisModel({ url: redis.url }), record);
  const marks = marksOf(state);
  await postgres.kill();
  const user = freshUser();
  await marks.mark(user, staff, false);
  await redis.client.flushall();
  await untilDetached(state);
  const recorded = marks.recorded();
  const rebuilt = nextChange(state, (change) => change.kind === 'reset');
  await postgres.start();
  await recorded;
  t.ok(await isRecorded(record, user));
  await rebuilt;
  await untilAttached(state);
  t.notOk(marks.isMarked(user, staff), 'what was known of the map that is gone is forgotten');
  t.ok(await isRecorded(record, user), 'and the mark outlived the rebuild');
});

await t.test('what a gateway that died left in Redis is brought to the record by the next', async (t) => {
  const record = await freshRecord(t, stores);
  const user = freshUser();
  const model = redisModel({ url: redis.url });
  await (await openState(t, model, record)).close();
  // As a gateway leaves it that dies right after its write.
  await redis.client.sadd('turnout:w:7', `11:staff\0${user}`);
  t.notOk(await isRecorded(record, user));
  await openState(t, model, record);
  await until(() => isRecorded(record, user));
  await until(async () => (await inRedis()).length === 0);
});

await t.test(
  "the mark of a pin is forgotten with the user's record, the mark in a cohort is not",
  async (t) => {
    const record = await freshRecord(t, stores);
    const state = await openState(t, redisModel({ url: redis.url }), record);
    const marks = marksOf(state);
    const [pinned, member] = [freshUser(), freshUser()];
    await Promise.all([marks.mark(pinned, undefined, false), marks.mark(member, staff, false)]);
    for (const user of [pinned, member]) {
      await state.putUser(user, {
        state: undefined,
        pin: undefined,
        membership: { cohort: 'staff', ordinal: undefined, by: 'explicit' },
        newId: undefined,
      });
      await until(async () => state.cached(user)?.membership !== undefined);
    }
    t.notOk(marks.isMarked(pinned, undefined));
    t.ok(marks.isMarked(member, staff));
  },
);
