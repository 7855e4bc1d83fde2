/** When the guard looks, by the order of what happens: the test lets time come. */
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { GuardPace } from '../../src/guard/guard-pace.ts';

const TICK_MS = 250;
const EARLY_MS = 50;

/** A pace whose sleeps end when the test says so, and what it did. */
async function paced(t: Test) {
  const done: string[] = [];
  const sleeping: { readonly ms: number; readonly wake: () => void }[] = [];
  const state = { isBad: false, isStopped: false, during: (): void => undefined };
  const sleep = (ms: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    sleeping.push({ ms, wake: resolve });
    return promise;
  };
  const pace = new GuardPace({ tickMs: TICK_MS, earlyMs: EARLY_MS, sleep, isStopped: () => state.isStopped });
  const did = (what: string) => async (): Promise<boolean> => {
    done.push(what);
    state.during();
    return state.isBad;
  };
  /** So long has gone by for all who sleep that long. */
  const pass = async (ms: number): Promise<void> => {
    for (let at = sleeping.length - 1; at >= 0; at -= 1) {
      if (sleeping[at]?.ms === ms) sleeping.splice(at, 1)[0]?.wake();
    }
    await setImmediate();
  };
  const running = pace.run(did('tick'), did('look'));
  t.teardown(async () => {
    state.isStopped = true;
    for (const { wake } of sleeping) wake();
    await running;
  });
  await setImmediate();
  return { pace, done, state, pass };
}

void t.test('in quiet times it looks at each tick and never in between', async (t) => {
  const { done, pass } = await paced(t);
  for (let tick = 0; tick < 3; tick += 1) {
    for (let count = 0; count < 4; count += 1) await pass(EARLY_MS);
    await pass(TICK_MS);
  }
  t.same(done, ['tick', 'tick', 'tick', 'tick']);
});

void t.test('bad news of this process is looked at before the next tick', async (t) => {
  const { pace, done, pass } = await paced(t);
  await pass(EARLY_MS);
  t.same(done, ['tick']);
  pace.wake();
  await setImmediate();
  t.same(done, ['tick', 'look']);
  pace.wake();
  await setImmediate();
  t.same(done, ['tick', 'look'], 'and not again at once');
  await pass(EARLY_MS);
  t.same(done, ['tick', 'look', 'look']);
  await pass(EARLY_MS);
  t.same(done, ['tick', 'look', 'look'], 'nothing has called for it');
  await pass(TICK_MS);
  t.equal(done.at(-1), 'tick');
});

void t.test('bad news that is read is followed up, also over a tick that reads none', async (t) => {
  const { done, state, pass } = await paced(t);
  state.isBad = true;
  await pass(TICK_MS);
  t.same(done, ['tick', 'tick']);
  await pass(EARLY_MS);
  t.same(done, ['tick', 'tick', 'look']);
  state.isBad = false;
  await pass(EARLY_MS);
  await pass(TICK_MS);
  t.same(done.slice(3), ['look', 'tick']);
  for (let count = 0; count < 10; count += 1) await pass(EARLY_MS);
  t.same(done.slice(5), ['look', 'look'], 'then it is quiet');
});

void t.test('what calls for a look while it looks is looked at too', async (t) => {
  const { pace, done, state, pass } = await paced(t);
  await pass(EARLY_MS);
  state.during = () => pace.wake();
  pace.wake();
  await setImmediate();
  state.during = () => undefined;
  await pass(EARLY_MS);
  t.same(done, ['tick', 'look', 'look']);
});

void t.test(
  'trouble that lasts is looked at between ticks once a second, after two seconds of it',
  async (t) => {
    const { done, state, pass } = await paced(t);
    await setImmediate();
    state.isBad = true;
    const second = async (): Promise<number> => {
      const before = done.length;
      for (let tick = 0; tick < 4; tick += 1) {
        await pass(TICK_MS);
        for (let count = 0; count < 4; count += 1) await pass(EARLY_MS);
      }
      return done.length - before;
    };
    t.equal(await second(), 20);
    await second();
    await second();
    t.equal(await second(), 5);
    t.equal(await second(), 5);
  },
);

void t.test('it ends when it is stopped while it waits', async (t) => {
  const { done, state, pass } = await paced(t);
  state.isBad = true;
  state.isStopped = true;
  await pass(EARLY_MS);
  await pass(TICK_MS);
  t.same(done, ['tick']);
});
