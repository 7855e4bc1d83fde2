/** What every form of the map promises of holds and switches of users, and of cohorts that come and go. */
import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { Change } from '../../src/cutover/change.ts';
import { ChangeLostError, type NewChange } from '../../src/cutover/stores.ts';
import type { User } from '../../src/model.ts';
import { changeCohort, newChange } from '../storage/change-contract.ts';
import { type ControlSetup, freshChange, only, to, undo, untilApplied } from './control-contract.ts';
import { freshUser } from './state-map-contract.ts';

export function userWish(users: readonly User[], over: Partial<NewChange> = {}): NewChange {
  return {
    id: randomUUID(),
    kind: 'pin',
    cohort: undefined,
    pin: 'new',
    actor: 'ops',
    reason: '',
    idempotencyKey: undefined,
    dirtyUsers: 'keep',
    movesTruth: true,
    needsEveryGateway: false,
    claims: { held: [], own: [], shared: [], users },
    judged: [],
    ...over,
  };
}

/** Opens a change of users and brings it into `switching`. */
async function switching({ record, control }: ControlSetup, users: readonly User[]): Promise<Change> {
  const { changes } = record;
  const { id } = await changes.openChange(userWish(users));
  await changes.moveChange(id, 1, 'pending', 'holding');
  const holdEpoch = await control.hold(id, 1, { held: [], users });
  return changes.moveChange(id, 1, 'holding', 'switching', { holdEpoch });
}

async function finish({ record, control, state }: ControlSetup, { id }: Change): Promise<void> {
  const { changes } = record;
  await control.putUsers(id, 1, await changes.usersOf(id, undefined, 5_000));
  const switchEpoch = await control.switchTo(id, 1, []);
  await untilApplied(state, switchEpoch);
  await changes.moveChange(id, 1, 'switching', 'releasing', { switchEpoch });
  const releaseEpoch = await control.release(id, 1);
  await untilApplied(state, releaseEpoch);
  await changes.moveChange(id, 1, 'releasing', 'done', { releaseEpoch });
  await control.forget(id);
}

export async function userControlContract(t: Test, setup: ControlSetup): Promise<void> {
  const { record, control, state } = setup;
  const { changes } = record;

  await t.test('users are held, get their records, and are let go', async (t) => {
    const [nina, leo] = [freshUser(), freshUser()];
    await state.load(nina);
    const { id } = await switching(setup, [nina, leo]);
    const held = await control.hold(id, 1, { held: [], users: [nina, leo] });
    await untilApplied(state, held);
    t.strictSame(state.snapshot.userHolds.get(leo), { change: id, epoch: held });
    t.equal(await control.hold(id, 1, { held: [], users: [nina, leo] }), held, 'once');

    const wanted = await changes.usersOf(id, undefined, 10);
    await control.putUsers(id, 1, wanted);
    await control.putUsers(id, 1, wanted);
    const switched = await control.switchTo(id, 1, []);
    t.equal(await control.switchTo(id, 1, []), switched);
    await untilApplied(state, switched);
    t.match(state.cached(nina), { pin: 'new' }, 'a cached record is replaced');
    t.match(await state.load(leo), { pin: 'new' }, 'and one that is read');
    t.ok(state.snapshot.userHolds.has(nina), 'still held');
    await changes.moveChange(id, 1, 'switching', 'releasing', { switchEpoch: switched });
    await untilApplied(state, await control.release(id, 1));
    t.equal(state.snapshot.userHolds.size, 0);
    await changes.moveChange(id, 1, 'releasing', 'done', { releaseEpoch: await control.release(id, 1) });
  });

  await t.test('records are not put in force without the hold, nor by a controller that lost', async (t) => {
    const user = freshUser();
    const { id } = await changes.openChange(userWish([user]));
    const wanted = [{ user, before: await state.load(user), after: await state.load(user), version: 1 }];
    await t.rejects(control.putUsers(id, 1, wanted), { message: /lost the hold/ });
    await control.hold(id, 1, { held: [], users: [user] });
    const seen = await changes.readChange(id);
    await changes.takeChange(id, seen?.heartbeat ?? 0);
    await control.claim(id, 2);
    await t.rejects(control.putUsers(id, 1, wanted), ChangeLostError);
    await untilApplied(state, await control.release(id, 2));
    await undo(record, id, 2, 'pending');
  });

  await t.test('a record that is newer is not replaced', async (t) => {
    const user = freshUser();
    const change = await switching(setup, [user]);
    const wanted = await changes.usersOf(change.id, undefined, 1);
    await finish(setup, change);
    await state.putUser(user, { ...(await state.load(user)), pin: 'legacy' });
    const next = await switching(setup, [freshUser()]);
    await control.putUsers(next.id, 1, wanted);
    await untilApplied(state, await control.epoch());
    t.match(await state.load(user), { pin: 'legacy' });
    await finish(setup, next);
  });

  await t.test('five thousand users at once', async (t) => {
    const users = Array.from({ length: 5_000 }, () => freshUser());
    const { id } = await changes.openChange(userWish(users, { movesTruth: false }));
    const { users: count } = await changes.moveChange(id, 1, 'pending', 'switching');
    t.equal(count, 5_000);
    await control.putUsers(id, 1, await changes.usersOf(id, undefined, 5_000));
    const switchEpoch = await control.switchTo(id, 1, []);
    await untilApplied(state, switchEpoch);
    for (const user of [users[0], users[2_500], users[4_999]])
      t.match(await state.load(user ?? ''), { pin: 'new' });
    await changes.moveChange(id, 1, 'switching', 'done', { switchEpoch });
  });

  await t.test('a change that begins anew has made no step', async (t) => {
    const change = await freshChange(record);
    const { id, cohort, after } = change;
    await changes.moveChange(id, 1, 'pending', 'holding');
    const first = await control.hold(id, 1, only(cohort));
    await changes.moveChange(id, 1, 'holding', 'undoing');
    await control.release(id, 1);
    await changes.moveChange(id, 1, 'undoing', 'pending');
    await t.rejects(
      control.hold(id, 1, only(cohort)),
      ChangeLostError,
      'not by the token of the attempt before',
    );
    await changes.moveChange(id, 2, 'pending', 'holding');
    const second = await control.hold(id, 2, only(cohort));
    t.ok(second > first);
    const switched = await control.switchTo(id, 2, to(after));
    t.ok(switched > second);
    await untilApplied(state, await control.release(id, 2));
    t.equal(state.snapshot.cohortHolds.has(cohort), false);
    await changes.moveChange(id, 2, 'holding', 'undoing');
    await changes.moveChange(id, 2, 'undoing', 'undone');
  });

  await t.test(
    'a cohort that is made under a hold is held at once; one that is deleted is gone',
    async (t) => {
      const name = `made ${randomUUID()}`;
      const old = await freshChange(record);
      await undo(record, old.id, 1, 'pending');
      const made = changeCohort(name);
      const { id } = await changes.openChange({
        ...newChange(old.cohort),
        kind: 'cohort-create',
        cohort: name,
        after: made,
        claims: { held: [old.cohort, name], own: [], shared: [], users: [] },
      });
      await changes.moveChange(id, 1, 'pending', 'holding');
      const holdEpoch = await control.hold(id, 1, { held: [old.cohort, name], users: [] });
      await changes.moveChange(id, 1, 'holding', 'switching', { holdEpoch });
      const switchEpoch = await control.switchTo(id, 1, to(made));
      await untilApplied(state, switchEpoch);
      t.equal(state.snapshot.cohorts.at(-1)?.name, name);
      t.strictSame(state.snapshot.cohortHolds.get(name), { change: id, epoch: holdEpoch });
      await changes.moveChange(id, 1, 'switching', 'releasing', { switchEpoch });
      const releaseEpoch = await control.release(id, 1);
      await untilApplied(state, releaseEpoch);
      t.equal(state.snapshot.cohortHolds.size, 0);
      await changes.moveChange(id, 1, 'releasing', 'done', { releaseEpoch });

      const gone = await changes.openChange({
        ...newChange(name),
        kind: 'cohort-delete',
        after: undefined,
        movesTruth: false,
        judged: [made],
        claims: { held: [], own: [name], shared: [], users: [] },
      });
      await changes.moveChange(gone.id, 1, 'pending', 'switching');
      const epoch = await control.switchTo(gone.id, 1, await changes.definitionsOf(gone.id));
      await untilApplied(state, epoch);
      t.notOk(state.snapshot.cohortByName.has(name));
      await changes.moveChange(gone.id, 1, 'switching', 'done', { switchEpoch: epoch });
    },
  );
}
