import type { NamedMark, UserMarks } from '../cutover/write-marks-store.ts';
import type { User } from '../model.ts';
import { flag, integerOrNone, textOrNone, utf8 } from './columns.ts';
import { keyList, keysOf } from './key-list.ts';
import type { Sql } from './sql.ts';

/**
 * Every mark of these users, and whether a change has claimed them. One statement, so that both are of one moment: a
 * change that carries marks along has written them before it gives its users back.
 */
export async function namedMarks(sql: Sql, users: readonly User[]): Promise<ReadonlyMap<User, UserMarks>> {
  const found = new Map<User, { marks: NamedMark[]; changing: boolean }>();
  if (users.length === 0) return found;
  const rows = await sql.run(
    `SELECT wanted.key, claimed.key IS NOT NULL AS changing, c.name, m.era, m.unplaced
     FROM ${keysOf('$1')} AS wanted
     LEFT JOIN change_users claimed ON claimed.key = wanted.key
     LEFT JOIN write_marks m ON m.key = wanted.key
     LEFT JOIN cohorts c ON c.number = m.cohort AND c.deleted_at IS NULL`,
    [keyList(users)],
  );
  for (const row of rows) {
    const user = utf8(row, 'key');
    const known = found.get(user) ?? { marks: [], changing: flag(row, 'changing') };
    found.set(user, known);
    const era = integerOrNone(row, 'era');
    if (era !== undefined)
      known.marks.push({ cohort: textOrNone(row, 'name'), era, unplaced: flag(row, 'unplaced') });
  }
  return found;
}
