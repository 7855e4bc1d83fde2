import { marksFor } from '../cutover/mark-places.ts';
import type { Mark, MarkedCohort } from '../cutover/write-marks-store.ts';
import { ABSENT_RECORD } from '../model.ts';
import { addMarks } from './add-marks.ts';
import { flag, integer, utf8 } from './columns.ts';
import { readCohorts } from './read-cohorts.ts';
import type { Row, SqlStore } from './sql.ts';
import { storedUser, USER_COLUMNS } from './user-row.ts';

/** What is over: every era of the cohort below this one. */
interface Over {
  readonly number: number;
  readonly below: number;
}

function overOf({ number, cohort, deleted }: MarkedCohort): readonly Over[] {
  if (cohort.era === undefined) return [];
  return [{ number, below: cohort.era.number + (deleted ? 1 : 0) }];
}

/**
 * The marks that take the place of one that is over. A user who had no membership may have been led to another cohort
 * since, and have stayed in `new` there.
 */
function instead(row: Row, cohorts: readonly MarkedCohort[]): readonly Mark[] {
  if (!flag(row, 'unplaced')) return [];
  const record = row['key'] === null ? ABSENT_RECORD : storedUser(row).record;
  if (record.pin !== undefined || record.membership?.by === 'explicit') return [];
  const others = cohorts.filter(({ number }) => number !== integer(row, 'mark_cohort'));
  return marksFor(utf8(row, 'marked'), record, others);
}

/**
 * Removes up to `limit` marks of eras that are over, and of cohorts that are deleted.
 * @returns how many were removed
 */
export function pruneMarks(store: SqlStore, limit: number): Promise<number> {
  return store.transaction(async (sql) => {
    const cohorts = await readCohorts(sql);
    const over = cohorts.flatMap(overOf);
    if (over.length === 0) return 0;
    const rows = await sql.run(
      `SELECT m.key AS marked, m.cohort AS mark_cohort, m.era AS mark_era, m.unplaced,
         encode(m.key, 'hex') AS hex, ${USER_COLUMNS}
       FROM jsonb_to_recordset($1::jsonb) AS s (number integer, below bigint)
       JOIN write_marks m ON m.cohort = s.number AND m.era < s.below
       LEFT JOIN users u ON u.key = m.key LEFT JOIN cohorts c ON c.number = u.cohort
       LIMIT $2 FOR UPDATE OF m SKIP LOCKED`,
      [JSON.stringify(over), limit],
    );
    if (rows.length === 0) return 0;
    const added = rows.flatMap((row) => instead(row, cohorts));
    await addMarks(sql, added);
    const removed = rows.map((row) => ({
      key: row['hex'],
      cohort: integer(row, 'mark_cohort'),
      era: integer(row, 'mark_era'),
      unplaced: flag(row, 'unplaced'),
    }));
    await sql.run(
      `DELETE FROM write_marks m USING jsonb_to_recordset($1::jsonb)
         AS r (key text, cohort integer, era bigint, unplaced boolean)
       WHERE m.key = decode(r.key, 'hex') AND m.cohort = r.cohort AND m.era = r.era AND m.unplaced = r.unplaced`,
      [JSON.stringify(removed)],
    );
    return rows.length;
  });
}
