/** Rollbacks while users write: whoever had a write acknowledged by `new` stays there, and nobody else does. */
import t from 'tap';
import type { Backend } from '../../src/model.ts';
import { within } from '../harness/within.ts';
import { RecordingBackends } from './flip-load.ts';
import { gatewaysWorld, untilLive } from './gateways.ts';
import { untilOver } from './until-over.ts';

const ROUNDS = 4;
const USERS = 40;
const BY = { actor: 'test', reason: 'a test', expectedEpoch: undefined, idempotencyKey: undefined };

await t.test(
  'of users who begin to write around a rollback exactly those stay who wrote to new',
  async (t) => {
    const backends = await RecordingBackends.start(t);
    const { control, start, redis } = await gatewaysWorld(t, backends, {
      cohorts: [{ name: 'movers', default: true, stage: 'shadow' }],
    });
    const gateways = [await start('one'), await start('two')];
    await untilLive(control, 2);

    async function send(user: string, method: 'GET' | 'POST'): Promise<Backend> {
      const { port } = gateways[Math.floor(Math.random() * gateways.length)] ?? { port: 0 };
      const answer = await fetch(`http://127.0.0.1:${port}/things`, {
        method,
        headers: { 'x-user': user },
        ...(method === 'POST' ? { body: user } : {}),
      });
      const owner = await answer.text();
      if (owner !== 'legacy' && owner !== 'new')
        throw new Error(`${method} of ${user}: ${answer.status} ${owner}`);
      return owner;
    }

    let kept = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const users = Array.from({ length: USERS }, (_, n) => `round ${round} user ${n}`);
      const live = { ...BY, cohort: 'movers', stage: 'live', ramp: undefined, dirtyUsers: 'keep' } as const;
      t.equal((await untilOver(control, await control.changeStage(live))).phase, 'done');
      // Each begins at a moment of its own: before the rollback, in the middle of it, after it.
      const wrote = new Map<string, Set<Backend>>();
      const writing = users.map(async (user) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));
        const owners = new Set<Backend>();
        wrote.set(user, owners);
        for (let n = 0; n < 3; n++) owners.add(await send(user, 'POST'));
      });
      await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 100));
      const request = { ...BY, cohort: 'movers', dirtyUsers: 'keep' } as const;
      // A drain that runs into the slowest writes is undone: then it is asked for again.
      let change = await untilOver(control, await control.rollback(request));
      while (change.phase === 'undone') change = await untilOver(control, await control.rollback(request));
      await within(Promise.all(writing), 'the last write', 20_000);
      const owners = new Map(
        await Promise.all(users.map(async (user) => [user, await send(user, 'GET')] as const)),
      );
      const onNew = users.filter((user) => owners.get(user) === 'new');
      const wroteToNew = users.filter((user) => wrote.get(user)?.has('new') === true);
      t.strictSame(onNew, wroteToNew);
      t.equal(change.dirty, wroteToNew.length);
      t.notOk(
        users.some((user) => wrote.get(user)?.size === 2),
        'nobody wrote to both',
      );
      kept += onNew.length;
    }
    t.comment(`${kept} of ${ROUNDS * USERS} users stayed`);
    const emptied = async (): Promise<void> => {
      while ((await redis.client.keys(`${redis.prefix}:w:*`)).length > 0)
        await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await within(emptied(), 'Redis without marks: the record has them', 10_000);
  },
);
