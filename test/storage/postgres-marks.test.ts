import { pino } from 'pino';
import t from 'tap';
import { createRecord } from '../../src/storage/create-record.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { markContract } from './mark-contract.ts';

await t.test('marks on a Postgres server', async (t) => {
  const { url } = await startPostgres(t);
  const record = await createRecord(
    { kind: 'postgres', url, poolMax: 4, statementMs: 5_000 },
    pino({ level: 'silent' }),
  );
  t.teardown(() => record.close());
  await markContract(t, record);
});
