/** What every form of the map promises of the barrier, run against each of them by the tests beside this file. */
import type { Test } from 'tap';
import type { Change, Phase } from '../../src/cutover/change.ts';
import {
  ChangeLostError,
  type Claims,
  type CohortSwitch,
  type ControlMap,
  type Lease,
} from '../../src/cutover/stores.ts';
import type { Cohort } from '../../src/model.ts';
import type { StateMap } from '../../src/state/state-map.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { changeCohort, newChange } from '../storage/change-contract.ts';
import { nextChange } from './state-map-contract.ts';

export interface ControlSetup {
  readonly record: RecordStore;
  /** Of a controller. */
  readonly control: ControlMap;
  /** Of another one, or the same where there is only one process. */
  readonly rival: ControlMap;
  /** Of a gateway that is not the controller, where there can be one. */
  readonly state: StateMap;
}

export const CONTROL_COHORTS: readonly Cohort[] = Array.from({ length: 40 }, (_, n) =>
  changeCohort(`flip-${n}`),
);

/** A change of a cohort's stage. */
export interface StageChange extends Change {
  readonly cohort: string;
  readonly before: Cohort;
  readonly after: Cohort;
}

export function asStageChange(change: Change): StageChange {
  const { cohort, before, after } = change;
  if (cohort === undefined || before === undefined || after === undefined) throw new Error('of no stage');
  return { ...change, cohort, before, after };
}

let used = 0;
/** A change of a cohort that no other case uses, as the record opens it. */
export async function freshChange(record: RecordStore): Promise<StageChange> {
  const cohort = CONTROL_COHORTS[used++];
  if (cohort === undefined) throw new Error('this file needs more cohorts');
  return asStageChange(await record.changes.openChange(newChange(cohort.name)));
}

/** The hold of one cohort. */
export function only(cohort: string): Pick<Claims, 'held' | 'users'> {
  return { held: [cohort], users: [] };
}

/** The switch of one cohort. */
export function to(cohort: Cohort): readonly CohortSwitch[] {
  return [{ cohort, deleted: false }];
}

/** Whom the snapshot holds and at which stage the change's cohort is. */
export function view(
  state: StateMap,
  { cohort }: { readonly cohort: string },
): [string | undefined, string | undefined] {
  const { cohortByName, cohortHolds } = state.snapshot;
  return [cohortByName.get(cohort)?.stage, cohortHolds.get(cohort)?.change];
}

export async function untilApplied(state: StateMap, epoch: number): Promise<void> {
  while (state.snapshot.epoch < epoch) await nextChange(state, () => true);
}

/** Ends a change that got to `from`, in the record. */
export async function undo({ changes }: RecordStore, id: string, token: number, from: Phase): Promise<void> {
  if (from !== 'undoing') await changes.moveChange(id, token, from, 'undoing');
  await changes.moveChange(id, token, 'undoing', 'undone');
}

async function flipCases(t: Test, { record, control, state }: ControlSetup): Promise<void> {
  const { changes } = record;

  await t.test('hold, switch and release come into force one after the other', async (t) => {
    const change = await freshChange(record);
    const { id, cohort, after } = change;
    await control.claim(id, 1);
    await changes.moveChange(id, 1, 'pending', 'holding');
    const heard = nextChange(state, ({ kind }) => kind === 'snapshot');
    const held = await control.hold(id, 1, only(cohort));
    await heard;
    await untilApplied(state, held);
    t.strictSame(view(state, change), ['shadow', id]);
    t.strictSame(state.snapshot.cohortHolds.get(cohort), { change: id, epoch: held });

    await changes.moveChange(id, 1, 'holding', 'switching', { holdEpoch: held });
    t.strictSame(view(state, change), ['shadow', id], 'the record alone moves nobody');
    const switched = await control.switchTo(id, 1, to(after));
    t.ok(switched > held);
    await untilApplied(state, switched);
    t.strictSame(view(state, change), ['live', id]);

    await changes.moveChange(id, 1, 'switching', 'releasing', { switchEpoch: switched });
    const released = await control.release(id, 1);
    t.ok(released > switched);
    await untilApplied(state, released);
    t.strictSame(view(state, change), ['live', undefined]);
    t.ok((await control.epoch()) >= released);
    t.strictSame(
      state.snapshot.cohorts.map(({ name }) => name),
      CONTROL_COHORTS.map(({ name }) => name),
      'the order of the rules stays',
    );

    t.equal(await control.hold(id, 1, only(cohort)).catch((error: Error) => error.name), 'ChangeLostError');
    t.equal(await control.switchTo(id, 1, to(after)), switched, 'a step that is repeated has its epoch');
    t.equal(await control.release(id, 1), released);
    await t.rejects(control.forget(id), { message: /is not over/ });
    await changes.moveChange(id, 1, 'releasing', 'done', { releaseEpoch: released });
    await control.forget(id);
    await t.rejects(control.release(id, 1), ChangeLostError);
  });

  await t.test('each step is done once, however often and however many at once ask for it', async (t) => {
    const { id, cohort, after } = await freshChange(record);
    const three = <T>(step: () => Promise<T>): Promise<T[]> => Promise.all([step(), step(), step()]);
    const before = await control.epoch();
    const held = await three(() => control.hold(id, 1, only(cohort)));
    const switched = await three(() => control.switchTo(id, 1, to(after)));
    const released = await three(() => control.release(id, 1));
    for (const epochs of [held, switched, released]) t.equal(new Set(epochs).size, 1);
    t.ok(before < (held[0] ?? 0));
    await undo(record, id, 1, 'pending');
  });

  await t.test('a hold that is released without a switch leaves the cohort as it was', async (t) => {
    const change = await freshChange(record);
    const { id, cohort } = change;
    await control.hold(id, 1, only(cohort));
    await untilApplied(state, await control.release(id, 1));
    t.strictSame(view(state, change), ['shadow', undefined]);
    await t.rejects(control.hold(id, 1, only(cohort)), ChangeLostError, 'a hold that comes late is refused');
    await undo(record, id, 1, 'pending');
  });

  await t.test('what was never held is released all the same, and not held after that', async (t) => {
    const { id, cohort, after } = await freshChange(record);
    const before = await control.epoch();
    t.equal(await control.release(id, 1), before, 'nothing changed');
    await t.rejects(control.hold(id, 1, only(cohort)), ChangeLostError);
    await t.rejects(control.switchTo(id, 1, to(after)), ChangeLostError);
    await undo(record, id, 1, 'pending');
  });

  await t.test('a truth is not switched without its hold; anything else is', async (t) => {
    const { id, after, cohort } = await freshChange(record);
    await t.rejects(control.switchTo(id, 1, to(after)), { message: /lost the hold/ });
    await undo(record, id, 1, 'pending');
    const free = changeCohort(cohort, { stage: 'dualwrite' });
    const plain = asStageChange(
      await record.changes.openChange(newChange(cohort, { after: free, movesTruth: false })),
    );
    await untilApplied(state, await control.switchTo(plain.id, 1, to(free)));
    t.strictSame(view(state, plain), ['dualwrite', undefined]);
    await undo(record, plain.id, 1, 'pending');
  });

  await t.test('what is no cohort cannot be held or switched', async (t) => {
    const { id } = await freshChange(record);
    await t.rejects(control.hold(id, 1, only('nobody')), { message: /no cohort nobody/ });
    await t.rejects(control.switchTo(id, 1, to(changeCohort('nobody'))), { message: /no cohort nobody/ });
    await undo(record, id, 1, 'pending');
  });
}

async function tokenCases(t: Test, { record, control, rival, state }: ControlSetup): Promise<void> {
  const { changes } = record;

  await t.test('a controller whose change was taken over can do nothing any more', async (t) => {
    const change = await freshChange(record);
    const { id, cohort, after } = change;
    await control.hold(id, 1, only(cohort));
    const taken = await changes.takeChange(id, change.heartbeat);
    t.equal(taken?.token, 2);
    await rival.claim(id, 2);
    await t.rejects(control.claim(id, 1), ChangeLostError);
    await t.rejects(control.hold(id, 1, only(cohort)), ChangeLostError);
    await t.rejects(control.switchTo(id, 1, to(after)), ChangeLostError);
    await t.rejects(control.release(id, 1), ChangeLostError);
    t.equal((await rival.epoch()) > 0, true);
    await untilApplied(state, await rival.release(id, 2));
    t.strictSame(view(state, change), ['shadow', undefined]);
    await undo(record, id, 2, 'pending');
    await rival.forget(id);
    await t.rejects(control.claim(id, 1), ChangeLostError);
    await t.rejects(control.hold(id, 1, only(cohort)), ChangeLostError);
    t.strictSame(view(state, change), ['shadow', undefined]);
  });

  await t.test('the token of the record counts, also for one that did not claim', async (t) => {
    const change = await freshChange(record);
    await changes.takeChange(change.id, change.heartbeat);
    await t.rejects(control.claim(change.id, 1), ChangeLostError);
    await t.rejects(control.hold(change.id, 1, only(change.cohort)), ChangeLostError);
    await t.rejects(control.claim(change.id, 3), ChangeLostError, 'nor one that nobody was given');
    await rival.release(change.id, 2);
    await undo(record, change.id, 2, 'pending');
  });

  await t.test('two controllers that race leave one outcome, in record and map', async (t) => {
    for (let round = 0; round < 10; round++) {
      const change = await freshChange(record);
      const { id, cohort, after } = change;
      // The one goes forward as it may; the other takes over at some moment and undoes what can be undone.
      const forward = async (): Promise<void> => {
        await changes.moveChange(id, 1, 'pending', 'holding');
        const holdEpoch = await control.hold(id, 1, only(cohort));
        await changes.moveChange(id, 1, 'holding', 'switching', { holdEpoch });
        await control.switchTo(id, 1, to(after));
      };
      const takeOver = async (): Promise<void> => {
        for (let n = 0; n < round; n++) await changes.readChange(id);
        for (;;) {
          const seen = await changes.readChange(id);
          const taken = seen && (await changes.takeChange(id, seen.heartbeat));
          if (taken === undefined) continue;
          await rival.claim(id, taken.token);
          if (taken.phase === 'switching') {
            const switchEpoch = await rival.switchTo(id, taken.token, to(after));
            await changes.moveChange(id, taken.token, 'switching', 'releasing', { switchEpoch });
            const releaseEpoch = await rival.release(id, taken.token);
            await changes.moveChange(id, taken.token, 'releasing', 'done', { releaseEpoch });
          } else {
            await changes.moveChange(id, taken.token, taken.phase, 'undoing');
            await rival.release(id, taken.token);
            await changes.moveChange(id, taken.token, 'undoing', 'undone');
          }
          await rival.forget(id);
          return;
        }
      };
      const [went] = await Promise.allSettled([forward(), takeOver()]);
      if (went.status === 'rejected') t.type(went.reason, ChangeLostError);
      await untilApplied(state, await control.epoch());
      const over = await changes.readChange(id);
      t.strictSame(view(state, change), [over?.phase === 'done' ? 'live' : 'shadow', undefined]);
      t.equal(
        (await record.readCohorts()).find((stored) => stored.cohort.name === cohort)?.cohort.stage,
        over?.phase === 'done' ? 'live' : 'shadow',
      );
    }
  });
}

export async function controlContract(t: Test, setup: ControlSetup): Promise<void> {
  await flipCases(t, setup);
  await tokenCases(t, setup);
}

/** @param gateway whose leases may be renewed */
export async function leaseContract(t: Test, gateway: ControlMap, controller: ControlMap): Promise<void> {
  await t.test('a lease is what its gateway last said, until it is dropped', async (t) => {
    const lease: Lease = { gateway: 'g1', counter: 1, applied: 7, drained: 5, settled: 6, digest: 'd' };
    t.equal(await gateway.renewLease(lease), await controller.epoch(), 'a renewal tells the epoch');
    await gateway.renewLease({ ...lease, counter: 2, drained: 7 });
    await gateway.renewLease({ ...lease, gateway: 'g2' });
    const all = [...(await controller.leases())].sort((a, b) => a.gateway.localeCompare(b.gateway));
    t.strictSame(all, [
      { ...lease, counter: 2, drained: 7 },
      { ...lease, gateway: 'g2' },
    ]);
    await controller.dropLease('g1');
    await controller.dropLease('nobody');
    t.strictSame(await controller.leases(), [{ ...lease, gateway: 'g2' }]);
    await controller.dropLease('g2');
    t.strictSame(await controller.leases(), []);
  });
}
