import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readMigrations, runMigrations } from '../../src/storage/migration-status.ts';
import { MIGRATIONS } from '../../src/storage/migrations/all.ts';
import { openPglite } from '../../src/storage/pglite-sql.ts';
import { openPostgres } from '../../src/storage/postgres-sql.ts';
import { startPostgres } from '../fixtures/postgres.ts';

const ANSWER_MS = 5_000;
const NUMBERS = MIGRATIONS.map(({ number }) => ({ number }));

void t.test('a Postgres says what it has and what is pending, and is brought to it', async (t) => {
  const { url } = await startPostgres(t);
  const record = { kind: 'postgres', url, poolMax: 4, statementMs: 1_000 } as const;
  const before = await readMigrations(record, ANSWER_MS);
  t.match(before, { where: /^Postgres at/u, server: /^\d+/u, applied: [], pending: NUMBERS, unknown: [] });
  t.match(await runMigrations(record, ANSWER_MS), { pending: NUMBERS }, 'what it was before');
  const after = await readMigrations(record, ANSWER_MS);
  t.match(after, { applied: NUMBERS, pending: [], unknown: [] });
  t.ok(after.applied.every(({ at }) => at instanceof Date));
  t.match(await runMigrations(record, ANSWER_MS), { pending: [] }, 'once more changes nothing');

  const store = openPostgres({ ...record, onConnectionError: () => undefined });
  t.teardown(() => store.close());
  await store.run("INSERT INTO turnout_migrations (number, name) VALUES (9999, 'tomorrow')");
  t.match(await readMigrations(record, ANSWER_MS), { unknown: [9_999] });
  await t.rejects(runMigrations(record, ANSWER_MS), /has schema 9999/u);
});

void t.test('a Postgres that is not there is an error', async (t) => {
  const url = 'postgres://nobody@127.0.0.1:1/none';
  const record = { kind: 'postgres', url, poolMax: 4, statementMs: 1_000 } as const;
  await t.rejects(readMigrations(record, ANSWER_MS), /ECONNREFUSED/u);
});

void t.test('an embedded record is not created by looking, and not opened while it is in use', async (t) => {
  const dir = join(t.testdir({}), 'data');
  const record = { kind: 'embedded', dir } as const;
  t.match(await readMigrations(record, ANSWER_MS), { server: undefined, applied: [], pending: NUMBERS });
  t.notOk(existsSync(dir));
  await runMigrations(record, ANSWER_MS);
  t.match(await readMigrations(record, ANSWER_MS), { server: /^\d+/u, applied: NUMBERS, pending: [] });
  const store = await openPglite(dir);
  t.teardown(() => store.close());
  await t.rejects(readMigrations(record, ANSWER_MS), /in use by process/u);
});
