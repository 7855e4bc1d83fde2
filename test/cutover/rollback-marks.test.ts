/** Who wrote since the switch, and what becomes of them: gateways in processes of their own, real Redis and Postgres. */
import { once } from 'node:events';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { Change } from '../../src/cutover/change.ts';
import type { Control, DirtyPolicy, MemberLine } from '../../src/cutover/control.ts';
import type { Backend, Ramp, Stage } from '../../src/model.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { within } from '../harness/within.ts';
import { RecordingBackends } from './flip-load.ts';
import { gatewaysWorld, type RunningGateway, untilLive } from './gateways.ts';
import { untilOver } from './until-over.ts';

const NAMES = ['kept', 'forced', 'again', 'wiped', 'detached', 'killed', 'finished', 'ramped'];

const BY = { actor: 'test', reason: 'a test', expectedEpoch: undefined, idempotencyKey: undefined };

const backends = await RecordingBackends.start(t);
const { control, start, redis, postgres } = await gatewaysWorld(t, backends, {
  cohorts: [
    ...NAMES.map((name) => ({ name, stage: 'shadow' })),
    { name: 'rest', default: true, stage: 'live' },
  ],
});
const gateways: RunningGateway[] = [await start('one'), await start('two')];
await untilLive(control, 2);

let requests = 0;
/** Sends a request of the user to one gateway after the other; who answered it. */
async function send(user: string, method: 'GET' | 'POST'): Promise<Backend> {
  const gateway = gateways[requests++ % gateways.length];
  const answer = await fetch(`http://127.0.0.1:${gateway?.port}/things`, {
    method,
    headers: { 'x-user': user },
    ...(method === 'POST' ? { body: user } : {}),
  });
  const text = await answer.text();
  if (answer.status !== 200 || (text !== 'legacy' && text !== 'new'))
    throw new Error(`${method} of ${user}: ${answer.status} ${text}`);
  return text;
}

async function* linesOf(users: readonly string[]): AsyncGenerator<MemberLine> {
  for (const [index, user] of users.entries()) yield { line: index + 1, user };
}

async function done(begun: Change): Promise<Change> {
  const change = await untilOver(control, begun);
  if (change.phase !== 'done') throw new Error(`the change was ${change.phase}: ${change.note}`);
  return change;
}

async function stage(cohort: string, to: Stage, ramp?: Ramp): Promise<Change> {
  const request = { ...BY, cohort, stage: to, ramp, dirtyUsers: 'keep' } as const;
  return done(await control.changeStage(request));
}

const rollback = async (cohort: string, dirtyUsers: DirtyPolicy): Promise<Change> =>
  done(await control.rollback({ ...BY, cohort, dirtyUsers }));

/** A cohort with two users who write to `new` and two who only read from there. */
async function moved(cohort: string): Promise<{ writers: string[]; readers: string[] }> {
  const writers = [`${cohort}-w1`, `${cohort}-w2`];
  const readers = [`${cohort}-r1`, `${cohort}-r2`];
  const users = [...writers, ...readers];
  const request = { ...BY, cohort, action: 'add', dirtyUsers: 'keep' } as const;
  for await (const progress of control.changeMembers(request, linesOf(users))) {
    if (progress.refused.length > 0) throw new Error(progress.refused[0]?.reason);
  }
  // Before the switch everybody writes: that says nothing of `new`.
  for (const user of users) await send(user, 'POST');
  await stage(cohort, 'live');
  for (const user of writers) await send(user, 'POST');
  for (const user of readers) await send(user, 'GET');
  return { writers, readers };
}

async function ownersOf(
  users: readonly string[],
  method: 'GET' | 'POST' = 'GET',
): Promise<readonly Backend[]> {
  return Promise.all(users.map((user) => send(user, method)));
}

async function pinOf(on: Control, user: string): Promise<Backend | undefined> {
  return (await on.user(user)).record.pin;
}

await t.test('keep leaves exactly those on new who wrote there, pinned, as the preview said', async (t) => {
  const { writers, readers } = await moved('kept');
  const preview = await control.previewRollback('kept');
  t.match(preview, { stage: 'live', to: 'shadow', tracked: true, clean: 2, dirty: 2, dirtyUsers: writers });
  t.ok((await control.user(writers[0] ?? '')).dirty);
  t.notOk((await control.user(readers[0] ?? '')).dirty);
  const change = await rollback('kept', 'keep');
  t.equal(change.dirty, preview.dirty);
  t.strictSame(await ownersOf(writers, 'POST'), ['new', 'new']);
  t.strictSame(await ownersOf(readers, 'POST'), ['legacy', 'legacy']);
  t.strictSame(await Promise.all(writers.map((user) => pinOf(control, user))), ['new', 'new']);
  t.equal(await pinOf(control, readers[0] ?? ''), undefined);
  const [pinned] = (await control.user(writers[0] ?? '')).history;
  t.match(pinned, { actor: 'test' }, 'the audit says who pinned them');
});

await t.test('whoever was kept is still dirty when its pin is to go', async (t) => {
  const request = { ...BY, user: 'kept-w1', backend: undefined };
  await t.rejects(control.pin({ ...request, dirtyUsers: 'keep' }), { name: 'WritesStrandedError' });
  await stage('kept', 'live');
  await done(await control.pin({ ...request, dirtyUsers: 'keep' }));
  const { dirtyUsers } = await control.previewRollback('kept');
  t.strictSame(dirtyUsers, ['kept-w1'], 'without the pin it goes with its cohort, and is dirty there');
});

await t.test('force takes everybody back', async (t) => {
  const { writers, readers } = await moved('forced');
  const change = await rollback('forced', 'force');
  t.equal(change.dirty, 2);
  t.strictSame(await ownersOf([...writers, ...readers], 'POST'), ['legacy', 'legacy', 'legacy', 'legacy']);
  t.equal(await pinOf(control, writers[0] ?? ''), undefined);
});

await t.test('in the next era everybody is clean until they write again', async (t) => {
  const { writers } = await moved('again');
  await rollback('again', 'force');
  await stage('again', 'live');
  t.match(await control.previewRollback('again'), { clean: 4, dirty: 0 });
  await send(writers[1] ?? '', 'POST');
  t.match(await control.previewRollback('again'), { clean: 3, dirty: 1, dirtyUsers: [writers[1]] });
});

await t.test('a ramp that is lowered keeps those outside who wrote, and no others', async (t) => {
  const { writers, readers } = await moved('ramped');
  const change = await stage('ramped', 'live', { kind: 'count', count: 1 });
  // Members are numbered in the order in which they came: the first writer stays inside.
  t.equal(change.dirty, 1);
  t.strictSame(await ownersOf([...writers, ...readers]), ['new', 'new', 'legacy', 'legacy']);
  t.equal(await pinOf(control, writers[0] ?? ''), undefined);
  t.equal(await pinOf(control, writers[1] ?? ''), 'new');
});

await t.test('marks outlive a Redis that is wiped', async (t) => {
  const { writers } = await moved('wiped');
  await redis.client.flushall();
  await within(previewed(), 'the map to be rebuilt', 20_000);
  const { dirtyUsers } = await control.previewRollback('wiped');
  t.strictSame(dirtyUsers, writers);
  await untilLive(control, 2);
  await rollback('wiped', 'keep');
  t.strictSame(await ownersOf(writers), ['new', 'new']);
});

/** Resolves when the map answers again. */
async function previewed(): Promise<void> {
  for (;;) {
    const epoch = await control.previewRollback('wiped').catch(() => undefined);
    if (epoch !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

await t.test('a write while Redis is down is marked in the record', async (t) => {
  const { readers } = await moved('detached');
  const late = readers[0] ?? '';
  // Both gateways know the user: they serve it for as long as they may without the map.
  for (const _ of gateways) await send(late, 'GET');
  await redis.kill();
  t.equal(await send(late, 'POST'), 'new');
  const record = await openRecord(t);
  t.equal((await record.marks.marksOf([late])).length, 1);
  await redis.start();
  await untilLive(control, 2);
  t.match(await control.previewRollback('detached'), { dirty: 3, clean: 1 });
});

await t.test('the mark of a gateway that is killed right after the write is found', async (t) => {
  const { readers } = await moved('killed');
  const [doomed] = gateways.splice(1, 1, await start('three'));
  await untilLive(control, 3);
  const late = readers[1] ?? '';
  await fetch(`http://127.0.0.1:${doomed?.port}/things`, { method: 'POST', headers: { 'x-user': late } });
  doomed?.process.kill('SIGKILL');
  if (doomed !== undefined) await once(doomed.process, 'exit');
  await control.evictGateway('two');
  t.match(await control.previewRollback('killed'), { dirty: 3, clean: 1 });
});

await t.test('after complete nobody knows: only force goes back', async (t) => {
  const { writers } = await moved('finished');
  await stage('finished', 'complete');
  await stage('finished', 'rampdown');
  t.match(await control.previewRollback('finished'), { tracked: false, clean: 0, dirty: 0 });
  const request = { ...BY, cohort: 'finished' };
  await t.rejects(control.rollback({ ...request, dirtyUsers: 'keep' }), { name: 'WritesUnknownError' });
  await t.rejects(control.rollback({ ...request, dirtyUsers: 'drain' }), { name: 'WritesUnknownError' });
  t.strictSame(await ownersOf(writers), ['new', 'new']);
  await rollback('finished', 'force');
  t.strictSame(await ownersOf(writers), ['legacy', 'legacy']);
});

async function openRecord(t: Test) {
  const record = await createRecord(
    { kind: 'postgres', url: postgres.url, poolMax: 2, statementMs: 1_000 },
    pino({ level: 'silent' }),
  );
  t.teardown(() => record.close());
  return record;
}
