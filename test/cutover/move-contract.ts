/** Every move of a truth through one gateway with its own control service, against whichever stores it has. */
import { pino } from 'pino';
import type { Test } from 'tap';
import type { ConfigModel } from '../../src/config/model.ts';
import { type Change, isOver } from '../../src/cutover/change.ts';
import {
  ChangeRefusedError,
  type Control,
  type MemberLine,
  type MembersProgress,
  WritesStrandedError,
  WritesUnknownError,
} from '../../src/cutover/control.ts';
import type { Backend } from '../../src/model.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { type OpenGateway, openGateway } from '../../src/workers/open-gateway.ts';
import { startBackend, takeBody } from '../harness/backend.ts';
import { untilLive } from './gateways.ts';

export const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

/** Who asks, in every request. */
export const BY = {
  actor: 'ops',
  reason: 'test',
  expectedEpoch: undefined,
  idempotencyKey: undefined,
} as const;

export interface MoveWorld {
  readonly gateway: OpenGateway;
  readonly control: Control;
  /** Who answers a read of the user; or the status and body of a refusal. */
  readonly read: (user: string, plan?: string) => Promise<string>;
  readonly write: (user: string, plan?: string) => Promise<string>;
}

/** A backend that says its name. */
export async function namedBackend(t: Test, owner: Backend): Promise<number> {
  const server = await startBackend(t, async (request, response, seen) => {
    await takeBody(request, seen);
    response.end(owner);
  });
  return server.port;
}

export async function openWorld(t: Test, config: ConfigModel): Promise<MoveWorld> {
  const telemetry = createTelemetry({ level: 'error', accessSample: 0, destination: { write: () => {} } });
  const gateway = await openGateway(config, telemetry);
  t.teardown(async () => {
    await gateway.close({ graceMs: 1_000 });
    telemetry.close();
  });
  const { control } = gateway;
  if (control === undefined) throw new Error('no control service');
  await untilLive(control, 1);
  const send = async (method: string, user: string, plan?: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${gateway.address.port}/things`, {
      method,
      headers: { 'x-user': user, ...(plan === undefined ? {} : { 'x-plan': plan }) },
      ...(method === 'POST' ? { body: 'x' } : {}),
    });
    const text = await answer.text();
    return answer.status === 200 ? text : `${answer.status} ${text}`;
  };
  return {
    gateway,
    control,
    read: (user, plan) => send('GET', user, plan),
    write: (user, plan) => send('POST', user, plan),
  };
}

export async function done(t: Test, control: Control, begun: Promise<Change>): Promise<Change> {
  let change = await begun;
  while (!isOver(change.phase)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    change = (await control.change(change.id)) ?? change;
  }
  t.equal(change.phase, 'done', `${change.kind}: ${change.note}`);
  return change;
}

export async function* lines(users: readonly string[]): AsyncGenerator<MemberLine> {
  for (const [index, user] of users.entries()) yield { line: index + 1, user };
}

export async function lastOf(job: AsyncIterable<MembersProgress>) {
  const refused: MembersProgress['refused'][number][] = [];
  let last: MembersProgress | undefined;
  for await (const progress of job) {
    last = progress;
    refused.push(...progress.refused);
  }
  return { ...last, refused };
}

const NEW_COHORT = {
  ...BY,
  rule: undefined,
  isDefault: false,
  migration: 'cohort',
  mirror: false,
  ramp: { kind: 'percent', buckets: 10_000 },
} as const;
const EDIT = {
  ...BY,
  rule: undefined,
  isDefault: undefined,
  migration: undefined,
  mirror: undefined,
  position: undefined,
  dirtyUsers: 'keep',
} as const;
const ON_PLAN = (plan: string) =>
  ({ kind: 'in', attribute: { source: 'header', name: 'x-plan' }, values: [plan] }) as const;

function names({ control }: MoveWorld): Promise<readonly string[]> {
  return control.cohorts().then((all) => all.map(({ name }) => name));
}

async function pinCases(t: Test, world: MoveWorld): Promise<void> {
  const { control, read, write, gateway } = world;

  await t.test('a pin moves one user, and to take it away moves it back', async (t) => {
    t.equal(await write('nina'), 'legacy');
    const pin = { ...BY, user: 'nina', backend: 'new', dirtyUsers: 'keep' } as const;
    const pinned = await done(t, control, control.pin(pin));
    t.match(pinned, { kind: 'pin', user: 'nina', pin: 'new', users: 1, movesTruth: true, dirty: 0 });
    t.equal(await read('nina'), 'new');
    t.equal(await read('leo'), 'legacy', 'nobody else');
    t.equal(gateway.state.snapshot.userHolds.size, 0);
    t.match(await control.user('nina'), {
      record: { pin: 'new' },
      dirty: false,
      history: [{ actor: 'ops', kind: 'pin', epoch: pinned.switchEpoch }],
    });
    const again = await done(t, control, control.pin(pin));
    t.match(again, { users: 0, movesTruth: false }, 'as it is already');
    const off = await done(t, control, control.pin({ ...pin, backend: undefined }));
    t.match(off, { kind: 'unpin', movesTruth: true });
    t.equal(await write('nina'), 'legacy');
  });

  await t.test('a pin that would strand writes is refused, unless it is forced', async (t) => {
    const pin = { ...BY, user: 'dirty', dirtyUsers: 'keep' } as const;
    await done(t, control, control.pin({ ...pin, backend: 'new' }));
    t.equal(await write('dirty'), 'new');
    await t.rejects(control.pin({ ...pin, backend: 'legacy' }), new WritesStrandedError(['dirty']));
    await t.rejects(control.pin({ ...pin, backend: undefined }), { name: 'WritesStrandedError' });
    t.equal(await read('dirty'), 'new');
    t.equal((await control.user('dirty')).dirty, true);
    const forced = await done(t, control, control.pin({ ...pin, backend: 'legacy', dirtyUsers: 'force' }));
    t.match(forced, { dirty: 1, note: /stranded/ });
    t.equal(await read('dirty'), 'legacy');
  });

  await t.test('a key that was used gives the pin that it was used for', async (t) => {
    const pin = {
      ...BY,
      user: 'keyed',
      backend: 'new',
      dirtyUsers: 'keep',
      idempotencyKey: 'a pin',
    } as const;
    const first = await done(t, control, control.pin(pin));
    t.equal((await control.pin(pin)).id, first.id);
    t.equal((await control.pin({ ...pin, expectedEpoch: 1 })).id, first.id);
    await t.rejects(control.pin({ ...pin, idempotencyKey: undefined, expectedEpoch: 1 }), {
      name: 'EpochMismatchError',
    });
  });
}

async function cohortCases(t: Test, world: MoveWorld): Promise<void> {
  const { control, read, write } = world;

  await t.test('a cohort is made in off, and can be found by its rule', async (t) => {
    const made = await done(
      t,
      control,
      control.createCohort({ ...NEW_COHORT, name: 'gold', rule: ON_PLAN('gold') }),
    );
    t.match(made, {
      kind: 'cohort-create',
      before: undefined,
      after: { name: 'gold', stage: 'off' },
      movesTruth: false,
    });
    t.same(await names(world), ['movers', 'gold']);
    await t.rejects(control.createCohort({ ...NEW_COHORT, name: 'gold' }), { name: 'CohortExistsError' });
    const stage = { ...BY, cohort: 'gold', stage: 'live', ramp: undefined, dirtyUsers: 'keep' } as const;
    await done(t, control, control.changeStage(stage));
    t.equal(await write('golden', 'gold'), 'new');
    t.equal(await write('plain', 'tin'), 'legacy');
    t.match((await control.members('gold', undefined, 10)).length <= 1, true);
  });

  await t.test('a rule that is taken away moves whoever fell into it, writes in new aside', async (t) => {
    const silver = { ...NEW_COHORT, name: 'silver', rule: ON_PLAN('silver') } as const;
    await done(t, control, control.createCohort(silver));
    const edited = await done(
      t,
      control,
      control.editCohort({ ...EDIT, cohort: 'gold', rule: ON_PLAN('none') }),
    );
    t.match(edited, { kind: 'cohort-edit', movesTruth: true });
    t.equal(await read('late', 'gold'), 'legacy', 'nobody was placed before');
    t.equal(await read('golden', 'gold'), 'new', 'who was placed stays');
    await done(t, control, control.editCohort({ ...EDIT, cohort: 'gold', rule: ON_PLAN('gold') }));
    t.equal(await read('later', 'gold'), 'new');
  });

  await t.test('the order is changed, and so is who is the default', async (t) => {
    await done(t, control, control.editCohort({ ...EDIT, cohort: 'silver', position: 0 }));
    t.same(await names(world), ['silver', 'movers', 'gold']);
    await done(t, control, control.editCohort({ ...EDIT, cohort: 'silver', isDefault: true }));
    t.match(await control.cohorts(), [
      { name: 'silver', isDefault: true },
      { name: 'movers', isDefault: false },
    ]);
    await done(t, control, control.editCohort({ ...EDIT, cohort: 'movers', isDefault: true }));
    const without = control.editCohort({ ...EDIT, cohort: 'movers', isDefault: false });
    await done(t, control, without);
    await done(t, control, control.editCohort({ ...EDIT, cohort: 'movers', isDefault: true }));
    await done(t, control, control.editCohort({ ...EDIT, cohort: 'silver', position: 2, mirror: true }));
    t.same(await names(world), ['movers', 'gold', 'silver']);
  });

  await t.test('a cohort that is deleted takes nobody with it', async (t) => {
    const deletion = { ...BY, cohort: 'gold', dirtyUsers: 'keep' } as const;
    const deleted = await done(t, control, control.deleteCohort(deletion));
    t.match(deleted, { kind: 'cohort-delete', before: { name: 'gold' }, after: undefined });
    t.same(await names(world), ['movers', 'silver']);
    t.equal(await read('golden', 'gold'), 'new', 'its writes are there');
    t.match(await control.user('golden'), { record: { pin: 'new', membership: undefined }, dirty: true });
    t.equal(await write('later', 'gold'), 'legacy');
    t.equal(await write('unknown', 'gold'), 'legacy');
    await done(t, control, control.createCohort({ ...NEW_COHORT, name: 'gold' }));
    await done(t, control, control.deleteCohort(deletion));
  });
}

async function memberCases(t: Test, world: MoveWorld): Promise<void> {
  const { control, read, write } = world;
  const add = { ...BY, cohort: 'club', action: 'add', dirtyUsers: 'keep' } as const;

  await t.test('members are added where nobody moves, without a hold', async (t) => {
    await done(t, control, control.createCohort({ ...NEW_COHORT, name: 'club' }));
    const users = Array.from({ length: 1_200 }, (_, n) => `club ${n}`);
    const progress = await lastOf(control.changeMembers(add, lines([...users, 'club 7'])));
    t.match(progress, { line: 1_201, changed: 1_200, unchanged: 1, refused: [] });
    const again = await lastOf(control.changeMembers(add, lines(users)));
    t.match(again, { line: 1_200, changed: 0, unchanged: 1_200, epoch: undefined });
    const [first, second] = await control.members('club', 'club 0', 2);
    t.match(
      [first, second],
      [{ user: 'club 1' }, { user: 'club 10', record: { membership: { ordinal: 10 } } }],
    );
    const [batch] = (await control.changes(undefined, 2)).slice(1);
    t.match(batch, { kind: 'members-add', cohort: 'club', users: 1_000, movesTruth: false, job: /.{36}/ });
  });

  await t.test('members who move are held, in small batches', async (t) => {
    const stage = { ...BY, cohort: 'club', stage: 'live', ramp: undefined, dirtyUsers: 'keep' } as const;
    await done(t, control, control.changeStage(stage));
    t.equal(await write('club 3'), 'new');
    t.equal(await write('joiner 3'), 'legacy');
    const users = Array.from({ length: 600 }, (_, n) => `joiner ${n}`);
    t.match(await lastOf(control.changeMembers(add, lines(users))), { changed: 600, refused: [] });
    t.match(await control.changes(undefined, 2), [{ users: 100, movesTruth: true }, { users: 500 }]);
    t.equal(await write('joiner 3'), 'new');
    t.equal(world.gateway.state.snapshot.userHolds.size, 0);
  });

  await t.test('members who leave go back, but for those with writes in new', async (t) => {
    const leaving = ['club 3', 'club 4', 'joiner 3', 'nobody'];
    const remove = { ...add, action: 'remove' } as const;
    const progress = await lastOf(control.changeMembers(remove, lines(leaving)));
    t.match(progress, { line: 4, changed: 1, unchanged: 1 });
    t.same(
      progress.refused.map(({ line, user }) => [line, user]),
      [
        [1, 'club 3'],
        [3, 'joiner 3'],
      ],
    );
    t.equal(await read('club 3'), 'new');
    t.equal(await read('club 4'), 'legacy');
    const forced = await lastOf(control.changeMembers({ ...remove, dirtyUsers: 'force' }, lines(leaving)));
    t.match(forced, { changed: 2, unchanged: 2, refused: [] });
    t.equal(await read('club 3'), 'legacy');
  });

  await t.test('a change of the cohort gets its turn while a job runs, and the job goes on', async (t) => {
    await done(t, control, control.createCohort({ ...NEW_COHORT, name: 'crowd' }));
    const users = Array.from({ length: 3_000 }, (_, n) => `crowd ${n}`);
    const progress = control.changeMembers({ ...add, cohort: 'crowd' }, lines(users))[Symbol.asyncIterator]();
    await progress.next();
    const job = lastOf({ [Symbol.asyncIterator]: () => progress });
    const stage = { ...BY, cohort: 'crowd', ramp: undefined, dirtyUsers: 'keep' } as const;
    await done(t, control, control.changeStage({ ...stage, stage: 'shadow' }));
    t.equal(world.gateway.state.snapshot.cohortByName.get('crowd')?.stage, 'shadow');
    t.match(await job, { line: 3_000, changed: 3_000, refused: [] });
    const after = (await control.changes(undefined, 20, 'crowd')).map(({ kind }) => kind);
    t.ok(after.indexOf('stage') > 0, 'batches came after it');
  });

  await t.test('whom rules placed is placed anew', async (t) => {
    await done(t, control, control.createCohort({ ...NEW_COHORT, name: 'paid', rule: ON_PLAN('paid') }));
    const live = { ...BY, cohort: 'paid', stage: 'live', ramp: undefined, dirtyUsers: 'keep' } as const;
    await done(t, control, control.changeStage(live));
    t.equal(await read('subscriber', 'paid'), 'new');
    t.equal(await read('subscriber', 'free'), 'new', 'a claim that changes moves nobody');
    let placed = await control.members('paid', undefined, 5);
    while (placed.length === 0) placed = await control.members('paid', undefined, 5);
    const job = await lastOf(control.reassign({ ...BY, cohort: 'paid', dirtyUsers: 'keep' }));
    t.match(job, { changed: 1, refused: [] });
    t.equal(await read('subscriber', 'free'), 'legacy');
    await t.rejects(lastOf(control.reassign({ ...BY, cohort: 'nobody', dirtyUsers: 'keep' })), {
      name: 'UnknownCohortError',
    });
  });
}

async function rollbackCases(t: Test, world: MoveWorld): Promise<void> {
  const { control, read, write } = world;
  const back = { ...BY, cohort: 'club', dirtyUsers: 'keep' } as const;

  await t.test('a rollback says first whom it would strand, and keeps them', async (t) => {
    t.equal(await write('club 5'), 'new');
    const preview = await control.previewRollback('club');
    t.match(preview, { stage: 'live', to: 'shadow', tracked: true, dirty: 1, dirtyUsers: ['club 5'] });
    t.equal(preview.clean, 1_200 + 600 - 1 - 3);
    const change = await done(t, control, control.rollback(back));
    t.match(change, {
      kind: 'rollback',
      users: 1,
      dirty: 1,
      after: { stage: 'shadow' },
      note: /1 user .* stayed/,
    });
    t.equal(await read('club 5'), 'new');
    t.equal(await read('club 6'), 'legacy');
    t.match(await control.user('club 5'), {
      record: { pin: 'new', membership: { cohort: 'club' } },
      dirty: true,
      history: [{ kind: 'rollback', reason: new RegExp(change.id, 'u') }],
    });
    await t.rejects(control.rollback(back), ChangeRefusedError);
    await t.rejects(control.previewRollback('club'), { message: /nothing to roll back/ });
  });

  await t.test('a cohort that has been complete goes back by force only', async (t) => {
    for (const stage of ['live', 'rampdown', 'complete', 'rampdown'] as const) {
      await done(t, control, control.changeStage({ ...back, stage, ramp: undefined }));
    }
    t.match(await control.previewRollback('club'), { tracked: false });
    await t.rejects(control.rollback(back), WritesUnknownError);
    await t.rejects(control.changeStage({ ...back, stage: 'off', ramp: undefined }), WritesUnknownError);
    await t.rejects(control.pin({ ...back, user: 'club 8', backend: 'legacy' }), WritesUnknownError);
    await done(t, control, control.rollback({ ...back, dirtyUsers: 'force' }));
    t.equal(await read('club 6'), 'legacy');
    t.equal(await read('club 5'), 'new', 'a pin stays');
  });

  await t.test('to make a ramp smaller keeps those who wrote', async (t) => {
    const live = { ...back, stage: 'live', ramp: { kind: 'count', count: 100 } } as const;
    await done(t, control, control.changeStage(live));
    for (const user of ['club 10', 'club 90']) t.equal(await write(user), 'new');
    const smaller = await done(
      t,
      control,
      control.changeStage({ ...live, ramp: { kind: 'count', count: 50 } }),
    );
    t.match(smaller, { dirty: 1, users: 1 });
    t.equal(await read('club 90'), 'new');
    t.equal(await read('club 91'), 'legacy');
    t.match((await control.user('club 10')).record, { pin: undefined });
  });
}

export async function moveContract(t: Test, world: MoveWorld): Promise<void> {
  await pinCases(t, world);
  await cohortCases(t, world);
  await memberCases(t, world);
  await rollbackCases(t, world);
  await t.test('nothing is left open or held', async (t) => {
    t.same(await world.control.openChanges(), []);
    t.equal(world.gateway.state.snapshot.cohortHolds.size + world.gateway.state.snapshot.userHolds.size, 0);
  });
}
