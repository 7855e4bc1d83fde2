import { pino } from 'pino';
import t from 'tap';
import { createRecord } from '../../src/storage/create-record.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { guardContract } from './guard-contract.ts';

await t.test('the guard on a Postgres server', async (t) => {
  const server = await startPostgres(t);
  const record = await createRecord(
    { kind: 'postgres', url: server.url, poolMax: 4, statementMs: 2_000 },
    pino({ level: 'silent' }),
  );
  t.teardown(() => record.close());
  await guardContract(t, record);
});
