/** Single users and members that move under load, over two gateway processes and real stores. */
import t from 'tap';
import type { Backend } from '../../src/model.ts';
import { within } from '../harness/within.ts';
import { FlipLoad, ownerChanges, RecordingBackends } from './flip-load.ts';
import { gatewaysWorld, untilLive } from './gateways.ts';
import { BY, done, lastOf, lines } from './move-contract.ts';

const FLIPS = 4;
const USERS = Array.from({ length: 10 }, (_, index) => `user ${index}`);

void t.test('users who are pinned, and members who come and go, lose nothing under load', async (t) => {
  const backends = await RecordingBackends.start(t);
  const cohorts = [
    { name: 'movers', default: true, stage: 'off' },
    { name: 'club', stage: 'live' },
  ];
  const { control, start } = await gatewaysWorld(t, backends, { cohorts });
  const gateways = [await start('one'), await start('two')];
  await untilLive(control, 2);
  const load = new FlipLoad(gateways.map(({ port }) => port));
  load.run(USERS);
  await everybodyWrote(backends, 0);

  for (let flip = 1; flip <= FLIPS; flip += 1) {
    const target: Backend = flip % 2 === 1 ? 'new' : 'legacy';
    load.target = target;
    load.flip = flip;
    // The first two flips move each user by itself, the others all of them as members.
    if (flip > 2) {
      const action = target === 'new' ? 'add' : 'remove';
      const job = { ...BY, cohort: 'club', action, dirtyUsers: 'force' } as const;
      t.match(await lastOf(control.changeMembers(job, lines(USERS))), { changed: USERS.length });
    } else {
      const backend = target === 'new' ? target : undefined;
      const pins = USERS.map((user) =>
        done(t, control, control.pin({ ...BY, user, backend, dirtyUsers: 'force' })),
      );
      await Promise.all(pins);
    }
    const settledAt = backends.applied.length;
    await everybodyWrote(backends, settledAt);
    const strayed = backends.applied.slice(settledAt).filter(({ owner }) => owner !== target);
    t.same(strayed, [], `after flip ${flip} only ${target} applies writes`);
  }
  await load.stop();

  t.same(load.failures, [], 'no request failed');
  t.same(load.stale, [], 'no read saw the old truth after a write to the new one was acknowledged');
  const changes = ownerChanges(backends.applied);
  for (const user of USERS)
    t.equal(changes.get(user), FLIPS, `the owner of ${user} changed with each flip only`);
});

/** Resolves when every user has a write among those applied from `from` on. */
async function everybodyWrote(backends: RecordingBackends, from: number): Promise<void> {
  const wrote = async (): Promise<void> => {
    while (new Set(backends.applied.slice(from).map(({ user }) => user)).size < USERS.length) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await within(wrote(), 'a write of every user', 20_000);
}
