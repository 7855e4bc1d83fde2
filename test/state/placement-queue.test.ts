import { pino } from 'pino';
import t from 'tap';
import { type Placed, PlacementQueue } from '../../src/state/placement-queue.ts';
import { MapReplacedError, type Placement } from '../../src/storage/record-store.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { openState, postgresRecord, redisModel, until } from './redis-setup.ts';
import { freshUser } from './state-map-contract.ts';

const log = pino({ level: 'silent' });

function placed(user: string): Placed {
  return { user, cohort: 'a', version: 0, bytes: Buffer.of(1, 0x20, 1) };
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
    record: { placeUsers: async (_map, batch) => void recorded.push([...batch]) },
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

await t.test('beyond the bound the oldest are dropped and counted', async (t) => {
  const queue = new PlacementQueue({
    log,
    waitingMax: 100,
    announce: () => Promise.reject(new Error('detached')),
    record: { placeUsers: async () => undefined },
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
