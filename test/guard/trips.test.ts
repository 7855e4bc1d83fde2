/** From the evidence to a cohort that is back: what the engine does, over a real record. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { WritesUnknownError } from '../../src/cutover/control.ts';
import { ChangeConflictError } from '../../src/cutover/stores.ts';
import type { GuardEngine } from '../../src/guard/guard-engine.ts';
import { NO_COUNTS } from '../../src/guard/slot.ts';
import type { StampedReport } from '../../src/guard/slot-feed.ts';
import { within } from '../harness/within.ts';
import { CONDITION, FIGURES, newTrip } from '../storage/guard-contract.ts';
import { emptySlot, GuardedCohort, startWorld } from './guard-world.ts';

const world = await startWorld(t);
const OPS = { actor: 'ops', reason: 'test' };

function inForce(guarded: GuardedCohort, engine: GuardEngine) {
  return guarded.until(engine, 'a trip in force', async () => {
    const [trip] = await engine.trips(undefined, 1, guarded.name);
    return trip?.inForceAt !== undefined && trip;
  });
}

await t.test('five hosts that see the same evidence make one trip and one change', async (t) => {
  const guarded = await GuardedCohort.create(world);
  const engines = Array.from({ length: 5 }, () => guarded.engine(t));
  const [engine] = engines;
  if (engine === undefined) return;
  await guarded.ticks(engine);
  t.same(await engine.trips(undefined, 5, guarded.name), [], 'healthy ones trip nothing');
  guarded.verdict = 'tripped';
  const trip = await inForce(guarded, engine);
  await Promise.all(engines.map((each) => guarded.ticks(each, 5)));
  t.equal((await engine.trips(undefined, 5, guarded.name)).length, 1);
  const changes = await world.record.changes.listChanges(undefined, 10, guarded.name);
  t.match(changes, [{ id: trip.change, kind: 'rollback', actor: 'guard', phase: 'done' }]);
  t.equal(changes.length, 1);
  t.match(changes[0]?.reason, 'condition errorRate');
  t.match(await guarded.cohort(), { stage: 'shadow' });
  t.equal(engines.flatMap((each) => each.figures().trips).length, 1, 'one of them counts it');
});

await t.test(
  'bad news trips between two ticks, when this process told it or the last read had some',
  async (t) => {
    for (const how of ['told here', 'read'] as const) {
      const guarded = await GuardedCohort.create(world);
      const counts = { ...NO_COUNTS, requests: 9, failed: 9 };
      const cohorts = new Map([[guarded.name, { new: { byGroup: new Map([[0, counts]]), kinds: {} } }]]);
      const told: StampedReport[] = [];
      const listeners: (() => void)[] = [];
      const tell = (): void => void told.push({ gateway: 'one', cohorts, atMs: 0 });
      if (how === 'read') tell();
      let reads = 0;
      const engine = guarded.engine(t, {
        feed: {
          read: async () => {
            reads += 1;
            // Of the first read nothing is made: it is the look behind it that trips.
            if (reads === 2) guarded.verdict = 'tripped';
            if (reads === 2 && how === 'read') tell();
            return told.splice(0);
          },
          onBadNews: (listener) => {
            listeners.push(listener);
            return () => undefined;
          },
        },
        timing: { tickMs: 3_600_000, earlyMs: 1 },
      });
      await within(new Promise<void>((resolve) => void engine.onTick(resolve)), 'the only tick');
      if (how === 'told here') {
        t.equal(reads, 1, 'nobody looks while it is quiet');
        tell();
        for (const listener of listeners) listener();
      }
      const tripped = async (): Promise<void> => {
        while ((await engine.trips(undefined, 1, guarded.name)).length === 0) await delay(5);
      };
      await within(tripped(), `a trip: ${how}`, 15_000);
    }
  },
);

await t.test('a change that was undone is made again, with another key', async (t) => {
  const guarded = await GuardedCohort.create(world);
  world.control.fates.push('undone', 'undone');
  world.control.keys.length = 0;
  const engine = guarded.engine(t);
  guarded.verdict = 'tripped';
  const trip = await inForce(guarded, engine);
  t.same(
    world.control.keys,
    [0, 1, 2].map((attempt) => `guard-${trip.id}-${attempt}`),
  );
  t.match(await guarded.cohort(), { stage: 'shadow' });
});

await t.test(
  'it waits for the open change of an operator, and then takes back whatever that has set',
  async (t) => {
    const guarded = await GuardedCohort.create(world);
    const engine = guarded.engine(t);
    world.control.fates.push(...Array.from({ length: 5 }, () => new ChangeConflictError('theirs')));
    guarded.verdict = 'tripped';
    const note = await guarded.until(
      engine,
      'a note',
      async () => (await engine.trips(undefined, 1, guarded.name))[0]?.note,
    );
    t.match(note, 'waits for change theirs');
    const trip = await inForce(guarded, engine);
    t.equal(trip.note, undefined);
  },
);

await t.test('a trip that its host left half-way is finished by another one', async (t) => {
  for (const left of ['after the row', 'after the change', 'after an undone one'] as const) {
    const guarded = await GuardedCohort.create(world);
    const trip = await world.record.guard.addTrip(newTrip(guarded.name), false);
    if (trip === undefined) throw new Error('no trip');
    if (left !== 'after the row') {
      if (left === 'after an undone one') world.control.fates.push('undone');
      const idempotencyKey = `guard-${trip.id}-0`;
      const request = {
        ...OPS,
        cohort: guarded.name,
        dirtyUsers: 'drain',
        expectedEpoch: undefined,
      } as const;
      await world.control.rollback({ ...request, idempotencyKey });
    }
    const engine = guarded.engine(t);
    t.match(await inForce(guarded, engine), { id: trip.id }, left);
    t.match(await guarded.cohort(), { stage: 'shadow' }, left);
  }
});

await t.test('a cohort that somebody else took back needs no change, and stays held', async (t) => {
  const guarded = await GuardedCohort.create(world);
  await world.record.guard.addTrip(newTrip(guarded.name), false);
  await guarded.set('shadow', { kind: 'percent', buckets: 10_000 });
  const engine = guarded.engine(t);
  t.match(await inForce(guarded, engine), {
    change: undefined,
    note: 'somebody else has taken the cohort back',
  });
  t.match(await engine.status(), [{ phase: 'tripped', stage: 'shadow' }]);
});

await t.test('what only force could take back is held, and a person has to decide', async (t) => {
  const complete = await GuardedCohort.create(world, {
    stage: 'complete',
    era: { number: 1, tracked: false },
  });
  complete.verdict = 'tripped';
  const engine = complete.engine(t);
  const trip = await complete.until(
    engine,
    'a trip',
    async () => (await engine.trips(undefined, 1, complete.name))[0],
  );
  t.match(trip, { action: 'hold', note: /only force can go back/u, condition: { action: 'rollback' } });
  t.match(await complete.cohort(), { stage: 'complete' });

  const meanwhile = await GuardedCohort.create(world);
  world.control.fates.push(new WritesUnknownError(meanwhile.name));
  // One bad look only: the record still says that the cohort is tracked, so a second one would go back again.
  let isFirst = true;
  const other = meanwhile.engine(t, {
    judge: (conditions) => {
      const verdict = isFirst ? 'tripped' : 'healthy';
      isFirst = false;
      return conditions.map((condition) => ({ condition, verdict, path: undefined, figures: FIGURES }));
    },
  });
  await meanwhile.until(other, 'a hold', async () => {
    const trips = await other.trips(undefined, 5, meanwhile.name);
    return trips.some(
      ({ action, note }) => action === 'hold' && note?.includes('a person has to decide') === true,
    );
  });
  t.equal((await other.trips(undefined, 5, meanwhile.name)).length, 1);
  t.equal(await world.record.guard.heldBy(meanwhile.name), undefined);
});

await t.test('a warning moves nobody, and is not repeated within the cooldown', async (t) => {
  const guarded = await GuardedCohort.create(world);
  guarded.conditions = [{ ...CONDITION, action: 'warn' }];
  const engine = guarded.engine(t);
  guarded.verdict = 'tripped';
  await guarded.until(
    engine,
    'a trip',
    async () => (await engine.trips(undefined, 5, guarded.name)).length > 0,
  );
  await guarded.ticks(engine, 5);
  t.equal((await engine.trips(undefined, 5, guarded.name)).length, 1);
  t.match(await engine.status(), [{ phase: 'cooling', stage: 'live', trip: { action: 'warn' } }]);
  guarded.cooldownMs = 0;
  // The next look at what is due.
  guarded.nowMs += 2_000;
  await guarded.until(
    engine,
    'another',
    async () => (await engine.trips(undefined, 5, guarded.name)).length > 1,
  );
});

await t.test(
  'a person clears a trip, once, and what was counted before it says nothing any more',
  async (t) => {
    const guarded = await GuardedCohort.create(world);
    const seen: number[] = [];
    guarded.slots = [998, 999, 1_000].map(emptySlot);
    const engine = guarded.engine(t, {
      judge: (conditions, slots) => {
        seen.push(slots.length);
        return conditions.map((condition) => ({
          condition,
          verdict: 'healthy',
          path: undefined,
          figures: FIGURES,
        }));
      },
    });
    await guarded.ticks(engine);
    t.equal(seen.at(-1), 3);
    await t.rejects(engine.clear(guarded.name, OPS), { name: 'GuardRefusedError' });
    await world.record.guard.addTrip(newTrip(guarded.name, { action: 'warn' }), false);
    t.match(await engine.clear(guarded.name, OPS), { clearedBy: 'ops' });
    await guarded.ticks(engine);
    t.equal(seen.at(-1), 0);
    guarded.second = 1_002;
    guarded.slots = [...guarded.slots, emptySlot(1_002)];
    await guarded.ticks(engine);
    t.equal(seen.at(-1), 1, 'what comes after counts');
  },
);

await t.test('while the record is away nothing is lost: it trips when it answers again', async (t) => {
  const guarded = await GuardedCohort.create(world);
  let away = false;
  const { guard } = world.record;
  const refuse = () => Promise.reject(new Error('the record is away'));
  const engine = guarded.engine(t, {
    store: {
      ...guard,
      guardCohorts: async () =>
        away ? refuse() : (await guard.guardCohorts()).filter(({ cohort }) => cohort.name === guarded.name),
      openTrips: () =>
        away ? refuse() : guard.openTrips().then((rows) => rows.filter((row) => row.cohort === guarded.name)),
      openRamps: () =>
        away ? refuse() : guard.openRamps().then((rows) => rows.filter((row) => row.cohort === guarded.name)),
      addTrip: (trip, tell) => (away ? refuse() : guard.addTrip(trip, tell)),
    },
  });
  await guarded.ticks(engine);
  away = true;
  guarded.verdict = 'tripped';
  await guarded.ticks(engine, 5);
  t.same(await guard.listTrips(undefined, 5, guarded.name), []);
  away = false;
  await inForce(guarded, engine);
});
