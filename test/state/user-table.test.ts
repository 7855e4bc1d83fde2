import t from 'tap';
import { ABSENT_RECORD } from '../../src/model.ts';
import { type UserRead, UserTable } from '../../src/state/user-table.ts';
import type { Versioned } from '../../src/state/versioned.ts';

function version(number: number): Versioned {
  return { record: { ...ABSENT_RECORD, newId: `n${number}` }, version: number };
}

/** A table whose reads end when the test says so. */
function tableWithReads(over: { cacheMax?: number; loadsMax?: number } = {}) {
  const reads: { user: string; answer: (read: UserRead) => void; fail: (error: Error) => void }[] = [];
  const table = new UserTable({
    cacheMax: over.cacheMax ?? 100,
    loadsMax: over.loadsMax ?? 100,
    read: (user) =>
      new Promise((answer, fail) => {
        reads.push({ user, answer, fail });
      }),
  });
  return { table, reads };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

await t.test(
  'a read that began before a change and ends after it does not put the old record back',
  async (t) => {
    const { table, reads } = tableWithReads();
    const loading = table.load('u');
    await turn();
    table.apply('u', version(2));
    reads[0]?.answer({ versioned: version(1), keep: 'cached' });
    t.strictSame(await loading, version(2));
    t.strictSame(table.cached('u'), version(2).record);
  },
);

await t.test('the same when the user was cached and evicted again in between', async (t) => {
  const { table, reads } = tableWithReads({ cacheMax: 2 });
  const loading = table.load('u');
  await turn();
  table.learn('u', version(2));
  for (const other of ['a', 'b', 'c', 'd']) table.learn(other, version(1));
  t.equal(table.known('u'), undefined, 'evicted');
  reads[0]?.answer({ versioned: version(1), keep: 'cached' });
  t.strictSame(await loading, version(2));
  t.strictSame(table.cached('u'), version(2).record);
});

await t.test('a change older than what was read does not put the older record back', async (t) => {
  const { table, reads } = tableWithReads();
  const loading = table.load('u');
  await turn();
  reads[0]?.answer({ versioned: version(5), keep: 'cached' });
  await loading;
  table.apply('u', version(4));
  t.strictSame(table.cached('u'), version(5).record);
});

await t.test('of two records with one version, the one with a membership is newer', async (t) => {
  const { table } = tableWithReads();
  const placed: Versioned = {
    record: { ...ABSENT_RECORD, membership: { cohort: 'a', ordinal: undefined, by: 'rule' } },
    version: 0,
  };
  table.learn('u', placed);
  table.apply('u', { record: ABSENT_RECORD, version: 0 });
  t.strictSame(table.cached('u'), placed.record);
  table.apply('u', { record: ABSENT_RECORD, version: 1 });
  t.strictSame(table.cached('u'), ABSENT_RECORD);
});

await t.test('a read that began before everything was dropped is made again', async (t) => {
  const { table, reads } = tableWithReads();
  const loading = table.load('u');
  await turn();
  table.reset();
  reads[0]?.answer({ versioned: version(1), keep: 'cached' });
  await turn();
  t.equal(reads.length, 2);
  t.equal(table.cached('u'), undefined);
  reads[1]?.answer({ versioned: version(7), keep: 'cached' });
  t.strictSame(await loading, version(7));
});

await t.test(
  'what was read from the record is forgotten when the map answers again, the rest is kept',
  async (t) => {
    const { table, reads } = tableWithReads();
    const first = table.load('from the map');
    const second = table.load('from the record');
    const late = table.load('late');
    await turn();
    reads[0]?.answer({ versioned: version(1), keep: 'cached' });
    reads[1]?.answer({ versioned: version(1), keep: 'provisional' });
    await Promise.all([first, second]);
    t.ok(table.known('from the record'));
    table.forgetProvisional();
    t.equal(table.known('from the record'), undefined);
    t.ok(table.known('from the map'));
    reads[2]?.answer({ versioned: version(1), keep: 'provisional' });
    await turn();
    t.equal(reads.length, 4, 'a read of the record that was under way is made again');
    reads[3]?.answer({ versioned: version(2), keep: 'cached' });
    t.strictSame(await late, version(2));
  },
);

await t.test('an answer for once is not kept', async (t) => {
  const { table, reads } = tableWithReads();
  const loading = table.load('u');
  await turn();
  reads[0]?.answer({ versioned: version(1), keep: 'once' });
  t.strictSame(await loading, version(1));
  t.equal(table.known('u'), undefined);
});

await t.test('callers at the same time share one read, and one failure', async (t) => {
  const { table, reads } = tableWithReads();
  const loading = [table.load('u'), table.load('u'), table.load('u')];
  await turn();
  t.equal(reads.length, 1);
  reads[0]?.fail(new Error('no answer'));
  for (const result of await Promise.allSettled(loading)) {
    t.match(result, {
      status: 'rejected',
      reason: { code: 'state_unknown', cause: { message: 'no answer' } },
    });
  }
  const again = table.load('u');
  await turn();
  reads[1]?.answer({ versioned: version(1), keep: 'cached' });
  t.strictSame(await again, version(1), 'the next one reads again');
});

await t.test('one read more than the bound is refused at once', async (t) => {
  const { table, reads } = tableWithReads({ loadsMax: 2 });
  const loading = [table.load('a'), table.load('b')];
  await t.rejects(table.load('c'), { code: 'state_unknown' });
  await turn();
  for (const read of reads) read.answer({ versioned: version(1), keep: 'cached' });
  await Promise.all(loading);
});

await t.test('the cache stays within its bound and keeps what is used', async (t) => {
  const { table } = tableWithReads({ cacheMax: 100 });
  for (let n = 0; n < 1_000; n++) {
    table.learn(`u${n}`, version(n));
    table.cached('u0');
    t.ok(table.size <= 100, `${table.size} entries`);
  }
  t.ok(table.known('u0'), 'used throughout');
  t.ok(table.known('u999'));
  t.equal(table.known('u500'), undefined);
});
