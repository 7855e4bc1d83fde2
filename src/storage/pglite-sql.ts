/**
 * The record embedded in this process: PGlite on a data directory. The directory is locked, because PGlite
 * does not lock it and two processes on one directory destroy it.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite, type Transaction } from '@electric-sql/pglite';
import { lockDirectory } from './directory-lock.ts';
import type { LongSql, Row, Sql, SqlStore } from './sql.ts';

function onTransaction(transaction: Transaction): Sql {
  return {
    async run(text, values = []): Promise<readonly Row[]> {
      return (await transaction.query<Row>(text, [...values])).rows;
    },
  };
}

/**
 * Opens the database in `dir`, creating both when absent. The first start takes some seconds: it prepares the
 * database; later ones take less than one.
 * @throws when another process holds the directory.
 */
export async function openPglite(dir: string): Promise<SqlStore> {
  await mkdir(dir, { recursive: true });
  const lock = await lockDirectory(dir);
  let db: PGlite;
  try {
    db = await PGlite.create({ dataDir: join(dir, 'pglite') });
  } catch (cause) {
    await lock.release();
    throw new Error(`the embedded record in ${dir} cannot be opened`, { cause });
  }
  // The only user of this database is this process, so a lock is a queue.
  let locks: Promise<unknown> = Promise.resolve();

  const sql: LongSql = {
    async run(text, values = []) {
      return (await db.query<Row>(text, [...values])).rows;
    },
    transaction: (work) => db.transaction((transaction) => work(onTransaction(transaction))),
  };
  return {
    kind: 'embedded',
    where: `the embedded record in ${dir}`,
    ...sql,
    exclusive(_lock, work) {
      const turn = locks.then(() => work(sql));
      locks = turn.catch(() => undefined);
      return turn;
    },
    async close() {
      try {
        await db.close();
      } finally {
        await lock.release();
      }
    },
  };
}
