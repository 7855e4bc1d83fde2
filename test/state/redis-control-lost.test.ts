/** Redis is wiped in the middle of a change: the map that is made from the record goes on where it was. */
import t, { type Test } from 'tap';
import type { ControlMap } from '../../src/cutover/stores.ts';
import { createControlMap } from '../../src/state/create-control-map.ts';
import type { StateMap } from '../../src/state/state-map.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import {
  CONTROL_COHORTS,
  freshChange,
  only,
  type StageChange,
  to,
  undo,
  untilApplied,
  view,
} from './control-contract.ts';
import { freshRecord, log, openState, redisModel, startStores, until, untilAttached } from './redis-setup.ts';
import { nextChange } from './state-map-contract.ts';
import { userWish } from './user-control-contract.ts';

const stores = await startStores(t);
const { redis } = stores;

interface Setting {
  readonly record: RecordStore;
  readonly control: ControlMap;
  readonly states: readonly StateMap[];
  /** Empties Redis; resolves when every gateway follows the new map. */
  wipe(): Promise<void>;
}

async function setting(t: Test): Promise<Setting> {
  const record = await freshRecord(t, stores);
  const model = redisModel({ url: redis.url });
  const open = (): Promise<StateMap> =>
    openState(t, model, record, { cohorts: CONTROL_COHORTS, selfFenceAfterMs: 1_000 });
  const states = [await open(), await open()];
  const control = createControlMap({ config: { state: model }, log, record });
  t.teardown(() => control.close());
  return {
    record,
    control,
    states,
    async wipe() {
      const resets = states.map((state) => nextChange(state, (change) => change.kind === 'reset'));
      await redis.client.flushall();
      await Promise.all(resets);
      await Promise.all(states.map(untilAttached));
    },
  };
}

/** As a controller does: any error but a lost change leaves the outcome open, and the step is repeated. */
async function again<T>(step: () => Promise<T>): Promise<T> {
  let result: { readonly value: T } | undefined;
  await until(async () => {
    result = await step().then(
      (value) => ({ value }),
      (error: unknown) => {
        if (error instanceof Error && error.name === 'ChangeLostError') throw error;
        return undefined;
      },
    );
    return result !== undefined;
  });
  if (result === undefined) throw new Error('the step did not succeed');
  return result.value;
}

async function allApplied({ states }: Setting, epoch: number): Promise<void> {
  await Promise.all(states.map((state) => untilApplied(state, epoch)));
}

function eachSees(
  t: Test,
  { states }: Setting,
  change: StageChange,
  seen: [string, string | undefined],
): void {
  for (const state of states) t.strictSame(view(state, change), seen);
}

/** From `holding` on: hold, drain, switch, release. */
async function finish(s: Setting, change: StageChange): Promise<void> {
  const { record, control } = s;
  const { id, cohort, after } = change;
  const token = (await record.changes.readChange(id))?.token ?? 0;
  const phase = async (): Promise<string | undefined> => (await record.changes.readChange(id))?.phase;
  if ((await phase()) === 'holding') {
    const holdEpoch = await again(() => control.hold(id, token, only(cohort)));
    await allApplied(s, holdEpoch);
    await record.changes.moveChange(id, token, 'holding', 'switching', { holdEpoch });
  }
  if ((await phase()) === 'switching') {
    const switchEpoch = await again(() => control.switchTo(id, token, to(after)));
    await allApplied(s, switchEpoch);
    await record.changes.moveChange(id, token, 'switching', 'releasing', { switchEpoch });
  }
  const releaseEpoch = await again(() => control.release(id, token));
  await allApplied(s, releaseEpoch);
  await record.changes.moveChange(id, token, 'releasing', 'done', { releaseEpoch });
  await again(() => control.forget(id));
}

await t.test('wiped while a change is pending: nobody is held', async (t) => {
  const s = await setting(t);
  const change = await freshChange(s.record);
  await s.control.claim(change.id, 1);
  await s.wipe();
  eachSees(t, s, change, ['shadow', undefined]);
  await s.record.changes.moveChange(change.id, 1, 'pending', 'holding');
  await finish(s, change);
  eachSees(t, s, change, ['live', undefined]);
});

for (const scriptRan of [false, true]) {
  const when = scriptRan ? 'after its script' : 'before its script';

  await t.test(`wiped in holding, ${when}: writes wait in the new map`, async (t) => {
    const s = await setting(t);
    const change = await freshChange(s.record);
    await s.record.changes.moveChange(change.id, 1, 'pending', 'holding');
    const before = scriptRan ? await s.control.hold(change.id, 1, only(change.cohort)) : 0;
    await s.wipe();
    eachSees(t, s, change, ['shadow', change.id]);
    if (scriptRan) {
      const first = s.control.hold(change.id, 1, only(change.cohort));
      await t.rejects(first, { name: 'MapReplacedError' }, 'the first call on the new map is told so');
    }
    t.ok((await again(() => s.control.hold(change.id, 1, only(change.cohort)))) > before);
    await finish(s, change);
    eachSees(t, s, change, ['live', undefined]);
  });

  await t.test(`wiped in switching, ${when}: the new definition, and writes wait`, async (t) => {
    const s = await setting(t);
    const change = await freshChange(s.record);
    const { id, cohort, after } = change;
    await s.record.changes.moveChange(id, 1, 'pending', 'holding');
    const holdEpoch = await s.control.hold(id, 1, only(cohort));
    await s.record.changes.moveChange(id, 1, 'holding', 'switching', { holdEpoch });
    if (scriptRan) await s.control.switchTo(id, 1, to(after));
    await s.wipe();
    eachSees(t, s, change, ['live', id]);
    await finish(s, change);
    eachSees(t, s, change, ['live', undefined]);
  });

  await t.test(`wiped in releasing, ${when}: writes go to the new truth`, async (t) => {
    const s = await setting(t);
    const change = await freshChange(s.record);
    const { id, cohort, after } = change;
    await s.record.changes.moveChange(id, 1, 'pending', 'holding');
    const holdEpoch = await s.control.hold(id, 1, only(cohort));
    await s.record.changes.moveChange(id, 1, 'holding', 'switching', { holdEpoch });
    const switchEpoch = await s.control.switchTo(id, 1, to(after));
    await allApplied(s, switchEpoch);
    await s.record.changes.moveChange(id, 1, 'switching', 'releasing', { switchEpoch });
    if (scriptRan) await s.control.release(id, 1);
    await s.wipe();
    eachSees(t, s, change, ['live', undefined]);
    await finish(s, change);
    eachSees(t, s, change, ['live', undefined]);
  });

  await t.test(`wiped in undoing, ${when}: nobody is held, and no late hold is taken`, async (t) => {
    const s = await setting(t);
    const change = await freshChange(s.record);
    const { id, cohort } = change;
    await s.record.changes.moveChange(id, 1, 'pending', 'holding');
    await s.control.hold(id, 1, only(cohort));
    await s.record.changes.moveChange(id, 1, 'holding', 'undoing');
    if (scriptRan) await s.control.release(id, 1);
    await s.wipe();
    eachSees(t, s, change, ['shadow', undefined]);
    await t.rejects(
      again(() => s.control.hold(id, 1, only(cohort))),
      { name: 'ChangeLostError' },
    );
    await again(() => s.control.release(id, 1));
    await undo(s.record, id, 1, 'undoing');
    eachSees(t, s, change, ['shadow', undefined]);
  });
}

await t.test('the token that the record has is the one that counts in the new map', async (t) => {
  const s = await setting(t);
  const change = await freshChange(s.record);
  const { id, cohort } = change;
  const moved = await s.record.changes.moveChange(id, 1, 'pending', 'holding');
  await s.control.hold(id, 1, only(cohort));
  await s.record.changes.takeChange(id, moved.heartbeat);
  await s.wipe();
  await t.rejects(
    again(() => s.control.release(id, 1)),
    { name: 'ChangeLostError' },
  );
  eachSees(t, s, change, ['shadow', id]);
  await finish(s, change);
  eachSees(t, s, change, ['live', undefined]);
});

await t.test('a new map begins above epochs that nobody was told of, and has no lease', async (t) => {
  const s = await setting(t);
  // A change that is in Redis alone: its announcement is lost with it.
  const ahead = s.states[0]?.snapshot.epoch ?? 0;
  await redis.client.hset('{turnout}:meta', 'epoch', ahead + 500);
  await redis.client.hset('{turnout}:leases', 'g', '{}');
  await s.wipe();
  for (const { snapshot } of s.states) t.ok(snapshot.epoch > ahead + 500);
  t.strictSame(await s.control.leases(), []);
});

await t.test(
  'wiped while users are held: they are held in the new map, and their records are there',
  async (t) => {
    const s = await setting(t);
    const { changes } = s.record;
    const users = ['nina', 'leo'];
    const { id } = await changes.openChange(userWish(users));
    await changes.moveChange(id, 1, 'pending', 'holding');
    const holdEpoch = await s.control.hold(id, 1, { held: [], users });
    await s.wipe();
    for (const { snapshot } of s.states) t.same([...snapshot.userHolds.keys()].sort(), ['leo', 'nina']);
    await changes.moveChange(id, 1, 'holding', 'switching', { holdEpoch });
    await s.wipe();
    await again(async () => s.control.putUsers(id, 1, await changes.usersOf(id, undefined, 10)));
    const switchEpoch = await again(() => s.control.switchTo(id, 1, []));
    await allApplied(s, switchEpoch);
    for (const state of s.states) t.match(await state.load('nina'), { pin: 'new' });
    await changes.moveChange(id, 1, 'switching', 'releasing', { switchEpoch });
    const releaseEpoch = await again(() => s.control.release(id, 1));
    await allApplied(s, releaseEpoch);
    for (const { snapshot } of s.states) t.equal(snapshot.userHolds.size, 0);
    await changes.moveChange(id, 1, 'releasing', 'done', { releaseEpoch });
  },
);

await t.test('failed over between the records and the switch: they are put again before it', async (t) => {
  const s = await setting(t);
  const { changes } = s.record;
  const { id } = await changes.openChange(userWish(['nina']));
  await changes.moveChange(id, 1, 'pending', 'holding');
  const holdEpoch = await s.control.hold(id, 1, { held: [], users: ['nina'] });
  await changes.moveChange(id, 1, 'holding', 'switching', { holdEpoch });
  const users = await changes.usersOf(id, undefined, 10);
  const before = (await redis.client.hget('{turnout}:control', id)) ?? '';
  await s.control.putUsers(id, 1, users);
  const after = (await redis.client.hget('{turnout}:control', id)) ?? '';
  // What a replica has that had the hold only.
  await redis.client.hset('{turnout}:control', id, before);
  await t.rejects(s.control.switchTo(id, 1, []), { name: 'RecordsLostError' });
  await s.control.putUsers(id, 1, users);
  const switchEpoch = await s.control.switchTo(id, 1, []);
  t.ok(switchEpoch > holdEpoch);
  // And one that had the records, but not the switch: then that alone is lost.
  await redis.client.hset('{turnout}:control', id, after);
  await t.rejects(s.control.switchTo(id, 1, []), { name: 'RecordsLostError' }, 'they were put twice');
  await s.control.putUsers(id, 1, users);
  await allApplied(s, await s.control.switchTo(id, 1, []));
  for (const state of s.states) t.match(await state.load('nina'), { pin: 'new' });
  await changes.moveChange(id, 1, 'switching', 'releasing', { switchEpoch });
  const releaseEpoch = await s.control.release(id, 1);
  await changes.moveChange(id, 1, 'releasing', 'done', { releaseEpoch });
});

await t.test('while there is no map nothing is done', async (t) => {
  const record = await freshRecord(t, stores);
  const control = createControlMap({ config: { state: redisModel({ url: redis.url }) }, log, record });
  t.teardown(() => control.close());
  await record.seedCohorts(CONTROL_COHORTS);
  const change = await freshChange(record);
  for (const step of [
    () => control.claim(change.id, 1),
    () => control.hold(change.id, 1, only(change.cohort)),
    () => control.leases(),
    () => control.epoch(),
  ]) {
    await t.rejects(async () => void (await step()), { message: /holds no state map/ });
  }
});
