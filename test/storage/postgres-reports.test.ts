import { Client } from 'pg';
import { pino } from 'pino';
import t from 'tap';
import { createRecord } from '../../src/storage/create-record.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { dayOfMismatches } from './day-of-mismatches.ts';
import { reportContract } from './report-contract.ts';

/** 5,000 groups with their users, samples of half a kilobyte, a day of counts; and as much again that is dead. */
const DAY_BYTES_MAX = 64 * 1024 * 1024;

async function bytesOf(url: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT pg_database_size(current_database())::int AS bytes');
    return rows[0]?.bytes ?? 0;
  } finally {
    await client.end();
  }
}

await t.test('reports on a Postgres server', async (t) => {
  const server = await startPostgres(t);
  const record = await createRecord(
    { kind: 'postgres', url: server.url, poolMax: 4, statementMs: 10_000 },
    pino({ level: 'silent' }),
  );
  t.teardown(() => record.close());
  await reportContract(t, record);
  await t.test(
    'a day in which everything differs differently leaves the record within its bounds',
    async (t) => {
      const before = await bytesOf(server.url);
      await dayOfMismatches(t, record);
      const grown = (await bytesOf(server.url)) - before;
      t.ok(grown < DAY_BYTES_MAX, `${grown} bytes`);
    },
  );
});
