/** The control service as the admin API meets it, over stores in memory and a gateway that answers. */
import { pino } from 'pino';
import t, { type Test } from 'tap';
import {
  type Control,
  EpochMismatchError,
  type StageRequest,
  UnknownCohortError,
} from '../../src/cutover/control.ts';
import { type ControlTiming, createControl } from '../../src/cutover/create-control.ts';
import { GatewayAgent } from '../../src/cutover/gateway-agent.ts';
import { InFlightWrites } from '../../src/cutover/in-flight-writes.ts';
import { ChangeConflictError } from '../../src/cutover/stores.ts';
import { cohort } from '../decision/fixtures.ts';
import { MemoryState } from '../harness/memory-state.ts';
import { within } from '../harness/within.ts';
import { MemoryChanges, MemoryControlMap, MemoryMarks } from './memory-stores.ts';
import { untilOver } from './until-over.ts';

const COHORTS = [cohort({ name: 'movers' }), cohort({ name: 'others', stage: 'shadow' })];
/** The agent renews every quarter of it. */
const FENCE_MS = 400;

function wish(over: Partial<StageRequest> = {}): StageRequest {
  return {
    cohort: 'movers',
    stage: 'live',
    ramp: undefined,
    dirtyUsers: 'force',
    actor: 'test',
    reason: 'test',
    expectedEpoch: undefined,
    idempotencyKey: undefined,
    ...over,
  };
}

interface SetUp {
  readonly control: Control;
  readonly store: MemoryChanges;
  readonly map: MemoryControlMap;
  readonly writes: InFlightWrites;
}

async function setUp(
  t: Test,
  timing: Partial<ControlTiming> = {},
  mayGoOn: (cohort: string) => Promise<void> = async () => {},
): Promise<SetUp> {
  const store = new MemoryChanges(COHORTS);
  const map = new MemoryControlMap(COHORTS);
  const state = new MemoryState(COHORTS);
  const writes = new InFlightWrites();
  map.onSnapshot = (snapshot) => state.replace(snapshot);
  const log = pino({ level: 'silent' });
  const agent = new GatewayAgent({
    id: 'a',
    where: 'here',
    registry: store,
    map,
    state,
    writes,
    digest: 'd',
    selfFenceAfterMs: FENCE_MS,
    alone: true,
    log,
    now: () => performance.now(),
  });
  await agent.start();
  t.teardown(() => agent.close());
  const control = createControl({
    store,
    map,
    users: store,
    marks: new MemoryMarks(store),
    readCohorts: async () => [...store.cohorts.values()],
    drainMaxMs: () => 200,
    selfFenceAfterMs: FENCE_MS,
    writeMaxMs: 100,
    mayGoOn,
    log,
    timing: { pendingAnswerMs: 400, beatMs: 50, ...timing },
  });
  t.teardown(() => control.close());
  return { control, store, map, writes };
}

void t.test('a change is in force everywhere when the call returns', async (t) => {
  const { control, map } = await setUp(t);
  const change = await control.changeStage(wish());
  t.match(change, { phase: 'done', releaseEpoch: 4 });
  t.equal(map.snapshot.cohortByName.get('movers')?.stage, 'live');
  t.match(await control.cohorts(), [{ name: 'movers', stage: 'live' }, { name: 'others' }]);
  t.match(await control.change(change.id), { phase: 'done' });
  t.match(await control.changes(undefined, 10), [{ id: change.id }]);
  t.match(await control.gateways(), [{ id: 'a', where: 'here', verdict: 'live', applied: 4, digest: 'd' }]);
});

void t.test('whoever may not go on is refused, and goes back all the same', async (t) => {
  const stopped = new Error('somebody has to see to it first');
  let asked: string[] = [];
  const { control } = await setUp(t, {}, async (name) => {
    asked.push(name);
    if (name === 'movers') throw stopped;
  });
  const author = { actor: 'test', reason: 'test', expectedEpoch: undefined, idempotencyKey: undefined };
  await t.rejects(control.changeStage(wish()), stopped);
  await t.rejects(control.changeStage(wish({ ramp: { kind: 'percent', buckets: 0 } })), stopped);
  t.same(await control.openChanges(), []);
  t.match(await control.changeStage(wish({ stage: 'dualwrite' })), { phase: 'done' }, 'nobody comes to new');
  asked = [];
  t.match(
    await control.changeStage(wish({ cohort: 'others' })),
    { phase: 'done' },
    'nor is another cohort stopped',
  );
  t.same(asked, ['others']);
  t.match(await control.rollback({ ...author, cohort: 'others', dirtyUsers: 'force' }), { phase: 'done' });
  t.same(asked, ['others'], 'who goes back is not asked about');
});

void t.test(
  'a change can name what it begins from, and is refused when that is not so any more',
  async (t) => {
    const { control } = await setUp(t);
    const full = { kind: 'percent', buckets: 10_000 } as const;
    const part = { kind: 'percent', buckets: 100 } as const;
    await t.rejects(control.changeStage(wish({ onlyFrom: { stage: 'shadow', ramp: full } })), {
      name: 'ChangeRefusedError',
    });
    await t.rejects(control.changeStage(wish({ onlyFrom: { stage: 'off', ramp: part } })), {
      name: 'ChangeRefusedError',
    });
    t.match(await control.changeStage(wish({ onlyFrom: { stage: 'off', ramp: full } })), { phase: 'done' });
  },
);

void t.test('the ramp stays unless another one is asked for', async (t) => {
  const { control } = await setUp(t);
  const ramp = { kind: 'percent', buckets: 1_000 } as const;
  t.match((await control.changeStage(wish({ ramp }))).after, { stage: 'live', ramp });
  t.match((await control.changeStage(wish({ stage: 'shadow' }))).after, { stage: 'shadow', ramp });
});

void t.test('a request is refused before anything happens', async (t) => {
  const { control, store } = await setUp(t);
  await t.rejects(control.changeStage(wish({ cohort: 'nobody' })), new UnknownCohortError('nobody'));
  await t.rejects(control.changeStage(wish({ expectedEpoch: 7 })), new EpochMismatchError(7, 1));
  t.same(store.rows, []);
  t.equal((await control.changeStage(wish({ expectedEpoch: 1 }))).phase, 'done');
});

void t.test(
  'a change that is asked for while the map is away is refused, and does not begin later',
  async (t) => {
    const { control, store, map } = await setUp(t);
    const away = new Error('no map answers');
    const epoch = map.epoch.bind(map);
    map.epoch = () => Promise.reject(away);
    await t.rejects(control.changeStage(wish()), away);
    t.same(store.rows, []);
    map.epoch = epoch;
    t.equal((await control.changeStage(wish())).phase, 'done');
  },
);

void t.test('a repeated request gets the change that the first one began', async (t) => {
  const { control, store } = await setUp(t);
  const first = await control.changeStage(wish({ idempotencyKey: 'key', expectedEpoch: 1 }));
  const second = await control.changeStage(wish({ idempotencyKey: 'key', expectedEpoch: 1 }));
  t.equal(second.id, first.id, 'although the map has moved on');
  t.equal((await control.changeStage(wish({ idempotencyKey: 'key' }))).id, first.id);
  t.equal(store.rows.length, 1);
});

void t.test(
  'two changes of one cohort at once: the second is told of the first; another cohort is free',
  async (t) => {
    const { control, writes } = await setUp(t);
    const write = { countedIn: undefined };
    writes.enter(write, 'nina', 'movers', true);
    const first = control.changeStage(wish());
    const refused = await control.changeStage(wish({ stage: 'complete' })).catch((error: unknown) => error);
    t.type(refused, ChangeConflictError);
    const elsewhere = wish({ cohort: 'others', stage: 'dualwrite' });
    const other = await untilOver(control, await control.changeStage(elsewhere));
    t.equal(other.phase, 'done');
    t.match(await first, { phase: 'undone', note: /has not finished the writes that it has/u });
  },
);

void t.test(
  'a change that waits for a gateway returns as pending, goes on, and evicting helps',
  async (t) => {
    const { control, store } = await setUp(t);
    await store.registerGateway('gone', 'a host that burnt down');
    const pending = await control.changeStage(wish());
    t.match(pending, { phase: 'pending', note: /a host that burnt down/u });
    t.equal(await control.evictGateway('nobody'), false);
    t.equal(await control.evictGateway('gone', { actor: 'ops', reason: 'it burnt down' }), true);
    t.same(store.actions, ['evict a host that burnt down (gone) by ops: it burnt down']);
    const over = async (): Promise<void> => {
      while ((await control.change(pending.id))?.phase !== 'done')
        await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await within(over(), 'the end of the change');
    t.match(await control.gateways(), [{ id: 'a' }]);
  },
);

void t.test('what another process left behind is undone', async (t) => {
  const { control, store, map } = await setUp(t, { controllerSilentMs: 60 });
  const [before = cohort()] = COHORTS;
  const { id } = await store.openChange({
    actor: 'test',
    reason: 'test',
    idempotencyKey: undefined,
    dirtyUsers: 'keep',
    claims: { held: ['movers'], own: [], shared: [], users: [] },
    judged: COHORTS,
    cohort: 'movers',
    id: 'left',
    kind: 'stage',
    after: { ...before, stage: 'live' },
    movesTruth: true,
    needsEveryGateway: true,
  });
  await store.moveChange(id, 1, 'pending', 'holding');
  await map.hold(id, 1, { held: ['movers'], users: [] });
  const over = async (): Promise<void> => {
    while ((await control.change(id))?.phase !== 'undone')
      await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await within(over(), 'the end of the change');
  t.match(await control.change(id), { token: 2, note: /vanished while it was holding/u });
  t.equal(map.snapshot.cohortHolds.size, 0);
});
