import type { Mark } from '../cutover/write-marks-store.ts';
import type { Sql } from './sql.ts';
import { userKey } from './user-row.ts';

/**
 * Adds marks of users that wrote to `new`; one that is there stays. A cohort that was deleted meanwhile has no use
 * for marks that come so late: those of writes before its deletion were collected before it.
 */
export async function addMarks(sql: Sql, marks: readonly Mark[]): Promise<void> {
  if (marks.length === 0) return;
  const rows = marks.map(({ user, cohort, era, unplaced }) => ({
    key: Buffer.from(userKey(user)).toString('hex'),
    cohort: cohort ?? null,
    era,
    unplaced,
  }));
  // In the order of the primary key, so that two batches with users in common cannot lock each other out.
  // Grouped, because one statement must not meet a row twice.
  await sql.run(
    `INSERT INTO write_marks (key, cohort, era, unplaced)
     SELECT decode(m.key, 'hex'), coalesce(c.number, 0), m.era, bool_or(m.unplaced)
     FROM jsonb_to_recordset($1::jsonb) AS m (key text, cohort text, era bigint, unplaced boolean)
     LEFT JOIN cohorts c ON c.name = m.cohort AND c.deleted_at IS NULL
     WHERE m.cohort IS NULL OR c.number IS NOT NULL
     GROUP BY 1, 2, 3
     ORDER BY 1, 2, 3
     ON CONFLICT (key, cohort, era) DO UPDATE SET unplaced = true
       WHERE excluded.unplaced AND NOT write_marks.unplaced`,
    [JSON.stringify(rows)],
  );
}
