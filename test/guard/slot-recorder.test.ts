import { EventEmitter, once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import t from 'tap';
import { allConditions } from '../../src/guard/guard-settings.ts';
import { recordedDryRun } from '../../src/guard/recorded-dry-run.ts';
import type { RecordedPeriod } from '../../src/guard/recorded-slots.ts';
import { type Counts, NO_COUNTS } from '../../src/guard/slot.ts';
import type { StampedReport } from '../../src/guard/slot-feed.ts';
import { unpackSlots } from '../../src/guard/slot-pack.ts';
import { SlotRecorder } from '../../src/guard/slot-recorder.ts';

/** A recorder over a store in memory that tells of what it is asked. */
function recording() {
  const events: string[] = [];
  const calls = new EventEmitter();
  const saved: RecordedPeriod[] = [];
  const state = { fails: false, pruned: 0 };
  const store = {
    saveSlots: async (periods: readonly RecordedPeriod[]): Promise<void> => {
      queueMicrotask(() => calls.emit('save'));
      if (state.fails) throw new Error('the record is away');
      saved.push(...periods);
    },
    pruneSlots: async (before: number): Promise<void> => {
      state.pruned = before;
      queueMicrotask(() => calls.emit('prune'));
    },
  };
  const log = pino({}, { write: (line: string) => void events.push(JSON.parse(line).event) });
  return { recorder: new SlotRecorder({ store, log }), saved, calls, events, state };
}

function counts(requests: number, failed: number): Counts {
  const latency = new Map([[20, requests]]);
  return { ...NO_COUNTS, requests, failed, latency };
}

function report(second: number, backend: 'legacy' | 'new', requests: number, failed = 0): StampedReport {
  const side = { byGroup: new Map([[1, counts(requests, failed)]]), kinds: {} };
  return { gateway: 'one', atMs: second * 1_000, cohorts: new Map([['free', { [backend]: side }]]) };
}

/** Of a period. */
const BEGIN = 1_800_000_000;

void t.test('a period is saved once it is over, as sums of five seconds', async (t) => {
  const { recorder, saved, calls, state } = recording();
  const seen = once(calls, 'save');
  for (let second = BEGIN; second < BEGIN + 310; second += 1) {
    recorder.add([report(second, 'new', 2), report(second, 'legacy', 1)], second);
    await turn();
  }
  await seen;
  t.match(saved, [{ cohort: 'free', from: BEGIN, weight: 900 }]);
  t.equal(saved.length, 1);
  t.equal(state.pruned, BEGIN - 14 * 86_400, 'what is old was thrown away at the start');
  const [period] = saved;
  const slots = await unpackSlots(BEGIN, period?.packed ?? Buffer.alloc(0));
  t.equal(slots.length, 60);
  t.equal(slots[1]?.second, BEGIN + 5);
  t.equal(slots[1]?.new.byGateway.get('one')?.requests, 10);
  t.equal(slots[1]?.legacy.byGroup.get(1)?.requests, 5);
});

void t.test('a cohort that has nothing at new is not recorded', async (t) => {
  const { recorder, saved } = recording();
  for (let second = BEGIN; second < BEGIN + 310; second += 1) {
    recorder.add([report(second, 'legacy', 1)], second);
    await turn();
  }
  await recorder.close();
  t.same(saved, []);
});

void t.test('what the record does not take is tried again after a while', async (t) => {
  const { recorder, saved, calls, events, state } = recording();
  state.fails = true;
  recorder.add([report(BEGIN, 'new', 1)], BEGIN);
  await turn();
  const first = once(calls, 'save');
  recorder.add([], BEGIN + 305);
  await first;
  state.fails = false;
  await turn();
  recorder.add([], BEGIN + 306);
  const second = once(calls, 'save');
  recorder.add([], BEGIN + 336);
  await second;
  t.equal(saved.length, 1);
  t.same(events, ['slots_delayed']);
});

void t.test('a process that stops saves the period under way', async (t) => {
  const { recorder, saved } = recording();
  recorder.add([report(BEGIN + 7, 'new', 3)], BEGIN + 8);
  await recorder.close();
  t.match(saved, [{ from: BEGIN, weight: 3 }]);
});

void t.test('a process that stops does not wait for a record that does not answer', async (t) => {
  const log = pino({ level: 'silent' });
  const never = new Promise<void>(() => {});
  const recorder = new SlotRecorder({ store: { saveSlots: () => never, pruneSlots: () => never }, log });
  recorder.add([report(BEGIN, 'new', 3)], BEGIN);
  await recorder.close();
  t.pass('it is over');
});

void t.test(
  'a dry run over what was recorded finds when the default conditions would have tripped',
  async (t) => {
    const { recorder, saved } = recording();
    // Good for ten minutes; then every request fails for a minute.
    for (let second = BEGIN; second < BEGIN + 900; second += 1) {
      const isBad = second >= BEGIN + 600 && second < BEGIN + 660;
      recorder.add([report(second, 'new', 50, isBad ? 50 : 0), report(second, 'legacy', 50)], second);
      await turn();
    }
    await recorder.close();
    t.same(
      saved.map(({ from }) => from - BEGIN),
      [0, 300, 600],
    );
    const store = {
      readSlots: async (_cohort: string, from: number, to: number, limit: number) =>
        saved.filter((period) => period.from >= from && period.from < to).slice(0, limit),
    };
    const conditions = allConditions(
      { windowMs: 30_000, errorRate: 0.05, meanLatencyMs: 1_000, minRequests: 50, action: 'rollback' },
      [],
    );
    const at = (second: number): Date => new Date((BEGIN + second) * 1_000);
    const request = { cohort: 'free', from: at(0), to: at(900), conditions: undefined };
    const run = await recordedDryRun(request, conditions, store, 600_000);
    t.equal(run.slots, 900, 'seconds');
    t.same([run.from, run.to], [at(0), at(900)]);
    t.equal(run.trips.length, 1);
    t.match(run.trips[0], { condition: 'errorRate', path: 'overwhelming', at: at(600) });

    const part = await recordedDryRun({ ...request, from: at(100), to: at(590) }, conditions, store, 600_000);
    t.equal(part.slots, 490);
    t.same(part.trips, []);
  },
);
