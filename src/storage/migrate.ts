import { integer } from './columns.ts';
import { MIGRATIONS } from './migrations/all.ts';
import type { Sql, SqlStore } from './sql.ts';

/** The statements of one migration; PGlite and pg run one parameterised statement at a time. */
function statements(sql: string): string[] {
  return sql
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

async function appliedNumber(sql: Sql): Promise<number> {
  const [table] = await sql.run(
    "SELECT count(*) AS found FROM pg_class WHERE relname = 'turnout_migrations' AND relnamespace = current_schema()::regnamespace",
  );
  if (table === undefined || integer(table, 'found') === 0) return 0;
  const [row] = await sql.run('SELECT coalesce(max(number), 0) AS number FROM turnout_migrations');
  return row === undefined ? 0 : integer(row, 'number');
}

/**
 * Brings the database to this version's schema. Processes that start together wait for one another; the
 * usual case, nothing to do, takes no lock.
 * @throws when the schema is newer than this program.
 */
export async function migrate(store: SqlStore): Promise<void> {
  const newest = MIGRATIONS.at(-1)?.number ?? 0;
  const found = await appliedNumber(store);
  if (found > newest) {
    throw new Error(
      `${store.where} has schema ${found}, this version of Turnout knows ${newest}. Run the newer version`,
    );
  }
  if (found === newest) return;
  await store.exclusive('turnout migrations', async (sql) => {
    await sql.run(
      'CREATE TABLE IF NOT EXISTS turnout_migrations (number integer PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL DEFAULT now())',
    );
    const applied = await appliedNumber(sql);
    for (const migration of MIGRATIONS.filter(({ number }) => number > applied)) {
      await sql.transaction(async (step) => {
        for (const statement of statements(migration.sql)) await step.run(statement);
        await step.run('INSERT INTO turnout_migrations (number, name) VALUES ($1, $2)', [
          migration.number,
          migration.name,
        ]);
      });
    }
  });
}
