/** A placement that the record does not have yet, and whose gateway may die before it does: nobody acts on it. */
import t from 'tap';
import { newChange } from '../storage/change-contract.ts';
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
      return record.placeUsers(...batch);
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

await t.test('the record decides where it knows a user otherwise than the map', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const state = await openState(t, model, record);
  const other = await openState(t, model, record);
  const user = freshUser();
  await other.load(user);
  const { mapId } = state.snapshot;
  // As a gateway that is with a server which has been failed over from.
  t.same(await record.placeUsers(mapId, [{ user, cohort: 'staff', version: 0, epoch: 1 }]), []);

  const heard = nextChange(other, (change) => change.kind === 'user' && change.user === user);
  t.equal((await state.place(user, 'everyone')).membership?.cohort, 'staff');
  await heard;
  t.equal((await other.place(user, 'everyone')).membership?.cohort, 'staff');
  const third = await openState(t, model, record);
  t.equal((await third.load(user)).membership?.cohort, 'staff', 'the map says so too');
});

await t.test('a placement into a cohort that is gone keeps nobody from being placed', async (t) => {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const dying = await openState(t, model, {
    ...record,
    placeUsers: () => new Promise<never>(() => undefined),
  });
  const user = freshUser();
  const refused = t.rejects(dying.place(user, 'staff'), { code: 'state_unknown' });
  await until(someUserIsThere);
  const { changes } = record;
  const { id } = await changes.openChange({
    ...newChange('staff'),
    kind: 'cohort-delete',
    after: undefined,
    movesTruth: false,
    judged: (await record.readCohorts()).map(({ cohort }) => cohort).filter(({ name }) => name === 'staff'),
  });
  await changes.moveChange(id, 1, 'pending', 'switching');
  await changes.moveChange(id, 1, 'switching', 'done', { switchEpoch: 1 });

  const other = await openState(t, model, record);
  t.equal((await other.place(user, 'everyone')).membership?.cohort, 'everyone');
  t.equal((await record.readUser(user))?.record.membership?.cohort, 'everyone');
  await refused;
});
