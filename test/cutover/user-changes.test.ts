/** The controller's way through changes of users, and of cohorts that keep users, with every crash point. */
import t from 'tap';
import type { Change } from '../../src/cutover/change.ts';
import { ChangeConflictError, ChangeLostError } from '../../src/cutover/stores.ts';
import type { UserRecord } from '../../src/model.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import { cohort, placed } from '../decision/fixtures.ts';
import { Gate, World } from './barrier-world.ts';

/** One way to change something, and what it makes of it. */
interface Case {
  readonly name: string;
  readonly begin: () => Promise<World>;
  readonly open: (world: World) => Promise<Change>;
  /** What record and map have to agree on. */
  readonly state: (world: World) => readonly [record: unknown, map: unknown];
  readonly before: unknown;
  readonly after: unknown;
}

function recordOf(world: World, user: string): UserRecord {
  return world.store.records.get(user) ?? ABSENT_RECORD;
}

function inForce(world: World, user: string): UserRecord {
  return world.map.users.get(user) ?? ABSENT_RECORD;
}

const PIN: Case = {
  name: 'a pin with a hold',
  begin: () => World.start(),
  open: (world) => world.openUsers({}),
  state: (world) => [recordOf(world, 'nina').pin, inForce(world, 'nina').pin],
  before: undefined,
  after: 'new',
};

const BATCH: Case = {
  name: 'a batch of members without a hold',
  begin: () => World.start({ stage: 'shadow' }),
  open: (world) =>
    world.openUsers({
      kind: 'members-add',
      cohort: 'movers',
      pin: undefined,
      user: undefined,
      job: 'job',
      movesTruth: false,
      claims: { held: [], own: [], shared: ['movers'], users: ['leo', 'nina'] },
    }),
  state: (world) => [
    ['leo', 'nina'].map((user) => recordOf(world, user).membership?.cohort),
    ['leo', 'nina'].map((user) => inForce(world, user).membership?.cohort),
  ],
  before: [undefined, undefined],
  after: ['movers', 'movers'],
};

const ROLLBACK: Case = {
  name: 'a rollback that keeps a user',
  async begin() {
    const world = await World.start({ stage: 'live', era: { number: 1, tracked: true } });
    for (const user of ['clean', 'dirty']) {
      world.store.records.set(user, placed('movers'));
      world.map.users.set(user, placed('movers'));
    }
    world.marks.marked.add('dirty');
    return world;
  },
  open: (world) => world.open({ stage: 'shadow' }),
  state: (world) => [
    [world.store.cohorts.get('movers')?.stage, recordOf(world, 'clean').pin, recordOf(world, 'dirty').pin],
    [world.stage, inForce(world, 'clean').pin, inForce(world, 'dirty').pin],
  ],
  before: ['live', undefined, undefined],
  after: ['shadow', undefined, 'new'],
};

const CREATION: Case = {
  name: 'a cohort that is made under a hold',
  begin: () => World.start({ stage: 'live', isDefault: true }),
  open: async (world) => {
    const movers = world.store.cohorts.get('movers');
    if (movers === undefined) throw new Error('no cohort');
    const rule = { kind: 'exists', attribute: { source: 'header', name: 'x-plan' } } as const;
    return world.store.openChange({
      id: 'change-1',
      kind: 'cohort-create',
      cohort: 'gold',
      after: cohort({ name: 'gold', rule }),
      actor: 'test',
      reason: 'test',
      idempotencyKey: undefined,
      dirtyUsers: 'keep',
      movesTruth: true,
      needsEveryGateway: false,
      claims: { held: ['gold', 'movers'], own: [], shared: [], users: [] },
      judged: [movers],
    });
  },
  state: (world) => [world.store.cohorts.has('gold'), world.map.snapshot.cohortByName.has('gold')],
  before: false,
  after: true,
};

const CASES = [PIN, BATCH, ROLLBACK, CREATION];

for (const each of CASES) {
  void t.test(`${each.name}: from the wish to its outcome`, async (t) => {
    const world = await each.begin();
    const change = await world.controller().run(await each.open(world));
    t.equal(change.phase, 'done', change.note ?? '');
    t.same(each.state(world), [each.after, each.after]);
    t.equal(world.holds, 0);
    t.same([...world.store.claims], [], 'what it claimed is free');
  });

  void t.test(`${each.name}: whatever the last step of a controller was`, async (t) => {
    const whole = new Gate();
    const first = await each.begin();
    await first.controller(whole).run(await each.open(first));
    for (const [stopAt, name] of whole.calls.slice(0, -1).entries()) {
      for (const after of [false, true]) {
        const what = `stopped ${after ? 'after' : 'before'} ${name} (${stopAt})`;
        const world = await each.begin();
        const gate = new Gate();
        gate.stopAt = stopAt;
        gate.after = after;
        const old = world
          .controller(gate)
          .run(await each.open(world))
          .catch((error: unknown) => error);
        while (!gate.stopped) await world.sleep(10);
        const isDone = (await world.store.readChange('change-1'))?.phase === 'done';
        const phase = isDone ? 'done' : (await world.recover()).phase;
        const wanted = phase === 'done' ? each.after : each.before;
        t.same(each.state(world), [wanted, wanted], `${what}: record and map agree on ${phase}`);
        t.equal(world.holds, 0, 'nobody is held');
        const epoch = world.map.snapshot.epoch;
        gate.resume();
        const end = await old;
        if (!isDone) t.type(end, ChangeLostError, what);
        t.equal(world.map.snapshot.epoch, epoch, 'the one that woke up changed nothing');
        t.same(each.state(world), [wanted, wanted]);
      }
    }
  });
}

void t.test('nobody but the user is held', async (t) => {
  const world = await World.start();
  const held: string[][] = [];
  world.map.onSnapshot = ({ userHolds, cohortHolds }) => {
    held.push([...userHolds.keys(), ...cohortHolds.keys()]);
  };
  await world.controller().run(await world.openUsers({}));
  t.same(held, [['nina'], ['nina'], []]);
});

void t.test('pins come into force before the definition', async (t) => {
  const world = await ROLLBACK.begin();
  let stageAtPin = '';
  world.map.onUser = () => {
    stageAtPin = world.stage;
  };
  const change = await world.controller().run(await ROLLBACK.open(world));
  t.equal(stageAtPin, 'live', 'no read of a user who stays goes to the other side');
  t.match(change, { dirty: 1, users: 1, note: /1 user with writes in new only stayed/ });
  t.same(world.marks.carried, ['dirty']);
});

void t.test('with force everybody goes back, and who is stranded is listed', async (t) => {
  const world = await ROLLBACK.begin();
  const opened = await ROLLBACK.open(world);
  const forced: Change = { ...opened, dirtyUsers: 'force' };
  world.store.rows[0] = forced;
  const change = await world.controller().run(forced);
  t.match(change, { phase: 'done', dirty: 1, users: 0, note: /stranded/ });
  t.equal(inForce(world, 'dirty').pin, undefined);
  t.same(await world.store.dirtyOf(change.id, undefined, 10), ['dirty']);
});

void t.test('marks that cannot be read undo the change', async (t) => {
  const world = await ROLLBACK.begin();
  world.marks.failure = new Error('no marks');
  const change = await world.controller().run(await ROLLBACK.open(world));
  t.match(change, { phase: 'undone', note: /no marks/ });
  t.equal(world.stage, 'live');
  t.equal(world.holds, 0);
});

void t.test('more users than a change can keep undo it', async (t) => {
  const world = await ROLLBACK.begin();
  for (let n = 0; n <= 100_000; n += 1) world.marks.marked.add(`user ${n}`);
  const change = await world.controller().run(await ROLLBACK.open(world));
  t.match(change, { phase: 'undone', note: /over 100000 users .* force/ });
});

void t.test('a user who was moved between judgement and opening is not moved without a hold', async (t) => {
  const world = await BATCH.begin();
  const opened = await BATCH.open(world);
  world.store.records.set('leo', { ...ABSENT_RECORD, pin: 'new' });
  world.store.cohorts.set('live', cohort({ name: 'live', stage: 'live' }));
  world.store.records.set('nina', placed('live'));
  const change = await world.controller().run(opened);
  t.match(change, { phase: 'undone', note: /changed by somebody else/ });
  t.equal(recordOf(world, 'nina').membership?.cohort, 'live');
});

void t.test('a hold is not enough when every gateway has come to count', async (t) => {
  const world = await World.start({ stage: 'live', isDefault: true });
  const opened = await world.openUsers({ needsEveryGateway: false, pin: 'legacy' });
  const movers = world.store.cohorts.get('movers');
  if (movers !== undefined) world.store.cohorts.set('movers', { ...movers, stage: 'complete' });
  const change = await world.controller().run(opened);
  t.match(change, { phase: 'undone', note: /every gateway has to agree/ });
});

void t.test('two changes of one user: the second is told of the first', async (t) => {
  const world = await World.start();
  await world.openUsers({});
  await t.rejects(world.openUsers({ pin: 'legacy' }, 'second'), new ChangeConflictError('change-1'));
});

void t.test('a write of the user that does not end undoes the change, and says where it hangs', async (t) => {
  const world = await World.start({ stage: 'shadow' });
  world.gateway('a').busy = true;
  const change = await world.controller().run(await world.openUsers({}));
  t.match(change, { phase: 'undone', restarts: 0, note: /host of a \(a\) has not finished/ });
  t.equal(inForce(world, 'nina').pin, undefined);
});
