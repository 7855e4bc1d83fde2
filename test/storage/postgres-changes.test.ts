import { pino } from 'pino';
import t from 'tap';
import { createRecord } from '../../src/storage/create-record.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { changeContract } from './change-contract.ts';
import { userChangeContract } from './user-change-contract.ts';

await t.test('changes on a Postgres server', async (t) => {
  const server = await startPostgres(t);
  const record = await createRecord(
    { kind: 'postgres', url: server.url, poolMax: 4, statementMs: 2_000 },
    pino({ level: 'silent' }),
  );
  t.teardown(() => record.close());
  await changeContract(t, record);
  await userChangeContract(t, record);
});
