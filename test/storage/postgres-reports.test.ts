import { pino } from 'pino';
import t from 'tap';
import { createRecord } from '../../src/storage/create-record.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { reportContract } from './report-contract.ts';

await t.test('reports on a Postgres server', async (t) => {
  const server = await startPostgres(t);
  const record = await createRecord(
    { kind: 'postgres', url: server.url, poolMax: 4, statementMs: 10_000 },
    pino({ level: 'silent' }),
  );
  t.teardown(() => record.close());
  await reportContract(t, record);
});
