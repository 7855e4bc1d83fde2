/** Writes to `new` are marked before a byte of them is sent, through real sockets. */
import t, { type Test } from 'tap';
import { TurnoutError } from '../../src/errors.ts';
import { createGateway } from '../../src/gateway.ts';
import { ABSENT_RECORD, type Cohort, type User } from '../../src/model.ts';
import { createSnapshot } from '../../src/state/snapshot.ts';
import type { MarkPlace, WriteMarker } from '../../src/state/state-map.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { type Backend, startBackend } from '../harness/backend.ts';
import { testConfig } from '../harness/gateway.ts';
import { MemoryState } from '../harness/memory-state.ts';

/** Marks into a list; each mark can be made to wait or to fail. */
class ListedMarks implements WriteMarker {
  /** `user place flag`. */
  readonly asked: string[] = [];
  readonly unrecordedUnplaced = 0;
  readonly #known = new Set<string>();
  before: (user: User) => Promise<void> = async () => undefined;

  isMarked(user: User, place: MarkPlace | undefined): boolean {
    return this.#known.has(`${user} ${place?.name}`);
  }

  async mark(user: User, place: MarkPlace | undefined, unplaced: boolean): Promise<void> {
    this.asked.push(`${user} ${place?.name ?? 'pinned'} ${unplaced ? 'unplaced' : 'placed'}`);
    await this.before(user);
    this.#known.add(`${user} ${place?.name}`);
  }

  async caughtUp(): Promise<boolean> {
    return true;
  }

  async wrote(user: User): Promise<'none' | 'some'> {
    return this.asked.some((each) => each.startsWith(`${user} `)) ? 'some' : 'none';
  }

  unrecorded(): number {
    return 0;
  }

  unrecordedOf(): number {
    return 0;
  }

  async recorded(): Promise<void> {}
}

class MarkingState extends MemoryState {
  readonly marks = new ListedMarks();
}

interface Wired {
  readonly state: MarkingState;
  readonly marks: ListedMarks;
  readonly next: Backend;
  readonly send: (user: string | undefined, method?: string, path?: string) => Promise<number>;
  readonly put: (change: Partial<Cohort>) => void;
}

async function wire(t: Test): Promise<Wired> {
  const legacy = await startBackend(t);
  const next = await startBackend(t);
  const config = testConfig({
    backends: { legacy: legacy.port, new: next.port },
    settings: {
      anonymous: 'new',
      cohorts: [
        { name: 'movers', default: true, stage: 'live' },
        { name: 'others', stage: 'live' },
      ],
      routes: [{ match: '/fixed', backend: 'new' }, { match: '/*' }],
    },
  });
  const telemetry = createTelemetry({ level: 'error', accessSample: 0, destination: { write: () => {} } });
  const state = new MarkingState(config.cohorts);
  const put = (change: Partial<Cohort>): void => {
    const cohorts = state.snapshot.cohorts.map((each) =>
      each.name === 'movers' ? { ...each, ...change } : each,
    );
    state.replace(createSnapshot({ mapId: 'memory', epoch: state.snapshot.epoch + 1, cohorts }));
  };
  state.replace(
    createSnapshot({
      mapId: 'memory',
      epoch: 2,
      cohorts: config.cohorts.map((each) => ({ ...each, era: { number: 1, tracked: true } })),
    }),
  );
  const gateway = await createGateway({ config, state, telemetry });
  t.teardown(async () => {
    await gateway.close({ graceMs: 200 });
    telemetry.close();
  });
  const send = async (user: string | undefined, method = 'POST', path = '/x'): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${gateway.address.port}${path}`, {
      method,
      headers: user === undefined ? {} : { 'x-user': user },
      ...(method === 'POST' ? { body: 'a' } : {}),
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  return { state, marks: state.marks, next, send, put };
}

void t.test('the first write of a user is sent once it is marked, the next without asking', async (t) => {
  const { marks, next, send } = await wire(t);
  const sentBefore: number[] = [];
  marks.before = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    sentBefore.push(next.requests.length);
  };
  t.equal(await send('nina'), 200);
  t.equal(await send('nina'), 200);
  t.strictSame(sentBefore, [0]);
  t.strictSame(marks.asked, ['nina movers unplaced']);
  t.equal(next.requests.length, 2);
});

void t.test('reads, other stages, routes of their own and nobody are not marked', async (t) => {
  const { marks, next, send, put } = await wire(t);
  await send('nina', 'GET');
  await send('nina', 'POST', '/fixed');
  await send(undefined);
  t.equal(next.requests.length, 3);
  put({ stage: 'shadow' });
  await send('nina');
  put({ stage: 'complete', era: { number: 1, tracked: false } });
  await send('nina');
  put({ stage: 'live', era: { number: 1, tracked: false } });
  await send('nina');
  t.strictSame(marks.asked, []);
});

void t.test('a user that is pinned to new is marked as such, whatever its cohort', async (t) => {
  const { marks, state, send, put } = await wire(t);
  put({ stage: 'off' });
  await state.putUser('nina', { ...ABSENT_RECORD, pin: 'new' });
  await state.putUser('leo', { ...ABSENT_RECORD, pin: 'legacy' });
  await Promise.all([send('nina'), send('leo')]);
  t.strictSame(marks.asked, ['nina pinned unplaced']);
});

void t.test('a write that cannot be marked is refused and never sent', async (t) => {
  const { marks, next, send } = await wire(t);
  marks.before = async () => {
    throw new TurnoutError('state_unknown');
  };
  t.equal(await send('nina'), 503);
  t.equal(next.requests.length, 0);
});

void t.test('a user who is moved to another cohort meanwhile is marked there too', async (t) => {
  const { marks, state, next, send } = await wire(t);
  marks.before = async () => {
    if (marks.asked.length > 1) return;
    t.equal(next.requests.length, 0);
    await state.putUser('nina', {
      ...ABSENT_RECORD,
      membership: { cohort: 'others', ordinal: 0, by: 'explicit' },
    });
  };
  t.equal(await send('nina'), 200);
  t.strictSame(marks.asked, ['nina movers unplaced', 'nina others placed']);
});

void t.test('a user who leaves its cohort meanwhile is marked as one without', async (t) => {
  const { marks, state, send } = await wire(t);
  const membership = { cohort: 'movers', ordinal: 0, by: 'explicit' } as const;
  await state.putUser('nina', { ...ABSENT_RECORD, membership });
  marks.before = async () => {
    if (marks.asked.length === 1) await state.putUser('nina', ABSENT_RECORD);
  };
  t.equal(await send('nina'), 200);
  t.strictSame(marks.asked, ['nina movers placed', 'nina movers unplaced']);
});
