/** What the record promises of the guard, run against Postgres and its embedded twin by the tests beside this file. */
import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { Condition, Figures } from '../../src/guard/condition.ts';
import type { NewRamp, NewTrip } from '../../src/guard/guard-store.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { changeCohort, newChange } from './change-contract.ts';

export const CONDITION: Condition = {
  name: 'errorRate',
  metric: 'errorRate',
  over: 0.05,
  overLegacy: undefined,
  windowMs: 30_000,
  minRequests: 50,
  windows: { over: 3, of: 5 },
  confidence: 0.99,
  action: 'rollback',
  cohorts: undefined,
};

export const FIGURES: Figures = {
  value: 1,
  lower: 0.9,
  upper: 1,
  legacyValue: undefined,
  threshold: 0.05,
  requests: 100,
  legacyRequests: 0,
  windowsOver: 1,
  evidence: 42,
  kinds: { connect: 100 },
  gateways: ['a', 'b'],
  apart: undefined,
};

export function newTrip(cohort: string, over: Partial<NewTrip> = {}): NewTrip {
  return {
    id: randomUUID(),
    cohort,
    condition: CONDITION,
    action: 'rollback',
    path: 'overwhelming',
    figures: FIGURES,
    stage: 'live',
    firstBadMs: 700,
    note: undefined,
    ...over,
  };
}

export function newRamp(cohort: string, over: Partial<NewRamp> = {}): NewRamp {
  const percent = (buckets: number) => ({ ramp: { kind: 'percent', buckets } as const, bakeMs: 1_000 });
  return {
    id: randomUUID(),
    cohort,
    plan: {
      steps: [percent(100), percent(1_000)],
      gates: {
        guard: 'healthy',
        mismatchShareMax: 0.01,
        comparedMin: undefined,
        mirrorBacklogMax: undefined,
      },
      automatic: true,
    },
    stage: 'live',
    from: { kind: 'percent', buckets: 0 },
    step: -1,
    ...over,
  };
}

const OPS = { actor: 'ops', reason: 'seen to' };
const MINUTE_MS = 60_000;

let cohorts = 0;
async function freshCohort(record: RecordStore): Promise<string> {
  const name = `guarded-${cohorts++}`;
  await record.seedCohorts([changeCohort(name)]);
  return name;
}

export async function guardContract(t: Test, record: RecordStore): Promise<void> {
  const { guard } = record;
  await record.createMap();

  await t.test(
    'of many that see the same evidence one adds the trip, and it is read back whole',
    async (t) => {
      const cohort = await freshCohort(record);
      const trips = Array.from({ length: 8 }, () => newTrip(cohort));
      const added = (await Promise.all(trips.map((trip) => guard.addTrip(trip, false)))).flatMap(
        (each) => each ?? [],
      );
      t.equal(added.length, 1);
      const [trip] = added;
      t.match(trip, {
        cohort,
        condition: CONDITION,
        figures: FIGURES,
        action: 'rollback',
        stage: 'live',
        attempt: 0,
      });
      const badMs = Number(trip?.trippedAt) - Number(trip?.firstBadAt);
      t.ok(badMs > 600 && badMs < 5_000, `the first failure was ${badMs} ms before`);
      t.strictSame(await guard.readTrip(trip?.id ?? ''), trip);
      t.equal(await guard.heldBy(cohort), trip?.id);
      t.same((await guard.openTrips()).filter((each) => each.cohort === cohort).length, 1);
    },
  );

  await t.test('infinite evidence is kept as a very large number', async (t) => {
    const cohort = await freshCohort(record);
    const figures = { ...FIGURES, evidence: Infinity, value: NaN };
    const added = await guard.addTrip(newTrip(cohort, { figures }), false);
    t.match(added?.figures, { evidence: Number.MAX_VALUE });
    t.equal(added?.figures.value, undefined);
  });

  await t.test('a trip goes from its row to its change, a new attempt, in force and cleared', async (t) => {
    const cohort = await freshCohort(record);
    const trip = await guard.addTrip(newTrip(cohort), true);
    const id = trip?.id ?? '';
    t.ok(await guard.noteTrip(id, 0, { change: 'c1', note: 'on its way' }));
    t.match(await guard.readTrip(id), { change: 'c1', note: 'on its way' });
    const [one, two] = await Promise.all([
      guard.retryTrip(id, 0, 'undone'),
      guard.retryTrip(id, 0, 'undone'),
    ]);
    t.equal([one, two].filter((each) => each !== undefined).length, 1, 'one of two goes on');
    t.match(await guard.readTrip(id), { attempt: 1, change: undefined, note: 'undone' });
    t.notOk(await guard.noteTrip(id, 0, { change: 'c1' }), 'of the attempt before');
    t.ok(await guard.noteTrip(id, 1, { change: 'c2' }));
    const at = new Date(Date.now() - 1_000);
    t.same(
      [await guard.settleTrip(id, at, undefined, true), await guard.settleTrip(id, at, undefined, true)],
      [true, false],
    );
    t.match(await guard.readTrip(id), { inForceAt: at, change: 'c2', note: undefined });
    t.notOk(await guard.noteTrip(id, 1, { note: 'late' }));
    t.equal(await guard.heldBy(cohort), id, 'until a person clears it');
    t.match(await guard.clearTrips(cohort, OPS, true), { id, clearedBy: 'ops' });
    t.equal(await guard.clearTrips(cohort, OPS, true), undefined);
    t.equal(await guard.heldBy(cohort), undefined);
    const next = await guard.addTrip(newTrip(cohort), false);
    t.ok(next, 'a new one can be added');
    t.equal((await guard.latestTrips()).find((each) => each.cohort === cohort)?.id, next?.id);
  });

  await t.test('a warning is not repeated within the cooldown, and another condition is', async (t) => {
    const cohort = await freshCohort(record);
    const warn = (name: string) =>
      guard.addTrip(newTrip(cohort, { action: 'warn', condition: { ...CONDITION, name } }), false);
    t.ok(await warn('a'));
    t.equal(await warn('a'), undefined);
    t.ok(await warn('b'));
    t.ok(await guard.addTrip(newTrip(cohort), false), 'a rollback all the same');
    await guard.endQuietTrips(MINUTE_MS);
    t.equal(await warn('a'), undefined);
    await guard.endQuietTrips(0);
    t.ok(await warn('a'));
    t.match(await guard.clearTrips(cohort, OPS, false), { action: 'rollback' });
    t.same(
      (await guard.openTrips()).filter((each) => each.cohort === cohort),
      [],
    );
  });

  await t.test('a rollback that cannot be made holds instead, and nobody has to clear it', async (t) => {
    const cohort = await freshCohort(record);
    const trip = await guard.addTrip(newTrip(cohort), false);
    t.ok(await guard.holdInstead(trip?.id ?? '', 'only force goes back'));
    t.equal(await guard.heldBy(cohort), undefined);
    t.match(await guard.readTrip(trip?.id ?? ''), { action: 'hold', note: 'only force goes back' });
    t.notOk(await guard.settleTrip(trip?.id ?? '', undefined, undefined, false));
    const again = await guard.addTrip(newTrip(cohort), false);
    t.ok(await guard.holdInstead(again?.id ?? '', 'again'), 'also beside one that holds');
  });

  await t.test('trips are listed newest first, page by page', async (t) => {
    const cohort = await freshCohort(record);
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      ids.unshift((await guard.addTrip(newTrip(cohort), false))?.id ?? '');
      await guard.clearTrips(cohort, OPS, false);
    }
    const first = await guard.listTrips(undefined, 2, cohort);
    const rest = await guard.listTrips(first[1]?.id, 500, cohort);
    t.same(
      [...first, ...rest].map(({ id }) => id),
      ids,
    );
    await t.rejects(guard.listTrips('none', 2), RangeError);
    await t.rejects(guard.listTrips(undefined, 501), RangeError);
  });

  await t.test('a cohort says since when its counts count', async (t) => {
    const cohort = await freshCohort(record);
    const watched = async () => (await guard.guardCohorts()).find((each) => each.cohort.name === cohort);
    const before = await watched();
    t.match(before, { sinceMs: undefined, leftMs: undefined });
    const change = await record.changes.openChange(newChange(cohort, { movesTruth: false }));
    t.equal((await watched())?.since, before?.since, 'not before it is in force');
    await record.changes.moveChange(change.id, 1, 'pending', 'switching');
    await record.changes.moveChange(change.id, 1, 'switching', 'done', { switchEpoch: 7 });
    const after = await watched();
    t.not(after?.since, before?.since);
    t.equal(after?.cohort.stage, 'live');
    t.ok(Number(after?.sinceMs) >= 0 && Number(after?.sinceMs) < MINUTE_MS);
    await guard.addTrip(newTrip(cohort), false);
    t.equal((await watched())?.since, after?.since);
    await guard.clearTrips(cohort, OPS, false);
    t.not((await watched())?.since, after?.since, 'and after a trip was cleared');
  });

  await t.test('a ramp is begun once, and changed by whoever knows its version', async (t) => {
    const cohort = await freshCohort(record);
    const begun = await Promise.all([1, 2, 3].map(() => guard.addRamp(newRamp(cohort), OPS, false)));
    const [ramp] = begun.flatMap((each) => each ?? []);
    t.equal(begun.filter((each) => each !== undefined).length, 1);
    t.match(ramp, {
      cohort,
      status: 'baking',
      step: -1,
      version: 1,
      bakedMs: 0,
      actor: 'ops',
      stepAt: undefined,
    });
    t.strictSame(ramp?.plan, newRamp(cohort).plan);
    const id = ramp?.id ?? '';
    const both = await Promise.all(
      [10, 20].map((bakedMs) =>
        guard.changeRamp(id, 1, { bakedMs, compared: 5, countedTo: 9, note: 'x' }, false),
      ),
    );
    const [won] = both.flatMap((each) => each ?? []);
    t.equal(both.filter((each) => each !== undefined).length, 1);
    t.match(won, { version: 2, compared: 5, countedTo: 9, note: 'x' });
    const step = {
      status: 'baking',
      step: 0,
      begins: true,
      from: { kind: 'percent', buckets: 100 },
    } as const;
    const next = await guard.changeRamp(id, 2, { ...step, note: undefined }, true);
    t.match(next, {
      step: 0,
      bakedMs: 0,
      compared: 0,
      countedTo: undefined,
      note: undefined,
      from: step.from,
    });
    t.ok(next?.stepAt);
    t.ok(await guard.changeRamp(id, 3, { status: 'paused', note: 'by ops' }, false, OPS));
    t.ok(await guard.changeRamp(id, 4, { status: 'aborted', note: 'enough' }, false, OPS));
    t.equal(
      await guard.changeRamp(id, 5, { status: 'baking', note: 'late' }, false),
      undefined,
      'it is over',
    );
    t.same(
      (await guard.openRamps()).filter((each) => each.cohort === cohort),
      [],
    );
    t.match(await guard.listRamps(cohort, 5), [{ id, status: 'aborted' }]);
    await guard.addTrip(newTrip(cohort), false);
    t.equal(
      await guard.addRamp(newRamp(cohort), OPS, false),
      undefined,
      'not while the guard holds the cohort',
    );
  });

  await t.test(
    'what people are to be told is taken by one, and by another when that one is silent',
    async (t) => {
      const cohort = await freshCohort(record);
      await guard.takeNotices(500, 0);
      const trip = await guard.addTrip(newTrip(cohort), true);
      const taken = await Promise.all([guard.takeNotices(10, MINUTE_MS), guard.takeNotices(10, MINUTE_MS)]);
      const [notice, ...more] = taken.flat();
      t.same(more, []);
      t.match(notice, { event: 'trip', cohort, takes: 1, trip: { id: trip?.id }, ramp: undefined });
      const again = (await guard.takeNotices(500, 0)).find(({ id }) => id === notice?.id);
      t.match(again, { takes: 2 });
      await guard.endNotice(notice?.id ?? '', 'told');
      t.notOk((await guard.takeNotices(500, 0)).some(({ id }) => id === notice?.id));
      t.ok((await guard.readTrip(trip?.id ?? ''))?.notifiedAt);
      await guard.clearTrips(cohort, OPS, false);
      const ramp = await guard.addRamp(newRamp(cohort), OPS, true);
      await guard.changeRamp(ramp?.id ?? '', 1, { status: 'paused', note: 'p' }, true);
      const told = (await guard.takeNotices(500, MINUTE_MS)).filter((each) => each.cohort === cohort);
      t.match(told, [
        { event: 'ramp', ramp: { status: 'baking' } },
        { event: 'ramp', ramp: { status: 'paused', note: 'p' } },
      ]);
      await guard.pruneNotices(0);
    },
  );
}
