import { Client } from 'pg';
import { pino } from 'pino';
import t from 'tap';
import type { RecordModel } from '../../src/config/model.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { recordContract } from './record-contract.ts';

const log = pino({ level: 'silent' });

function model(url: string): RecordModel {
  return { kind: 'postgres', url, poolMax: 4, statementMs: 2000 };
}

await t.test('the record on a Postgres server', async (t) => {
  const server = await startPostgres(t, { disposable: true });
  // Two processes that start at the same time migrate once.
  const [record, other] = await Promise.all([
    createRecord(model(server.url), log),
    createRecord(model(server.url), log),
  ]);
  t.teardown(() => Promise.all([record.close(), other.close()]));
  await recordContract(t, record);

  await t.test('a lock keeps other processes out too', async (t) => {
    let inside = 0;
    let most = 0;
    await Promise.all(
      [record, other, record, other].map((store) =>
        store.exclusive('a lock', async () => {
          most = Math.max(most, ++inside);
          await store.readMap();
          inside--;
        }),
      ),
    );
    t.equal(most, 1);
  });

  await t.test('a schema from the future is refused, in words', async (t) => {
    const client = new Client({ connectionString: server.url });
    await client.connect();
    t.teardown(() => client.end());
    await client.query("INSERT INTO turnout_migrations VALUES (9999, 'later')");
    await t.rejects(createRecord(model(server.url), log), { message: /has schema 9999/ });
    await client.query('DELETE FROM turnout_migrations WHERE number = 9999');
  });

  await t.test('a database that does not exist is refused, in words', async (t) => {
    const url = new URL(server.url);
    url.pathname = '/nowhere';
    await t.rejects(createRecord(model(url.href), log), {
      message: /nowhere.*cannot be used.*does not exist/,
    });
  });

  await t.test(
    'a server that goes away fails operations and nothing else, and is used again when it is back',
    async (t) => {
      await record.readUser('u1');
      await server.kill();
      await t.rejects(record.readUser('u1'));
      const early = await createRecord(model(server.url), log);
      t.teardown(() => early.close());
      await t.rejects(early.readUser('u1'));
      await server.start();
      t.ok(await record.readUser('u1'));
      t.ok(await early.readUser('u1'));
    },
  );
});
