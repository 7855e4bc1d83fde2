import { PINNED_SCOPE } from '../cutover/write-marks-store.ts';
import type { User } from '../model.ts';
import { keyList, keysOf } from './key-list.ts';
import type { Sql } from './sql.ts';

/** The marks that these users got while they were pinned: the pin is gone. */
export async function dropPinMarks(sql: Sql, users: readonly User[]): Promise<void> {
  if (users.length === 0) return;
  await sql.run(
    `DELETE FROM write_marks WHERE cohort = $2 AND era = $3::bigint
       AND key IN (SELECT wanted.key FROM ${keysOf('$1')} AS wanted)`,
    [keyList(users), PINNED_SCOPE.number, PINNED_SCOPE.era],
  );
}
