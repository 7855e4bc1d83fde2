import { pino } from 'pino';
import t from 'tap';
import { createRecord } from '../../src/storage/create-record.ts';
import { changeContract } from './change-contract.ts';
import { userChangeContract } from './user-change-contract.ts';

await t.test('changes in the embedded record', async (t) => {
  const record = await createRecord({ kind: 'embedded', dir: t.testdir() }, pino({ level: 'silent' }));
  t.teardown(() => record.close());
  await changeContract(t, record);
  await userChangeContract(t, record);
});
