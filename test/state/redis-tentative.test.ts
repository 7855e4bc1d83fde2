/** A placement that the record does not have yet, and whose gateway may die before it does: nobody acts on it. */
import t from 'tap';
import { freshRecord, openState, redisModel, startStores, until, untilAttached } from './redis-setup.ts';
import { freshUser, nextChange } from './state-map-contract.ts';

const stores = await startStores(t);
const { redis } = stores;

/** Whether a bucket has any user. */
async function someUserIsThere(): Promise<boolean> {
  for (const key of await redis.client.keys('turnout:u:*')) {
    // One field says of which map the bucket is.
    if ((await redis.client.hlen(key)) > 1) return true;
  }
  return false;
}

await t.test('who meets a placement that the record does not have sees to it that it has', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  // As one that dies between the map and the record.
  const dying = await openState(t, model, {
    ...record,
    placeUsers: () => new Promise<never>(() => undefined),
  });
  const other = await openState(t, model, record);
  const user = freshUser();
  const heard = nextChange(other, (change) => change.kind === 'user' && change.user === user);
  const refused = t.rejects(dying.place(user, 'staff'), { code: 'state_unknown' });
  await Promise.all([until(someUserIsThere), heard]);

  t.equal(await record.readUser(user), undefined);
  t.equal((await other.load(user)).membership, undefined, 'read from its bucket');
  t.equal((await other.place(user, 'everyone')).membership?.cohort, 'staff', 'what the map says stays');
  t.equal((await record.readUser(user))?.record.membership?.cohort, 'staff');
  await refused;

  const third = await openState(t, model, record);
  // Nobody has to see to it again.
  await until(async () => (await third.load(user)).membership?.cohort === 'staff');
  const resets = [other, third].map((state) => nextChange(state, (change) => change.kind === 'reset'));
  await redis.client.flushall();
  await Promise.allSettled([other.load(freshUser()), third.load(freshUser())]);
  await Promise.all(resets);
  await untilAttached(third);
  t.equal((await third.place(user, 'everyone')).membership?.cohort, 'staff', 'nor does it go with the map');
});

await t.test(
  'one that is cached without a membership stays so until the record has the placement',
  async (t) => {
    const record = await freshRecord(t, stores);
    const model = redisModel({ url: redis.url });
    const recording = Promise.withResolvers<void>();
    const placeUsers: typeof record.placeUsers = async (...batch) => {
      await recording.promise;
      await record.placeUsers(...batch);
    };
    const slow = await openState(t, model, { ...record, placeUsers }, { recordMs: 60_000 });
    const other = await openState(t, model, record);
    const user = freshUser();
    await other.load(user);
    const told = (): Promise<unknown> =>
      nextChange(other, (change) => change.kind === 'user' && change.user === user);
    const first = told();
    const placing = slow.place(user, 'staff');
    await first;
    t.equal(other.cached(user)?.membership, undefined);
    t.equal(slow.cached(user)?.membership, undefined, 'nor does its own gateway know it');
    const second = told();
    recording.resolve();
    t.equal((await placing).membership?.cohort, 'staff');
    await second;
    t.equal(other.cached(user)?.membership?.cohort, 'staff');
  },
);
