/** The record of what gateways counted, on Postgres and embedded. */
import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { RecordedPeriod } from '../../src/guard/recorded-slots.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { startPostgres } from '../fixtures/postgres.ts';

const log = pino({ level: 'silent' });
const BEGIN = 1_800_000_000;

function period(at: number, weight: number, cohort = 'free'): RecordedPeriod {
  return { cohort, from: BEGIN + at, weight, packed: new Uint8Array([weight % 256, at % 256, 0, 255]) };
}

async function slotsContract(t: Test, { slots }: RecordStore): Promise<void> {
  const read = async (from: number, to: number, limit = 100) =>
    (await slots.readSlots('free', BEGIN + from, BEGIN + to, limit)).map((found) => ({
      ...found,
      packed: new Uint8Array(found.packed),
    }));

  await t.test('what is saved is read, in order and as it was', async (t) => {
    await slots.saveSlots([period(300, 7), period(0, 5), period(0, 9, 'staff')]);
    t.same(await read(0, 600), [period(0, 5), period(300, 7)]);
    t.same(await read(1, 301), [period(300, 7)]);
    t.same(await read(0, 300), [period(0, 5)]);
    t.same(await read(0, 600, 1), [period(0, 5)]);
    t.same(await slots.readSlots('nobody', BEGIN, BEGIN + 600, 100), []);
  });

  await t.test(
    'of several writers of one period the one that saw most stays, and nothing doubles',
    async (t) => {
      await Promise.all([1, 40, 12, 40, 3].map((weight) => slots.saveSlots([period(600, weight)])));
      await slots.saveSlots([period(600, 39)]);
      t.same(await read(600, 900), [period(600, 40)]);
    },
  );

  await t.test('what is too old is thrown away', async (t) => {
    await slots.pruneSlots(BEGIN + 300);
    t.same(
      (await read(0, 1_000)).map(({ from }) => from - BEGIN),
      [300, 600],
    );
  });
}

await t.test('on a Postgres server', async (t) => {
  const { url } = await startPostgres(t);
  const record = await createRecord({ kind: 'postgres', url, poolMax: 4, statementMs: 10_000 }, log);
  t.teardown(() => record.close());
  await slotsContract(t, record);
});

await t.test('in the embedded record', async (t) => {
  const record = await createRecord({ kind: 'embedded', dir: t.testdir() }, log);
  t.teardown(() => record.close());
  await slotsContract(t, record);
});
