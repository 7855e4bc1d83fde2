/** Plans by which ramps grow, over a real record: from step to step, through deaths of their hosts. */
import t from 'tap';
import type { GuardEngine } from '../../src/guard/guard-engine.ts';
import type { RampGates, RampPlan, RampRun, RampStatus } from '../../src/guard/ramp-plan.ts';
import type { Ramp } from '../../src/model.ts';
import { CONDITION, newRamp, newTrip } from '../storage/guard-contract.ts';
import { comparedSlot, GuardedCohort, startWorld } from './guard-world.ts';

const world = await startWorld(t);
const OPS = { actor: 'ops', reason: 'it is time' };
const NO_GATES: RampGates = {
  guard: undefined,
  mismatchShareMax: undefined,
  comparedMin: undefined,
  mirrorBacklogMax: undefined,
};

function percent(share: number): Ramp {
  return { kind: 'percent', buckets: share * 100 };
}

/** Two steps and all, each of a minute. */
function plan(over: Partial<RampPlan> = {}): RampPlan {
  const steps = [1, 10, 100].map((share) => ({ ramp: percent(share), bakeMs: 60_000 }));
  return { steps, gates: { ...NO_GATES, guard: 'healthy' }, automatic: true, ...over };
}

function atZero(): Promise<GuardedCohort> {
  return GuardedCohort.create(world, { ramp: percent(0) });
}

/** The clock goes on until the run is there; a tick never sees more than a few seconds pass. */
async function until(
  guarded: GuardedCohort,
  engine: GuardEngine,
  is: (run: RampRun) => boolean,
  passMs = 4_000,
): Promise<RampRun> {
  return guarded.until(engine, `a ramp of ${guarded.name}`, async () => {
    const [run] = await engine.ramps(guarded.name, 1);
    if (run !== undefined && is(run)) return run;
    guarded.nowMs += passMs;
    return undefined;
  });
}

function hasStatus(...statuses: readonly RampStatus[]) {
  return (run: RampRun): boolean => statuses.includes(run.status);
}

await t.test('a plan goes through all of its steps, each one change, and ends', async (t) => {
  const guarded = await atZero();
  const engine = guarded.engine(t);
  const begun = await engine.startRamp(guarded.name, plan(), OPS);
  t.match(begun, { status: 'baking', step: -1, actor: 'ops' });
  const seen: number[] = [];
  const done = await until(guarded, engine, (run) => {
    if (seen.at(-1) !== run.step) seen.push(run.step);
    return run.status === 'done';
  });
  t.match(done, { step: 2, endedAt: Date });
  t.same(
    seen.filter((step) => step >= 0),
    [0, 1, 2],
  );
  const changes = await world.record.changes.listChanges(undefined, 20, guarded.name);
  t.match(
    changes.map(({ idempotencyKey, actor }) => [idempotencyKey, actor]),
    [2, 1, 0].map((step) => [`ramp-${begun.id}-${step}`, 'guard']),
  );
  t.ok(await guarded.isAt('live', percent(100)));
  t.same(await world.record.guard.openRamps(), []);
});

await t.test('it bakes for as long as it was watched, whatever the clocks of the hosts say', async (t) => {
  const guarded = await atZero();
  const engine = guarded.engine(t);
  await engine.startRamp(guarded.name, plan(), OPS);
  await until(guarded, engine, ({ step }) => step === 0);
  const rowOf = async () =>
    (await world.record.guard.openRamps()).find(({ cohort }) => cohort === guarded.name);
  const before = await rowOf();
  // A process that was stopped for a day has watched nothing.
  guarded.nowMs += 86_400_000;
  const noted = await guarded.until(engine, 'what was watched', async () => {
    guarded.nowMs += 500;
    const row = await rowOf();
    return row?.version !== before?.version && row;
  });
  t.match(noted, { status: 'baking', step: 0 });
  await engine.close();
  const next = guarded.engine(t);
  await guarded.ticks(next, 5);
  t.match(
    await next.ramps(guarded.name, 1),
    [{ status: 'baking', step: 0 }],
    'nor has one that was started just now',
  );
  const bakedMs = Number((await rowOf())?.bakedMs);
  t.ok(bakedMs < 60_000, `${bakedMs} ms`);
  await until(guarded, next, ({ step }) => step === 1);
  await next.abortRamp(guarded.name, OPS);
});

await t.test('two hosts walk it together, and take no step twice', async (t) => {
  const guarded = await atZero();
  const [one, two] = [guarded.engine(t), guarded.engine(t)];
  await one.startRamp(guarded.name, plan(), OPS);
  const clock = setInterval(() => {
    guarded.nowMs += 1_000;
  }, 5);
  await Promise.all([until(guarded, one, hasStatus('done'), 0), until(guarded, two, hasStatus('done'), 0)]);
  clearInterval(clock);
  t.equal((await world.record.changes.listChanges(undefined, 20, guarded.name)).length, 3);
});

await t.test('a step whose host died is finished by another one, made or not', async (t) => {
  for (const made of [false, true]) {
    const guarded = await atZero();
    const wish = { ...newRamp(guarded.name), plan: plan() };
    const run = await world.record.guard.addRamp(wish, OPS, false);
    if (run === undefined) throw new Error('no run');
    const { version } = run;
    await world.record.guard.changeRamp(run.id, version, { status: 'stepping', note: undefined }, false);
    if (made) {
      const request = { cohort: guarded.name, stage: 'live', ramp: percent(1), dirtyUsers: 'drain' } as const;
      const idempotencyKey = `ramp-${run.id}-0`;
      await world.control.changeStage({ ...OPS, ...request, expectedEpoch: undefined, idempotencyKey });
    }
    const second = guarded.engine(t);
    t.match(await until(guarded, second, ({ step }) => step === 0), { status: 'baking' });
    t.ok(await guarded.isAt('live', percent(1)), made ? 'made' : 'not made');
    t.equal((await world.record.changes.listChanges(undefined, 20, guarded.name)).length, 1);
    await second.abortRamp(guarded.name, OPS);
  }
});

await t.test('without data nothing is shown, and no step is taken', async (t) => {
  const guarded = await atZero();
  guarded.verdict = 'no-data';
  const engine = guarded.engine(t);
  await engine.startRamp(guarded.name, plan(), OPS);
  const gated = await until(guarded, engine, hasStatus('gated'));
  t.match(gated, { step: 0, note: /condition errorRate has no data/u });
  guarded.verdict = 'uncertain';
  await until(guarded, engine, ({ note }) => note?.includes('not shown to be healthy') === true);
  guarded.verdict = 'healthy';
  await until(guarded, engine, ({ step }) => step === 1);
  await engine.abortRamp(guarded.name, OPS);
});

await t.test('reads that were compared since the step are counted once, over restarts', async (t) => {
  const guarded = await atZero();
  const gates = { ...NO_GATES, comparedMin: 250, mismatchShareMax: 0.05 };
  let engine = guarded.engine(t);
  await engine.startRamp(guarded.name, plan({ gates }), OPS);
  await until(guarded, engine, ({ step }) => step === 0);
  const compare = async (compared: number, mismatched: number): Promise<void> => {
    // A host that has just come knows by its first look from when on counts say something.
    await guarded.ticks(engine);
    guarded.second += 10;
    guarded.slots.push(comparedSlot(guarded.second - 5, compared, mismatched));
    for (let n = 0; n < 4; n++) {
      guarded.nowMs += 6_000;
      await guarded.ticks(engine, 3);
    }
  };
  await compare(0, 0);
  await compare(100, 1);
  const counted = async () =>
    (await world.record.guard.openRamps()).find(({ cohort }) => cohort === guarded.name);
  t.match(await counted(), { compared: 100, mismatched: 1 });
  await engine.close();
  engine = guarded.engine(t);
  await compare(100, 1);
  t.match(await counted(), { compared: 200, mismatched: 2 }, 'another host counts on where that one was');
  const gated = await until(guarded, engine, hasStatus('gated'));
  t.match(gated.note, '200 of 250 reads');
  await compare(100, 20);
  await until(guarded, engine, ({ note }) => note?.includes('may differ') === true);
  await compare(2_000, 20);
  await until(guarded, engine, ({ step }) => step === 1);
  t.match(await counted(), { compared: 0, mismatched: 0 }, 'and begins anew with each step');
  await engine.abortRamp(guarded.name, OPS);
});

await t.test('a plan that waits for a person takes its step when one has let it', async (t) => {
  const guarded = await atZero();
  const engine = guarded.engine(t);
  await engine.startRamp(guarded.name, plan({ automatic: false }), OPS);
  const waiting = await until(guarded, engine, hasStatus('waiting'));
  t.match(waiting, { step: 0, note: /waits for a person/u });
  guarded.nowMs += 60_000;
  await guarded.ticks(engine, 5);
  t.ok(await guarded.isAt('live', percent(1)));
  t.match(await engine.approveRamp(guarded.name, OPS), { approved: true });
  t.match(await until(guarded, engine, ({ step }) => step === 1), { approved: false });
  await engine.abortRamp(guarded.name, OPS);
  t.ok(await guarded.isAt('live', percent(10)), 'whoever aborts it leaves the cohort where it is');
  await t.rejects(engine.approveRamp(guarded.name, OPS), { message: /no ramp of cohort/u });
});

await t.test('a paused one stays where it is, and goes on from there', async (t) => {
  const guarded = await atZero();
  const engine = guarded.engine(t);
  await engine.startRamp(guarded.name, plan(), OPS);
  await until(guarded, engine, ({ step }) => step === 0);
  t.match(await engine.pauseRamp(guarded.name, OPS), { status: 'paused', note: 'paused by ops: it is time' });
  await t.rejects(engine.pauseRamp(guarded.name, OPS), { name: 'GuardRefusedError' });
  for (let n = 0; n < 20; n++) {
    guarded.nowMs += 10_000;
    await guarded.ticks(engine, 1);
  }
  t.match(await engine.ramps(guarded.name, 1), [{ status: 'paused', step: 0 }]);
  await engine.resumeRamp(guarded.name, OPS);
  await t.rejects(engine.resumeRamp(guarded.name, OPS), { name: 'GuardRefusedError' });
  await until(guarded, engine, hasStatus('done'));
});

await t.test("a person's change pauses it, and it goes on from the ramp that was set", async (t) => {
  const guarded = await atZero();
  const engine = guarded.engine(t);
  const run = await engine.startRamp(guarded.name, plan(), OPS);
  await until(guarded, engine, ({ step }) => step === 1);
  await guarded.set('live', percent(1));
  const paused = await until(guarded, engine, hasStatus('paused'), 0);
  t.match(paused.note, 'somebody else has set it to live, 1 %');
  t.match(await engine.resumeRamp(guarded.name, OPS), { step: 0, status: 'baking' });
  await until(guarded, engine, ({ step }) => step === 1);
  t.ok(await guarded.isAt('live', percent(10)), 'the step is taken once more, with another key');
  const [latest] = await world.record.changes.listChanges(undefined, 1, guarded.name);
  t.equal(latest?.idempotencyKey, `ramp-${run.id}-1-1`);
  await guarded.set('shadow', percent(10));
  await until(guarded, engine, hasStatus('paused'), 0);
  await t.rejects(engine.resumeRamp(guarded.name, OPS), {
    message: /is at shadow, and its ramp was begun at live/u,
  });
  await engine.abortRamp(guarded.name, OPS);
});

await t.test('a step that an operator comes before is not taken over their head', async (t) => {
  const guarded = await atZero();
  const engine = guarded.engine(t);
  await engine.startRamp(guarded.name, plan(), OPS);
  await until(guarded, engine, ({ step }) => step === 0);
  await engine.close();
  const [row] = (await world.record.guard.openRamps()).filter(({ cohort }) => cohort === guarded.name);
  await world.record.guard.changeRamp(
    row?.id ?? '',
    row?.version ?? 0,
    { status: 'stepping', note: undefined },
    false,
  );
  await guarded.set('shadow', percent(1));
  const next = guarded.engine(t);
  t.match(await until(guarded, next, hasStatus('paused')), { note: /not any more at the stage and ramp/u });
  t.ok(await guarded.isAt('shadow', percent(1)));
  await next.abortRamp(guarded.name, OPS);
});

await t.test('a step that was undone bakes a little longer, and is tried again', async (t) => {
  const guarded = await atZero();
  const engine = guarded.engine(t);
  const run = await engine.startRamp(guarded.name, plan(), OPS);
  await until(guarded, engine, ({ step }) => step === 0);
  world.control.fates.push('undone');
  await until(guarded, engine, ({ note }) => note?.includes('was undone, and is tried again') === true);
  await until(guarded, engine, ({ step }) => step === 1);
  const [latest] = await world.record.changes.listChanges(undefined, 1, guarded.name);
  t.equal(latest?.idempotencyKey, `ramp-${run.id}-1-1`);
  await engine.abortRamp(guarded.name, OPS);
});

await t.test(
  'a hold of the guard pauses it, a rollback aborts it, and none begins until that is cleared',
  async (t) => {
    const guarded = await atZero();
    guarded.conditions = [{ ...CONDITION, action: 'hold' }];
    const engine = guarded.engine(t);
    await engine.startRamp(guarded.name, plan(), OPS);
    await until(guarded, engine, ({ step }) => step === 0);
    guarded.verdict = 'tripped';
    t.match(await until(guarded, engine, hasStatus('paused'), 0), {
      note: /the guard holds it: condition errorRate/u,
    });
    guarded.verdict = 'healthy';
    await engine.resumeRamp(guarded.name, OPS);
    await guarded.ticks(engine, 5);
    t.match(await engine.ramps(guarded.name, 1), [{ status: 'baking' }], 'the same hold pauses it once');
    guarded.conditions = [CONDITION];
    guarded.verdict = 'tripped';
    t.match(await until(guarded, engine, hasStatus('aborted'), 0), {
      note: /the guard took the cohort back/u,
    });
    const back = async (): Promise<boolean> =>
      (await engine.trips(undefined, 1, guarded.name))[0]?.inForceAt !== undefined;
    await guarded.until(engine, 'the rollback in force', back);
    t.match(await guarded.cohort(), { stage: 'shadow' });
    guarded.verdict = 'healthy';
    await t.rejects(engine.startRamp(guarded.name, plan(), OPS), { name: 'GuardTrippedError' });
    await engine.clear(guarded.name, OPS);
    await guarded.set('live', percent(0));
    await engine.startRamp(guarded.name, plan(), OPS);
    await t.rejects(engine.startRamp(guarded.name, plan(), OPS), { message: /is under way/u });
    await engine.abortRamp(guarded.name, OPS);
  },
);

await t.test('a plan that does not fit its cohort is refused in words', async (t) => {
  const off = await GuardedCohort.create(world, { stage: 'off', ramp: percent(0) });
  const engine = off.engine(t);
  await t.rejects(engine.startRamp(off.name, plan(), OPS), {
    message: /is off, where a ramp means nothing/u,
  });
  const full = await GuardedCohort.create(world);
  await t.rejects(full.engine(t).startRamp(full.name, plan(), OPS), { message: /never takes users back/u });
  const none = await atZero();
  await t.rejects(none.engine(t).startRamp(none.name, plan({ steps: [] }), OPS), {
    message: /1 to 100 steps/u,
  });
  const shrinking = [10, 5].map((share) => ({ ramp: percent(share), bakeMs: 1 }));
  await t.rejects(none.engine(t).startRamp(none.name, plan({ steps: shrinking }), OPS), {
    message: /step 2 does not fit/u,
  });
  await t.rejects(none.engine(t).startRamp('nobody', plan(), OPS), { name: 'UnknownCohortError' });
  const part = await GuardedCohort.create(world, { ramp: percent(1) });
  await world.record.guard.addTrip(newTrip(part.name, { action: 'warn' }), false);
  t.match(
    await part.engine(t).startRamp(part.name, plan(), OPS),
    { step: 0, stepAt: Date },
    'its first step may be there',
  );
});
