import { pino } from 'pino';
import t from 'tap';
import { NotPlacedError, type Placed, PlacementQueue } from '../../src/state/placement-queue.ts';
import { MapReplacedError, type NotPlaced, type Placement } from '../../src/storage/record-store.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { openState, postgresRecord, redisModel, until } from './redis-setup.ts';
import { freshUser } from './state-map-contract.ts';

const log = pino({ level: 'silent' });

const never = () => false;

function placed(user: string): Placed {
  return { user, cohort: 'a', version: 0, mapId: 'm', bytes: Buffer.of(1, 0x20, 1) };
}

await t.test('placements are announced and recorded in batches, each user once', async (t) => {
  const recorded: Placement[][] = [];
  let announced = 0;
  const queue = new PlacementQueue({
    log,
    announce: async (batch) => {
      announced += batch.length;
      return { mapId: 'm', epoch: 9 };
    },
    record: {
      placeUsers: async (_map, batch) => {
        recorded.push([...batch]);
        return [];
      },
    },
  });
  for (let n = 0; n < 1_200; n++) queue.add(placed(`u${n}`));
  queue.add(placed('u0'));
  await queue.close(1_000);
  t.strictSame(
    recorded.map((batch) => batch.length),
    [500, 500, 200],
  );
  t.equal(announced, 1_200);
  t.strictSame(recorded[0]?.[0], { user: 'u0', cohort: 'a', version: 0, epoch: 9 });
  t.equal(queue.lost, 0);
});

await t.test('whoever placed a user waits until the record knows it', async (t) => {
  const recording = Promise.withResolvers<readonly NotPlaced[]>();
  const queue = new PlacementQueue({
    log,
    announce: async () => ({ mapId: 'm', epoch: 9 }),
    record: { placeUsers: () => recording.promise },
  });
  queue.add(placed('nina'));
  let known = false;
  const waited = queue.recorded('nina', 10_000, never).then(() => {
    known = true;
  });
  await queue.recorded('leo', 10_000, never);
  t.notOk(known, 'one that was not placed has nothing to wait for');
  recording.resolve([]);
  await waited;
  await queue.close(1_000);
});

await t.test('nobody waits for a record that fails, and not for ever for a map that is lost', async (t) => {
  const queue = new PlacementQueue({
    log,
    announce: async () => ({ mapId: 'm', epoch: 9 }),
    record: { placeUsers: () => Promise.reject(new Error('down')) },
  });
  queue.add(placed('nina'));
  await queue.recorded('nina', 10_000, never);
  t.equal(queue.waiting, 1, 'it is kept for later');
  await queue.close(1_000);

  const lost = new PlacementQueue({
    log,
    announce: () => Promise.reject(new Error('lost')),
    record: { placeUsers: async () => [] },
  });
  lost.add(placed('nina'));
  await t.rejects(lost.recorded('nina', 50, never), /did not answer within 50 ms/u);
  await lost.close(1_000);
});

await t.test('a placement that only the map has is counted until the record has it', async (t) => {
  let isDown = true;
  // The queue's own timers keep no process alive.
  const alive = setInterval(() => undefined, 1_000);
  t.teardown(() => clearInterval(alive));
  const queue = new PlacementQueue({
    log,
    announce: async () => ({ mapId: 'm', epoch: 9 }),
    record: { placeUsers: async () => (isDown ? Promise.reject(new Error('down')) : []) },
  });
  queue.add(placed('nina'));
  queue.add(placed('leo'));
  await queue.recorded('nina', 10_000, never);
  t.equal(queue.mapOnly, 1, 'nobody has acted on the other one');
  await t.rejects(
    queue.recorded('leo', 10_000, () => true),
    /does not take placements/u,
    'while people are held nobody does',
  );
  t.equal(queue.mapOnly, 1);
  isDown = false;
  await queue.someRecorded();
  t.equal(queue.mapOnly, 0);
  await queue.recorded('leo', 10_000, () => true);
  await queue.someRecorded();
  await queue.close(1_000);
});

await t.test('a placement that the record does not take is taken back before anybody is told', async (t) => {
  const takenBack = Promise.withResolvers<void>();
  const done: string[] = [];
  const queue = new PlacementQueue({
    log,
    announce: async () => ({ mapId: 'm', epoch: 9 }),
    record: { placeUsers: async () => [{ user: 'nina', stored: undefined }] },
    takeBack: async (_mapId, refused) => {
      done.push(...refused.map(({ placed: { user, cohort } }) => `${user} out of ${cohort}`));
      await takenBack.promise;
    },
    confirm: async (_mapId, batch) => void done.push(...batch.map(({ user }) => `${user} stays`)),
  });
  queue.add(placed('nina'));
  queue.add(placed('leo'));
  const nina = t.rejects(queue.recorded('nina', 10_000, never), NotPlacedError).then(() => done.push('told'));
  await queue.recorded('leo', 10_000, never);
  t.same(done, ['nina out of a'], 'who asks in the meantime waits');
  const late = t.rejects(queue.recorded('nina', 10_000, never), NotPlacedError);
  takenBack.resolve();
  await Promise.all([nina, late]);
  await queue.close(1_000);
  t.same(done.sort(), ['leo stays', 'nina out of a', 'told']);
  t.equal(queue.waiting, 0);
});

await t.test('a map that cannot be made to follow the record is told of', async (t) => {
  const lost = Promise.withResolvers<unknown>();
  const queue = new PlacementQueue({
    log,
    announce: async () => ({ mapId: 'm', epoch: 9 }),
    record: { placeUsers: async () => [{ user: 'nina', stored: undefined }] },
    takeBack: () => Promise.reject(new Error('a bucket is gone')),
    onUnfinished: (error) => lost.resolve(error),
  });
  queue.add(placed('nina'));
  await t.rejects(queue.recorded('nina', 10_000, never), NotPlacedError);
  t.match(await lost.promise, { message: 'a bucket is gone' });
  await queue.close(1_000);
});

await t.test(
  'what another map had accepted is placed again, and not told of as if it were there',
  async (t) => {
    const again: string[] = [];
    const told: string[] = [];
    const queue = new PlacementQueue({
      log,
      announce: async (batch) => {
        told.push(...batch.map(({ user }) => user));
        return { mapId: 'new', epoch: 9 };
      },
      record: { placeUsers: async () => [] },
      isStale: ({ mapId }) => mapId !== 'new',
      placeAgain: (stale) => void again.push(...stale.map(({ user }) => user)),
    });
    queue.add(placed('nina'));
    queue.add({ ...placed('leo'), mapId: 'new' });
    await queue.close(1_000);
    t.same([again, told], [['nina'], ['leo']]);
  },
);

await t.test('beyond the bound the oldest are dropped and counted', async (t) => {
  const queue = new PlacementQueue({
    log,
    waitingMax: 100,
    announce: () => Promise.reject(new Error('detached')),
    record: { placeUsers: async () => [] },
  });
  for (let n = 0; n < 101; n++) queue.add(placed(`u${n}`));
  t.equal(queue.waiting, 91);
  t.equal(queue.lost, 10);
  t.equal(queue.takeAll()[0]?.user, 'u10');
  queue.add(placed('last'));
  await queue.close(1_000);
  t.equal(queue.lost, 11, 'what could not be recorded before the end is counted too');
});

await t.test('a batch for a map that was replaced waits for the new one', async (t) => {
  const queue = new PlacementQueue({
    log,
    announce: async () => ({ mapId: 'old', epoch: 1 }),
    record: { placeUsers: () => Promise.reject(new MapReplacedError('old')) },
  });
  queue.add(placed('u'));
  await queue.close(1_000);
  t.strictSame(
    queue.takeAll().map(({ user }) => user),
    ['u'],
  );
});

await t.test('placements made while Postgres is down reach it when it is back', async (t) => {
  const [redis, postgres] = await Promise.all([startRedis(t), startPostgres(t, { disposable: true })]);
  const record = await postgresRecord(t, postgres.url);
  const state = await openState(t, redisModel({ url: redis.url, keyPrefix: redis.prefix }), record);
  await postgres.kill();
  const users = Array.from({ length: 20 }, freshUser);
  for (const user of users) t.equal((await state.place(user, 'staff')).membership?.cohort, 'staff');
  t.ok((state.status().placements?.waiting ?? 0) > 0);
  await postgres.start();
  await until(async () => state.status().placements?.waiting === 0);
  for (const user of users) t.equal((await record.readUser(user))?.record.membership?.cohort, 'staff');
});
