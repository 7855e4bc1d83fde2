/** A gateway whose connections end at different servers, one of which is behind: what is older is not believed. */
import { connect, createServer, type Socket } from 'node:net';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { createControlMap } from '../../src/state/create-control-map.ts';
import { startRedis } from '../fixtures/redis.ts';
import { CONTROL_COHORTS, freshChange, only, to, untilApplied, view } from './control-contract.ts';
import { freshRecord, log, openState, redisModel, startStores, until } from './redis-setup.ts';
import { nextChange } from './state-map-contract.ts';

/** Longer than this test: no heartbeat finds out first. */
const SELF_FENCE_MS = 3_600_000;

const stores = await startStores(t);
const { redis } = stores;

/** A way to one server. What follows no feed can be led to another one; connections that come later are not. */
async function forkedWay(
  t: Test,
  port: number,
): Promise<{ url: string; lead(port: number): Promise<void>; followed(): number }> {
  const ways = new Map<Socket, { server: Socket; isFeed: boolean }>();
  const join = async (socket: Socket, to: number): Promise<Socket> => {
    const server = connect(to, '127.0.0.1');
    for (const each of [socket, server]) each.on('error', () => socket.destroy());
    server.on('data', (piece) => socket.write(piece));
    server.once('close', () => {
      if (ways.get(socket)?.server === server) socket.destroy();
    });
    await new Promise<void>((done) => server.once('connect', done));
    return server;
  };
  const way = createServer((socket) => {
    socket.pause();
    const opened = async (): Promise<void> => {
      const server = await join(socket, port);
      ways.set(socket, { server, isFeed: false });
      socket.on('data', (piece) => {
        const current = ways.get(socket);
        if (current === undefined) return;
        current.isFeed ||= /xread/iu.test(piece.toString('latin1'));
        current.server.write(piece);
      });
      socket.once('close', () => {
        const last = ways.get(socket);
        ways.delete(socket);
        last?.server.destroy();
      });
      socket.resume();
    };
    opened().catch(() => socket.destroy());
  });
  await new Promise<void>((done) => way.listen(0, '127.0.0.1', done));
  t.teardown(() => {
    for (const socket of ways.keys()) socket.destroy();
    way.close();
  });
  const address = way.address();
  const own = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `redis://127.0.0.1:${own}`,
    lead: async (elsewhere) => {
      for (const [socket, current] of ways) {
        if (current.isFeed) continue;
        const before = current.server;
        current.server = await join(socket, elsewhere);
        before.destroy();
      }
    },
    followed: () => [...ways.values()].filter(({ isFeed }) => isFeed).length,
  };
}

await t.test(
  'a shared slot that is older than the feed is not believed, and the map is checked again',
  async (t) => {
    const record = await freshRecord(t, stores);
    const model = redisModel({ url: redis.url });
    const state = await openState(t, model, record, { cohorts: CONTROL_COHORTS });
    const control = createControlMap({ config: { state: model }, log, record, state });
    t.teardown(() => control.close());
    const warnings: string[] = [];
    const way = await forkedWay(t, redis.port);
    const late = await openState(t, { ...model, url: way.url }, record, {
      cohorts: CONTROL_COHORTS,
      selfFenceAfterMs: SELF_FENCE_MS,
      log: pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) }),
    });
    const [first, second] = [await freshChange(record), await freshChange(record)];

    // A replica has the hold, and nothing that comes after it.
    const behind = await startRedis(t, { disposable: true });
    await behind.client.replicaof('127.0.0.1', redis.port);
    const held = await control.hold(first.id, 1, only(first.cohort));
    await until(async () => Number(await behind.client.hget('{turnout}:meta', 'epoch')) >= held);
    await behind.client.replicaof('NO', 'ONE');
    await untilApplied(late, await control.switchTo(first.id, 1, to(first.after)));
    t.strictSame(view(late, first), ['live', first.id]);
    const { mapId } = late.snapshot;
    await until(async () => way.followed() === 1);
    await way.lead(behind.port);

    const stages = new Set<string | undefined>();
    late.onChange(() => stages.add(view(late, first)[0]));
    const known = await control.hold(second.id, 1, only(second.cohort));
    while (late.snapshot.epoch < known && !stages.has(first.before.stage)) await nextChange(late, () => true);
    t.strictSame([...stages], ['live'], 'none from before');
    t.equal(view(late, second)[1], second.id);
    t.equal(late.snapshot.mapId, mapId, 'the map itself is as it was');
    t.match(warnings, [/the state map in Redis is older/u]);
  },
);
