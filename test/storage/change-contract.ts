/** What the record promises of changes, run against Postgres and its embedded twin by the tests beside this file. */
import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import { ChangeConflictError, ChangeLostError, type NewChange } from '../../src/cutover/stores.ts';
import type { Cohort } from '../../src/model.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';

export function changeCohort(name: string, over: Partial<Cohort> = {}): Cohort {
  return {
    name,
    stage: 'shadow',
    ramp: { kind: 'percent', buckets: 10_000 },
    salt: name,
    rule: undefined,
    isDefault: false,
    migration: 'cohort',
    mirror: false,
    ...over,
  };
}

/** A change that makes the cohort live, which is as it was seeded. */
export function newChange(cohort: string, over: Partial<NewChange> = {}): NewChange {
  return {
    id: randomUUID(),
    kind: 'stage',
    cohort,
    after: changeCohort(cohort, { stage: 'live' }),
    actor: 'ops',
    reason: 'it is time',
    idempotencyKey: undefined,
    dirtyUsers: 'drain',
    claims: { held: [cohort], own: [], shared: [], users: [] },
    judged: [changeCohort(cohort)],
    movesTruth: true,
    needsEveryGateway: false,
    ...over,
  };
}

let cohorts = 0;
/** A cohort that no other case uses. */
async function freshCohort(record: RecordStore): Promise<string> {
  const name = `cohort-${cohorts++}`;
  await record.seedCohorts([changeCohort(name)]);
  return name;
}

async function stageOf(record: RecordStore, name: string): Promise<string | undefined> {
  return (await record.readCohorts()).find(({ cohort }) => cohort.name === name)?.cohort.stage;
}

export async function changeContract(t: Test, record: RecordStore): Promise<void> {
  const { changes } = record;
  await record.createMap();

  await t.test('a change goes from the wish to its outcome, and is kept', async (t) => {
    const cohort = await freshCohort(record);
    const wish = newChange(cohort, { idempotencyKey: `key of ${cohort}` });
    const opened = await changes.openChange(wish);
    t.match(opened, {
      id: wish.id,
      kind: 'stage',
      cohort,
      before: { name: cohort, stage: 'shadow' },
      after: { name: cohort, stage: 'live' },
      movesTruth: true,
      needsEveryGateway: false,
      phase: 'pending',
      actor: 'ops',
      reason: 'it is time',
      idempotencyKey: `key of ${cohort}`,
      dirtyUsers: 'drain',
      users: 0,
      dirty: 0,
      restarts: 0,
      token: 1,
      holdEpoch: undefined,
      endedAt: undefined,
    });
    t.ok(opened.createdAt instanceof Date);
    t.strictSame(await changes.readChange(wish.id), opened);
    t.strictSame(
      (await changes.openChanges()).map(({ id }) => id),
      [wish.id],
    );

    await changes.moveChange(wish.id, 1, 'pending', 'holding');
    await changes.beatChange(wish.id, 1, { holdEpoch: 40, note: 'waits for g1' });
    t.match(await changes.readChange(wish.id), { holdEpoch: 40, note: 'waits for g1' });
    t.equal(await stageOf(record, cohort), 'shadow', 'until the point of no return');
    const switching = await changes.moveChange(wish.id, 1, 'holding', 'switching');
    t.match(switching, { phase: 'switching', holdEpoch: 40, token: 1 });
    t.equal(await stageOf(record, cohort), 'live');
    await changes.moveChange(wish.id, 1, 'switching', 'releasing', { switchEpoch: 41 });
    const done = await changes.moveChange(wish.id, 1, 'releasing', 'done', { releaseEpoch: 42, note: 'ok' });
    t.match(done, { phase: 'done', holdEpoch: 40, switchEpoch: 41, releaseEpoch: 42, note: 'ok' });
    t.ok(done.endedAt instanceof Date);
    t.strictSame(await changes.openChanges(), []);
    t.equal((await record.readMap())?.epoch, 42, 'a map rebuilt from this record goes on above it');
    t.equal(await changes.readChange('nobody'), undefined);
  });

  await t.test('a change that is undone leaves the cohort as it is', async (t) => {
    const cohort = await freshCohort(record);
    const { id } = await changes.openChange(newChange(cohort));
    await changes.moveChange(id, 1, 'pending', 'holding');
    await changes.moveChange(id, 1, 'holding', 'undoing', { note: 'g2 did not drain' });
    const undone = await changes.moveChange(id, 1, 'undoing', 'undone');
    t.match(undone, { phase: 'undone', note: 'g2 did not drain' });
    t.equal(await stageOf(record, cohort), 'shadow');
  });

  await t.test('a second change of the cohort is refused with the id of the first', async (t) => {
    const cohort = await freshCohort(record);
    const first = await changes.openChange(newChange(cohort));
    const refused = await changes.openChange(newChange(cohort)).catch((error: unknown) => error);
    t.type(refused, ChangeConflictError);
    t.match(refused, { openChange: first.id });
    const other = await changes.openChange(newChange(await freshCohort(record)));
    t.equal(other.phase, 'pending', 'another cohort is not concerned');
    await changes.moveChange(first.id, 1, 'pending', 'undoing');
    await t.rejects(changes.openChange(newChange(cohort)), ChangeConflictError, 'until it is over');
    await changes.moveChange(first.id, 1, 'undoing', 'undone');
    t.equal((await changes.openChange(newChange(cohort))).phase, 'pending');
  });

  await t.test('of ten operators at once one opens a change, nine are told which', async (t) => {
    const cohort = await freshCohort(record);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () => changes.openChange(newChange(cohort))),
    );
    const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.id] : []));
    t.equal(opened.length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') t.match(outcome.reason, { openChange: opened[0] });
    }
  });

  await t.test('a key that was used gives the change that it was used for, over or not', async (t) => {
    const cohort = await freshCohort(record);
    const key = { idempotencyKey: `again ${cohort}` };
    const all = await Promise.all([1, 2, 3].map(() => changes.openChange(newChange(cohort, key))));
    t.equal(new Set(all.map(({ id }) => id)).size, 1);
    const [{ id } = { id: '' }] = all;
    const elsewhere = await freshCohort(record);
    t.equal((await changes.openChange(newChange(elsewhere, key))).id, id, 'for another cohort too');
    await changes.moveChange(id, 1, 'pending', 'undoing');
    await changes.moveChange(id, 1, 'undoing', 'undone');
    t.match(await changes.openChange(newChange(cohort, key)), { id, phase: 'undone' });
  });

  await t.test('one key for many cohorts at once opens one change', async (t) => {
    const names = [];
    for (let n = 0; n < 4; n++) names.push(await freshCohort(record));
    const key = { idempotencyKey: `many ${names.join()}` };
    const all = await Promise.all(names.map((name) => changes.openChange(newChange(name, key))));
    t.equal(new Set(all.map(({ id }) => id)).size, 1);
  });

  await t.test('a change of what is no cohort, or of another than it says, is refused', async (t) => {
    await t.rejects(changes.openChange(newChange('nobody')), { message: /no cohort nobody/ });
    const cohort = await freshCohort(record);
    await t.rejects(changes.openChange(newChange(cohort, { after: changeCohort('other') })), RangeError);
  });

  await t.test('a change is moved from the phase that it is in, once', async (t) => {
    const cohort = await freshCohort(record);
    const { id } = await changes.openChange(newChange(cohort));
    await changes.moveChange(id, 1, 'pending', 'holding');
    await t.rejects(changes.moveChange(id, 1, 'pending', 'holding'), ChangeLostError);
    await t.rejects(changes.moveChange(id, 1, 'pending', 'undoing'), ChangeLostError);
    const both = await Promise.allSettled([
      changes.moveChange(id, 1, 'holding', 'switching', { holdEpoch: 50 }),
      changes.moveChange(id, 1, 'holding', 'undoing'),
    ]);
    t.equal(both.filter(({ status }) => status === 'fulfilled').length, 1, 'of two decisions one counts');
    const now = await changes.readChange(id);
    t.equal(await stageOf(record, cohort), now?.phase === 'switching' ? 'live' : 'shadow');
  });

  await t.test('no way leads around a phase', async (t) => {
    const cohort = await freshCohort(record);
    const { id } = await changes.openChange(newChange(cohort));
    await t.rejects(changes.moveChange(id, 1, 'pending', 'done'), RangeError);
    await t.rejects(changes.moveChange(id, 1, 'switching', 'undoing'), RangeError, 'only forward');
    await t.rejects(
      changes.moveChange(id, 1, 'pending', 'switching'),
      { message: /cohort_changes_held/ },
      'a truth does not move without a hold',
    );
    t.equal(await stageOf(record, cohort), 'shadow', 'and nothing was written');
    await changes.moveChange(id, 1, 'pending', 'holding', { holdEpoch: 60 });
    await changes.moveChange(id, 1, 'holding', 'switching');
    await t.rejects(changes.moveChange(id, 1, 'switching', 'done'), { message: /cohort_changes_released/ });

    const free = await freshCohort(record);
    const after = changeCohort(free, { stage: 'dualwrite' });
    const plain = await changes.openChange(newChange(free, { movesTruth: false, after }));
    await changes.moveChange(plain.id, 1, 'pending', 'switching');
    await changes.moveChange(plain.id, 1, 'switching', 'done', { switchEpoch: 61 });
    t.equal(await stageOf(record, free), 'dualwrite');
  });

  await t.test('whoever takes a change over makes the old token fail', async (t) => {
    const cohort = await freshCohort(record);
    const opened = await changes.openChange(newChange(cohort));
    const { id } = opened;
    await changes.beatChange(id, 1);
    t.equal(await changes.takeChange(id, opened.heartbeat), undefined, 'its controller is at work');
    const seen = await changes.readChange(id);
    t.not(seen?.heartbeat, opened.heartbeat);
    const takers = await Promise.all([1, 2, 3].map(() => changes.takeChange(id, seen?.heartbeat ?? 0)));
    const won = takers.filter((taken) => taken !== undefined);
    t.equal(won.length, 1);
    t.match(won[0], { id, token: 2, phase: 'pending' });
    await t.rejects(changes.beatChange(id, 1), ChangeLostError);
    await t.rejects(changes.moveChange(id, 1, 'pending', 'holding'), ChangeLostError);
    await changes.beatChange(id, 2);
    await changes.moveChange(id, 2, 'pending', 'undoing');
    const over = await changes.moveChange(id, 2, 'undoing', 'undone');
    t.equal(await changes.takeChange(id, over.heartbeat), undefined, 'there is nothing to take');
    await t.rejects(changes.beatChange(id, 2), ChangeLostError);
  });

  await t.test('changes are listed newest first, in pages', async (t) => {
    const cohort = await freshCohort(record);
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      const { id } = await changes.openChange(newChange(cohort));
      await changes.moveChange(id, 1, 'pending', 'undoing');
      await changes.moveChange(id, 1, 'undoing', 'undone');
      ids.unshift(id);
    }
    const seen: string[] = [];
    for (let before: string | undefined; ; before = seen.at(-1)) {
      const page = await changes.listChanges(before, 2, cohort);
      seen.push(...page.map(({ id }) => id));
      if (page.length < 2) break;
    }
    t.strictSame(seen, ids);
    const all = await changes.listChanges(undefined, 500);
    t.ok(all.length > 5);
    t.strictSame(
      all.slice(0, 5).map(({ id }) => id),
      ids,
    );
    for (const limit of [0, 501, 1.5]) await t.rejects(changes.listChanges(undefined, limit), RangeError);
    await t.rejects(changes.listChanges('nobody', 1), RangeError);
  });

  await t.test('gateways are registered until they are gone', async (t) => {
    await changes.registerGateway('g1', 'host a, process 1');
    await changes.registerGateway('g2', 'host b, process 1');
    const [first] = await changes.registeredGateways();
    await changes.registerGateway('g1', 'host a, process 2');
    const both = await changes.registeredGateways();
    t.match(both, [
      { id: 'g1', where: 'host a, process 2' },
      { id: 'g2', where: 'host b, process 1' },
    ]);
    t.strictSame(both[0]?.registeredAt, first?.registeredAt);
    await changes.deregisterGateway('g1');
    await changes.deregisterGateway('g1');
    t.match(await changes.registeredGateways(), [{ id: 'g2' }]);
    await changes.deregisterGateway('g2');
  });

  await t.test('epochs of the record are taken one by one', async (t) => {
    const map = await record.createMap();
    const epochs = await Promise.all([1, 2, 3].map(() => record.nextEpoch(map.id)));
    t.equal(new Set(epochs).size, 3);
    t.ok(Math.min(...epochs) > map.epoch);
    t.equal((await record.readMap())?.epoch, Math.max(...epochs));
    await t.rejects(record.nextEpoch('another'), { name: 'MapReplacedError' });
  });
}
