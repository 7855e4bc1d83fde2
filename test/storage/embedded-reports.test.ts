import { pino } from 'pino';
import t from 'tap';
import { createRecord } from '../../src/storage/create-record.ts';
import { dayOfMismatches } from './day-of-mismatches.ts';
import { reportContract } from './report-contract.ts';

await t.test('reports in the embedded record', async (t) => {
  const record = await createRecord({ kind: 'embedded', dir: t.testdir() }, pino({ level: 'silent' }));
  t.teardown(() => record.close());
  await reportContract(t, record);
  await t.test(
    'a day in which everything differs differently leaves the record within its bounds',
    async (t) => {
      await dayOfMismatches(t, record);
    },
  );
});
