/** People are told what the guard does: at least once, signed, whatever the hook or the host does. */
import t, { type Test } from 'tap';
import type { GuardEngine } from '../../src/guard/guard-engine.ts';
import { HOOK_EVENTS, type HookSettings } from '../../src/guard/guard-settings.ts';
import { postJson } from '../../src/upstream/post-json.ts';
import { within } from '../harness/within.ts';
import { newTrip } from '../storage/guard-contract.ts';
import { GuardedCohort, startWorld } from './guard-world.ts';
import { HookServer, isSigned } from './hook-server.ts';

const world = await startWorld(t);
const OPS = { actor: 'ops', reason: 'seen to' };
const SECRET = 'a key for the signature';
const QUICK = { retryMs: 5, timeoutMs: 300, silentMs: 60_000 };

function hookOf({ url }: HookServer, over: Partial<HookSettings> = {}): HookSettings {
  return { url, secret: SECRET, events: HOOK_EVENTS, ...over };
}

function engineOf(t: Test, guarded: GuardedCohort, notices: Partial<typeof QUICK> = {}): GuardEngine {
  return guarded.engine(t, { post: postJson, timing: { notices: { ...QUICK, ...notices } } });
}

function inForce(guarded: GuardedCohort, engine: GuardEngine) {
  return guarded.until(engine, 'a trip in force', async () => {
    // What is looked at once a second is due.
    guarded.nowMs += 1_000;
    const [trip] = await engine.trips(undefined, 1, guarded.name);
    return trip?.inForceAt !== undefined && trip;
  });
}

await t.test(
  'a trip, its end and its clearing are told, signed, with the figures and without a user',
  async (t) => {
    const guarded = await GuardedCohort.create(world);
    const server = await HookServer.start(t);
    guarded.hooks = [hookOf(server)];
    const engine = engineOf(t, guarded);
    guarded.verdict = 'tripped';
    const trip = await inForce(guarded, engine);
    guarded.verdict = 'healthy';
    await within(server.until(2), 'the trip and that it is in force');
    await engine.clear(guarded.name, OPS);
    await within(server.until(3), 'that it was cleared');
    const events = server.told.map(({ body }) => body.event);
    t.same(events.toSorted(), ['cleared', 'in-force', 'trip']);
    t.equal(new Set(server.told.map(({ body }) => body.id)).size, 3);
    for (const told of server.told) {
      t.ok(isSigned(told, SECRET), 'the signature is that of the body');
      t.notOk(isSigned(told, 'another key'));
      t.equal(told.headers['turnout-event'], told.body.event);
      t.equal(told.headers['turnout-delivery'], told.body.id);
      t.equal(told.headers['content-type'], 'application/json');
    }
    t.match(server.told[0]?.body, {
      cohort: guarded.name,
      trip: {
        id: trip.id,
        action: 'rollback',
        condition: { name: 'errorRate', over: 0.05 },
        figures: { kinds: { connect: 100 }, gateways: ['a', 'b'] },
        summary: /condition errorRate/u,
      },
    });
    const notified = async () => (await engine.trip(trip.id))?.notifiedAt;
    t.ok(await guarded.until(engine, 'the note that it was told', notified));
  },
);

await t.test('a hook that fails, hangs and breaks off is told again, and told the same', async (t) => {
  const guarded = await GuardedCohort.create(world);
  const server = await HookServer.start(t);
  server.answers.push(500, 'hang', 'cut', 302);
  guarded.hooks = [hookOf(server, { events: ['trip'] })];
  const engine = engineOf(t, guarded);
  guarded.verdict = 'tripped';
  await inForce(guarded, engine);
  await within(server.until(5), 'the fifth time');
  t.same(
    server.told.map(({ body }) => body.event),
    ['trip', 'trip', 'trip', 'trip', 'trip'],
    'and of nothing else',
  );
  t.equal(new Set(server.told.map(({ body }) => body.id)).size, 1, 'whoever gets it twice can tell');
  t.ok(server.told.every((told) => isSigned(told, SECRET)));
  await guarded.until(engine, 'its count', async () => engine.figures().notices.told === 1);
  t.equal(engine.figures().notices.failed, 4);
});

await t.test('what one hook has taken it is not told again because another one fails', async (t) => {
  const guarded = await GuardedCohort.create(world);
  const [good, bad] = [await HookServer.start(t), await HookServer.start(t)];
  bad.answers.push(...Array.from({ length: 7 }, () => 503));
  guarded.hooks = [hookOf(good, { events: ['trip'], secret: undefined }), hookOf(bad, { events: ['trip'] })];
  const engine = engineOf(t, guarded, { silentMs: 50 });
  guarded.verdict = 'tripped';
  await within(bad.until(8), 'the second take');
  await guarded.until(engine, 'both', async () => engine.figures().notices.told === 2);
  t.equal(good.told.length, 1);
  t.equal(good.told[0]?.headers['turnout-signature'], undefined, 'nothing to sign with');
  await inForce(guarded, engine);
});

await t.test('a hook that never answers well is given up after a while', async (t) => {
  const guarded = await GuardedCohort.create(world);
  const server = await HookServer.start(t);
  server.answers.push(...Array.from({ length: 200 }, () => 500));
  guarded.hooks = [hookOf(server, { events: ['trip'] })];
  const engine = engineOf(t, guarded, { silentMs: 100, retryMs: 0 });
  guarded.verdict = 'tripped';
  await guarded.until(engine, 'the end', async () => engine.figures().notices.gaveUp === 1);
  const { length } = server.told;
  t.ok(length > 5 && length <= 50, `told ${length} times, in more than one take`);
  t.same(await world.record.guard.takeNotices(10, 0), []);
});

await t.test('what a host took and did not tell is told by another one', async (t) => {
  const guarded = await GuardedCohort.create(world);
  const server = await HookServer.start(t);
  await world.record.guard.addTrip(newTrip(guarded.name, { action: 'warn' }), true);
  t.equal((await world.record.guard.takeNotices(10, 60_000)).length, 1, 'taken by one that dies now');
  guarded.hooks = [hookOf(server)];
  const engine = engineOf(t, guarded, { silentMs: 60_000 });
  await guarded.ticks(engine, 20);
  t.equal(server.told.length, 0, 'it may be telling it');
  await engine.close();
  engineOf(t, guarded, { silentMs: 10 });
  await within(server.until(1), 'it from another host');
  t.match(server.told[0]?.body, { event: 'trip', trip: { action: 'warn' } });
});

await t.test('the steps of a ramp are told', async (t) => {
  const guarded = await GuardedCohort.create(world, { ramp: { kind: 'percent', buckets: 0 } });
  const server = await HookServer.start(t);
  guarded.hooks = [hookOf(server)];
  const engine = engineOf(t, guarded);
  const gates = {
    guard: undefined,
    mismatchShareMax: undefined,
    comparedMin: undefined,
    mirrorBacklogMax: undefined,
  };
  const steps = [{ ramp: { kind: 'count', count: 100 } as const, bakeMs: 60_000 }];
  await engine.startRamp(guarded.name, { steps, gates, automatic: true }, OPS);
  await guarded.until(engine, 'the step', async () => (await engine.ramps(guarded.name, 1))[0]?.step === 0);
  await engine.abortRamp(guarded.name, OPS);
  await within(server.until(3), 'start, step and end');
  t.same(
    server.told.map(({ body }) => body.event),
    ['ramp', 'ramp', 'ramp'],
  );
  const told = JSON.stringify(server.told.map(({ body }) => body['ramp']));
  for (const part of ['"status":"baking"', '"step":0', '"100 users"', 'aborted by ops']) t.match(told, part);
});
