import type { StoredMark } from '../cutover/write-marks-store.ts';
import type { User } from '../model.ts';
import { flag, integer, utf8 } from './columns.ts';
import { keyList, keysOf } from './key-list.ts';
import type { Sql } from './sql.ts';

/** Every mark of these users. */
export async function marksOf(sql: Sql, users: readonly User[]): Promise<readonly StoredMark[]> {
  if (users.length === 0) return [];
  const rows = await sql.run(
    `SELECT m.key, m.cohort, m.era, m.unplaced
     FROM ${keysOf('$1')} AS wanted JOIN write_marks m ON m.key = wanted.key`,
    [keyList(users)],
  );
  return rows.map((row) => ({
    user: utf8(row, 'key'),
    number: integer(row, 'cohort'),
    era: integer(row, 'era'),
    unplaced: flag(row, 'unplaced'),
  }));
}
