/** The barrier's part of the map on one Redis server. */
import { connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { Change } from '../../src/cutover/change.ts';
import { ChangeLostError } from '../../src/cutover/stores.ts';
import { createControlMap } from '../../src/state/create-control-map.ts';
import { RedisControl } from '../../src/state/redis-control.ts';
import {
  CONTROL_COHORTS,
  controlContract,
  freshChange,
  leaseContract,
  only,
  to,
  undo,
  untilApplied,
  view,
} from './control-contract.ts';
import { freshRecord, log, openState, redisModel, startStores } from './redis-setup.ts';
import { freshUser } from './state-map-contract.ts';
import { userControlContract } from './user-control-contract.ts';

const stores = await startStores(t);
const { redis } = stores;
const record = await freshRecord(t, stores);
const model = redisModel({ url: redis.url });
const state = await openState(t, model, record, { cohorts: CONTROL_COHORTS });
const control = createControlMap({ config: { state: model }, log, record });
const rival = createControlMap({ config: { state: model }, log, record, state });
t.teardown(() => {
  control.close();
  rival.close();
});

await controlContract(t, { record, control, rival, state });
await userControlContract(t, { record, control, rival, state });
await leaseContract(t, rival, control);

await t.test('a process that follows no map has no lease', async (t) => {
  const lease = { gateway: 'g', counter: 1, applied: 1, drained: 1, settled: 1, digest: '' };
  await t.rejects(control.renewLease(lease), { message: /has no lease/ });
});

await t.test('a lease does not count in another map than the one it speaks of', async (t) => {
  const behind = new RedisControl({ log, model, record, followed: () => 'an older map' });
  t.teardown(() => behind.close());
  const lease = {
    gateway: 'g',
    counter: 1,
    applied: 9_999_999,
    drained: 9_999_999,
    settled: 9_999_999,
    digest: '',
  };
  await t.rejects(behind.renewLease(lease), { name: 'MapReplacedError' });
  t.strictSame(await control.leases(), []);
});

/** A controller that was stopped when the record had answered: it believes what was true then. */
function stoppedAt(change: Change): RedisControl {
  const changes = { ...record.changes, readChange: async () => change };
  return new RedisControl({ log, model, record: { ...record, changes } });
}

await t.test('a controller that is stopped before its claim and continues holds nobody', async (t) => {
  const change = await freshChange(record);
  const stopped = stoppedAt(change);
  t.teardown(() => stopped.close());
  await stopped.epoch();
  await undo(record, change.id, 1, 'pending');
  await control.forget(change.id);
  await t.rejects(stopped.claim(change.id, 1), ChangeLostError);
  await t.rejects(stopped.hold(change.id, 1, only(change.cohort)), ChangeLostError);
  await untilApplied(state, await control.epoch());
  t.strictSame(view(state, change), [change.before.stage, undefined]);
  t.notOk(await redis.client.hexists('{turnout}:control', change.id), 'nothing of it is left');
});

await t.test('the map remembers a bounded number of changes that are over', async (t) => {
  const filler = Array.from({ length: 1_200 }, (_, n) => [0, `over-${n}`]).flat();
  await redis.client.zadd('{turnout}:over', ...filler);
  const change = await freshChange(record);
  await undo(record, change.id, 1, 'pending');
  await control.forget(change.id);
  t.equal(await redis.client.zcard('{turnout}:over'), 1_000);
  t.ok(await redis.client.zscore('{turnout}:over', change.id), 'the latest ones');
});

await t.test('a hold that an older change left behind gives way to the one that is open', async (t) => {
  const change = await freshChange(record);
  const number = (await record.readCohorts()).find(({ cohort }) => cohort.name === change.cohort)?.number;
  await redis.client.hset('{turnout}:holds', `c${number}`, JSON.stringify({ change: 'gone', epoch: 1 }));
  await untilApplied(state, await control.hold(change.id, 1, only(change.cohort)));
  t.equal(view(state, change)[1], change.id);
  await untilApplied(state, await control.release(change.id, 1));
  t.equal(view(state, change)[1], undefined);
  await undo(record, change.id, 1, 'pending');
});

await t.test('a cohort that the map does not have yet is not held', async (t) => {
  const change = await freshChange(record);
  const number = (await record.readCohorts()).find(({ cohort }) => cohort.name === change.cohort)?.number;
  const json = (await redis.client.hget('{turnout}:cohorts', `${number}`)) ?? '';
  await redis.client.hdel('{turnout}:cohorts', `${number}`);
  await t.rejects(control.hold(change.id, 1, only(change.cohort)), { message: /does not have the cohort/ });
  await redis.client.hset('{turnout}:cohorts', `${number}`, json);
  await control.release(change.id, 1);
  await undo(record, change.id, 1, 'pending');
});

await t.test('a connection that is killed fails one call, and the next is made on a new one', async () => {
  const change = await freshChange(record);
  await control.claim(change.id, 1);
  await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  let held: number | undefined;
  while (held === undefined)
    held = await control.hold(change.id, 1, only(change.cohort)).catch(() => undefined);
  await control.release(change.id, 1);
  await undo(record, change.id, 1, 'pending');
});

await t.test(
  'a server that answers nothing is an error in time, and what is closed stays closed',
  async (t) => {
    const closing = new RedisControl({ log, model: redisModel({ url: redis.url, commandMs: 200 }), record });
    await closing.epoch();
    redis.freeze();
    await t.rejects(closing.epoch(), { message: /did not answer within 200 ms/ });
    redis.thaw();
    t.ok((await closing.epoch()) > 0);
    closing.close();
    await t.rejects(closing.epoch(), { message: /is closed/ });
  },
);

/** A way to Redis on which answers can be kept back. */
async function slowWay(t: Test, url: string): Promise<{ url: string; hold(): void; letGo(): void }> {
  const sockets = new Set<Socket>();
  let isHeld = false;
  const server = createServer((socket) => {
    const redisSocket = connect(Number(new URL(url).port), '127.0.0.1');
    for (const each of [socket, redisSocket]) each.on('error', () => socket.destroy());
    socket.once('close', () => redisSocket.destroy());
    redisSocket.once('close', () => socket.destroy());
    sockets.add(redisSocket);
    socket.pipe(redisSocket);
    redisSocket.on('data', (piece) => socket.write(piece));
    if (isHeld) redisSocket.pause();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const all = (act: (socket: Socket) => void): void => {
    for (const socket of sockets) act(socket);
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    hold: () => {
      isHeld = true;
      all((socket) => socket.pause());
    },
    letGo: () => {
      isHeld = false;
      all((socket) => socket.resume());
    },
  };
}

await t.test(
  'a gateway that is behind sees no switched cohort without the users that were pinned before',
  async (t) => {
    const [first, second] = [await freshChange(record), await freshChange(record)];
    const user = freshUser();
    const way = await slowWay(t, model.url);
    const late = await openState(t, { ...model, url: way.url }, record, { cohorts: CONTROL_COHORTS });
    await late.load(user);
    const seen: string[] = [];
    late.onChange(() => {
      seen.push(`${view(late, second)[0]}, pin ${late.cached(user)?.pin}`);
    });

    way.hold();
    // The feed answers with this one; what follows is in the shared slot by the time at which that is read.
    await control.hold(first.id, 1, only(first.cohort));
    await state.putUser(user, { ...(await state.load(user)), pin: 'new' });
    await control.hold(second.id, 1, only(second.cohort));
    const switched = await control.switchTo(second.id, 1, to(second.after));
    way.letGo();

    await untilApplied(late, switched);
    t.ok(seen.includes('live, pin new'));
    t.notOk(seen.includes('live, pin undefined'), 'a read would go to the side that the user has left');
    for (const { id } of [first, second]) {
      await control.release(id, 1);
      await undo(record, id, 1, 'pending');
    }
  },
);
