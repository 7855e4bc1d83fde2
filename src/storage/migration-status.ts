/** Which migrations a record has, and running those that it does not have, apart from the start of a gateway. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordModel } from '../config/model.ts';
import { integer } from './columns.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations/all.ts';
import { openPostgres } from './postgres-sql.ts';
import type { Sql, SqlStore } from './sql.ts';

export interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  /** `undefined` for one that this version does not know the time of. */
  readonly at: Date | undefined;
}

export interface MigrationStatus {
  /** For people, without a password. */
  readonly where: string;
  /** Of the database server; `undefined` for a record that was never opened. */
  readonly server: string | undefined;
  readonly applied: readonly AppliedMigration[];
  readonly pending: readonly { readonly number: number; readonly name: string }[];
  /** Applied by a newer version of Turnout: this one cannot use the record. */
  readonly unknown: readonly number[];
}

const ALL = MIGRATIONS.map(({ number, name }) => ({ number, name }));

async function appliedOf(sql: Sql): Promise<AppliedMigration[]> {
  const [table] = await sql.run(
    "SELECT count(*) AS found FROM pg_class WHERE relname = 'turnout_migrations' AND relnamespace = current_schema()::regnamespace",
  );
  if (table === undefined || integer(table, 'found') === 0) return [];
  const rows = await sql.run('SELECT number, name, at FROM turnout_migrations ORDER BY number');
  return rows.map((row) => ({
    number: integer(row, 'number'),
    name: String(row['name']),
    at: row['at'] instanceof Date ? row['at'] : undefined,
  }));
}

async function serverOf(sql: Sql): Promise<string | undefined> {
  const [row] = await sql.run('SHOW server_version');
  return row === undefined ? undefined : String(row['server_version']);
}

async function statusOf(store: SqlStore): Promise<MigrationStatus> {
  const applied = await appliedOf(store);
  const have = new Set(applied.map(({ number }) => number));
  const newest = ALL.at(-1)?.number ?? 0;
  return {
    where: store.where,
    server: await serverOf(store),
    applied,
    pending: ALL.filter(({ number }) => !have.has(number)),
    unknown: applied.flatMap(({ number }) => (number > newest ? [number] : [])),
  };
}

async function open(record: RecordModel, boundMs: number): Promise<SqlStore> {
  if (record.kind === 'embedded') return (await import('./pglite-sql.ts')).openPglite(record.dir);
  // What breaks is told by the statement that was under way.
  return openPostgres({ ...record, statementMs: boundMs, poolMax: 1, onConnectionError: () => undefined });
}

/**
 * Reads only; an embedded record that does not exist yet is not created.
 *
 * @param boundMs on connecting and on each statement
 * @throws Error in words for an operator: another process has the data directory, the server does not answer
 */
export async function readMigrations(record: RecordModel, boundMs: number): Promise<MigrationStatus> {
  if (record.kind === 'embedded' && !existsSync(join(record.dir, 'pglite'))) {
    const where = `the embedded record in ${record.dir}, which does not exist yet`;
    return { where, server: undefined, applied: [], pending: ALL, unknown: [] };
  }
  const store = await open(record, boundMs);
  try {
    return await statusOf(store);
  } finally {
    await store.close();
  }
}

/**
 * Brings the record to the schema of this version, under the lock that starting gateways take.
 *
 * @returns what it was before
 * @throws as `readMigrations`; when the schema is newer than this version
 */
export async function runMigrations(record: RecordModel, boundMs: number): Promise<MigrationStatus> {
  const store = await open(record, boundMs);
  try {
    const before = await statusOf(store);
    await migrate(store);
    return before;
  } finally {
    await store.close();
  }
}
