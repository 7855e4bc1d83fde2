import { pino } from 'pino';
import t from 'tap';
import { createControlMap } from '../../src/state/create-control-map.ts';
import { createEmbeddedState } from '../../src/state/embedded-state.ts';
import type { StateMap } from '../../src/state/state-map.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import {
  CONTROL_COHORTS,
  controlContract,
  freshChange,
  leaseContract,
  only,
  to,
  untilApplied,
  view,
} from './control-contract.ts';
import { freshUser } from './state-map-contract.ts';
import { userControlContract } from './user-control-contract.ts';

const log = pino({ level: 'silent' });
const config = { state: { kind: 'embedded', userCacheMax: 1_000 } } as const;

async function openState(record: RecordStore): Promise<StateMap> {
  const state = createEmbeddedState({
    record,
    cohorts: CONTROL_COHORTS,
    userCacheMax: 1_000,
    recordMs: 5_000,
    log,
  });
  await state.start();
  return state;
}

await t.test('the barrier in the embedded state map', async (t) => {
  const record = await createRecord({ kind: 'embedded', dir: t.testdir() }, log);
  t.teardown(() => record.close());
  const state = await openState(record);
  const control = createControlMap({ config, log, record, state });
  await controlContract(t, { record, control, rival: control, state });
  await userControlContract(t, { record, control, rival: control, state });
  await leaseContract(t, control, control);

  await t.test('it is changed where it is, and nowhere else', async (t) => {
    t.throws(() => createControlMap({ config, log, record }), { message: /changed where it is/ });
  });

  await t.test('a step that is overtaken on its way takes another epoch', async (t) => {
    const opened: { state?: StateMap } = {};
    let overtaken = 0;
    const overtaker: RecordStore = {
      ...record,
      async nextEpoch(mapId) {
        const epoch = await record.nextEpoch(mapId);
        // Another change takes the epoch after this one and is applied before it.
        if (overtaken === 0) {
          overtaken = epoch;
          await opened.state?.place(freshUser(), 'flip-0');
        }
        return epoch;
      },
    };
    const other = await openState(overtaker);
    opened.state = other;
    const change = await freshChange(record);
    const slow = createControlMap({ config, log, record: overtaker, state: other });
    const held = await slow.hold(change.id, 1, only(change.cohort));
    t.ok(overtaken > 0);
    t.ok(held > overtaken + 1, 'above what was applied without the hold');
    t.equal(other.snapshot.epoch, held);
    await slow.release(change.id, 1);
    await record.changes.moveChange(change.id, 1, 'pending', 'undone');
    await other.close();
  });

  await t.test('what a restart interrupts is taken up from the record', async (t) => {
    const holding = await freshChange(record);
    const switching = await freshChange(record);
    for (const { id, cohort } of [holding, switching]) {
      await record.changes.moveChange(id, 1, 'pending', 'holding');
      await record.changes.beatChange(id, 1, { holdEpoch: await control.hold(id, 1, only(cohort)) });
    }
    await record.changes.moveChange(switching.id, 1, 'holding', 'switching');
    const before = state.snapshot.epoch;
    await state.close();

    const again = await openState(record);
    const after = createControlMap({ config, log, record, state: again });
    t.ok(again.snapshot.epoch >= before);
    t.strictSame(view(again, holding), [holding.before.stage, holding.id]);
    t.strictSame(view(again, switching), ['live', switching.id]);
    const seen = await record.changes.readChange(switching.id);
    const taken = await record.changes.takeChange(switching.id, seen?.heartbeat ?? 0);
    await t.rejects(after.release(holding.id, 2), { name: 'ChangeLostError' });
    await untilApplied(again, await after.switchTo(switching.id, taken?.token ?? 0, to(switching.after)));
    await untilApplied(again, await after.release(switching.id, taken?.token ?? 0));
    t.strictSame(view(again, switching), ['live', undefined]);
    await after.release(holding.id, 1);
    t.strictSame(view(again, holding), [holding.before.stage, undefined]);
    await again.close();
  });
});
