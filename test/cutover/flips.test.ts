/** Flips under load, over two gateway processes, real stores and two backends that note what they applied. */
import t from 'tap';
import type { Stage } from '../../src/model.ts';
import { within } from '../harness/within.ts';
import { FlipLoad, ownerChanges, RecordingBackends } from './flip-load.ts';
import { gatewaysWorld, untilLive } from './gateways.ts';
import { untilOver } from './until-over.ts';

const FLIPS = 20;
const USERS = Array.from({ length: 20 }, (_, index) => `user ${index}`);

void t.test('twenty flips under load lose nothing, fail nothing and show no old truth', async (t) => {
  const backends = await RecordingBackends.start(t);
  const { control, start } = await gatewaysWorld(t, backends);
  const gateways = [await start('one'), await start('two')];
  await untilLive(control, 2);
  const load = new FlipLoad(gateways.map(({ port }) => port));
  load.run(USERS);
  // Each user has to have an old owner before the first flip, and to meet each new one.
  await everybodyWrote(backends, 0);

  const tookMs: number[] = [];
  let strayed = 0;
  for (let flip = 1; flip <= FLIPS; flip += 1) {
    const stage: Stage = flip % 2 === 1 ? 'live' : 'off';
    load.target = stage === 'live' ? 'new' : 'legacy';
    load.flip = flip;
    const beganMs = performance.now();
    const begun = await control.changeStage({
      cohort: 'movers',
      stage,
      ramp: undefined,
      dirtyUsers: 'force',
      actor: 'test',
      reason: `flip ${flip}`,
      expectedEpoch: undefined,
      idempotencyKey: undefined,
    });
    const change = await untilOver(control, begun);
    tookMs.push(performance.now() - beganMs);
    t.equal(change.phase, 'done', `flip ${flip} to ${stage}: ${change.note}`);
    const settledAt = backends.applied.length;
    await everybodyWrote(backends, settledAt);
    strayed += backends.applied.slice(settledAt).filter(({ owner }) => owner !== load.target).length;
  }
  await load.stop();

  t.same(load.failures, [], 'no request failed');
  t.same(load.stale, [], 'no read saw the old truth after a write to the new one was acknowledged');
  t.equal(strayed, 0, 'after a flip only the new owner applies writes');
  const changes = ownerChanges(backends.applied);
  for (const user of USERS) {
    // As often as it was flipped and no oftener: the writes of the old owner come before those of the new one.
    t.equal(changes.get(user), FLIPS, `the owner of ${user} changed with each flip only`);
  }
  t.comment(
    `${load.writes} writes, ${load.reads} reads; flips took ${tookMs.map((ms) => Math.round(ms)).join(', ')} ms`,
  );
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
