import { pino } from 'pino';
import t from 'tap';
import { createRecord } from '../../src/storage/create-record.ts';
import { guardContract } from './guard-contract.ts';

await t.test('the guard in the embedded record', async (t) => {
  const record = await createRecord({ kind: 'embedded', dir: t.testdir() }, pino({ level: 'silent' }));
  t.teardown(() => record.close());
  await guardContract(t, record);
});
