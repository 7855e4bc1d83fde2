/** How both shops keep their data: one SQLite file each, safe over a crash, used by one process at a time. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** A restarted shop may have to wait for the one before it to let go of the file. */
const LOCK_WAIT_MS = 3_000;

/**
 * Opens the file, creates the tables and calls `seed` if it is new; both or neither.
 * @throws Error when the file is in use by another process, or was written by another version.
 */
export function openShopDatabase(
  file: string,
  version: number,
  schema: string,
  seed: (database: DatabaseSync) => void,
): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file, { timeout: LOCK_WAIT_MS });
  try {
    // Exclusive, so that two demos on one directory cannot mix their shops up. A write is acknowledged only
    // when it is on the disk (synchronous = FULL).
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    inTransaction(database, () => {
      const found = integer(database.prepare('PRAGMA user_version').get(), 'user_version');
      if (found === version) return;
      if (found !== 0) throw new Error(`${file} was written by another version of the demo; delete it`);
      database.exec(schema);
      seed(database);
      database.exec(`PRAGMA user_version = ${version}`);
    });
    return database;
  } catch (cause) {
    database.close();
    throw new Error(`cannot open ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** Runs `work` as one transaction: committed when it returns, undone when it throws. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** @throws TypeError when the column is not a text. */
export function text(row: Row | undefined, column: string): string {
  const value = row?.[column];
  if (typeof value !== 'string') throw new TypeError(`column ${column} is not a text`);
  return value;
}

/** @throws TypeError when the column is not a number. */
export function integer(row: Row | undefined, column: string): number {
  const value = row?.[column];
  if (typeof value !== 'number') throw new TypeError(`column ${column} is not a number`);
  return value;
}
