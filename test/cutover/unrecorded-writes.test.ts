/** A hold has not drained while only Redis knows of a write. */
import { pino } from 'pino';
import t from 'tap';
import { GatewayAgent } from '../../src/cutover/gateway-agent.ts';
import { InFlightWrites } from '../../src/cutover/in-flight-writes.ts';
import { type UnrecordedMarks, UnrecordedWrites } from '../../src/cutover/unrecorded-writes.ts';
import { cohort } from '../decision/fixtures.ts';
import { MemoryState } from '../harness/memory-state.ts';
import { within } from '../harness/within.ts';
import { MemoryChanges, MemoryControlMap } from './memory-stores.ts';

const COHORTS = [cohort({ name: 'movers', stage: 'live' }), cohort({ name: 'others', stage: 'live' })];

/** Marks that wait for a record, which answers when it is told to. */
class WaitingMarks implements UnrecordedMarks {
  readonly waiting: { user: string; cohort: string; unplaced: boolean }[] = [];
  asked = 0;
  #noted: (() => void)[] = [];

  unrecorded(name: string): number {
    return this.waiting.filter((mark) => mark.cohort === name).length;
  }

  unrecordedOf(user: string): number {
    return this.waiting.filter((mark) => mark.user === user).length;
  }

  get unrecordedUnplaced(): number {
    return this.waiting.filter(({ unplaced }) => unplaced).length;
  }

  recorded(): Promise<void> {
    this.asked += 1;
    if (this.waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#noted.push(resolve));
  }

  /** The record has the first of them. */
  note(): void {
    this.waiting.shift();
    for (const resolve of this.#noted.splice(0)) resolve();
  }
}

class MarkedState extends MemoryState {
  readonly marks = new WaitingMarks();
}

void t.test('the marks of a cohort, a user, and users without a membership count as writes', async (t) => {
  const writes = new InFlightWrites();
  const marks = new WaitingMarks();
  const all = new UnrecordedWrites(writes, marks);
  writes.enter({ countedIn: undefined }, 'nina', 'movers', true);
  marks.waiting.push({ user: 'nina', cohort: 'movers', unplaced: false });
  marks.waiting.push({ user: 'leo', cohort: 'others', unplaced: true });
  t.same([all.ofCohort('movers'), all.ofCohort('others'), all.ofCohort('rest')], [2, 1, 0]);
  t.same([all.ofUser('nina'), all.ofUser('leo'), all.ofUser('zoe')], [2, 1, 0]);
  t.equal(all.unplaced, 1);
});

void t.test(
  'a placement that the record does not have keeps holds of whom attributes lead from settling',
  async (t) => {
    const placements = { unrecorded: 2 };
    const all = new UnrecordedWrites(new InFlightWrites(), new WaitingMarks(), placements);
    t.same([all.unplaced, all.unsettledUnplaced, all.ofCohort('movers')], [2, 2, 0]);
    placements.unrecorded = 0;
    t.same([all.unplaced, all.unsettledUnplaced], [0, 0]);
  },
);

void t.test('a hold has drained when the record has the marks of its cohort, and not before', async (t) => {
  const registry = new MemoryChanges(COHORTS);
  const map = new MemoryControlMap(COHORTS);
  const state = new MarkedState(COHORTS);
  const { marks } = state;
  map.onSnapshot = (snapshot) => state.replace(snapshot);
  const agent = new GatewayAgent({
    id: 'a',
    where: 'here',
    registry,
    map,
    state,
    writes: new InFlightWrites(),
    digest: 'd',
    selfFenceAfterMs: 100_000_000,
    alone: false,
    log: pino({ level: 'silent' }),
    now: () => 0,
    startMs: 200,
  });
  t.teardown(() => agent.close());
  await agent.start();
  marks.waiting.push(
    { user: 'zoe', cohort: 'others', unplaced: false },
    { user: 'nina', cohort: 'movers', unplaced: false },
    { user: 'leo', cohort: 'others', unplaced: false },
  );
  await map.hold('x', 1, { held: ['movers'], users: [] });
  t.match(agent.acknowledged, { applied: 2, drained: 1 });
  const asks = async (count: number): Promise<void> => {
    const asked = async (): Promise<void> => {
      while (marks.asked < count) await new Promise((resolve) => setImmediate(resolve));
    };
    await within(asked(), `${count} questions whether the marks are recorded`);
  };
  await asks(1);
  marks.note();
  await asks(2);
  t.match(agent.acknowledged, { drained: 1 }, 'another cohort had the first one');
  marks.note();
  const drained = async (): Promise<void> => {
    while (map.current.get('a')?.drained !== 2) await new Promise((resolve) => setImmediate(resolve));
  };
  await within(drained(), 'a lease that says that the hold has drained');
  t.equal(marks.waiting.length, 1, "a mark of a cohort that is not held is nobody's hindrance");
});
