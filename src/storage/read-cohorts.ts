import { parseCohort } from './cohort-json.ts';
import { flag, integer, text } from './columns.ts';
import type { StoredCohort } from './record-store.ts';
import type { Sql } from './sql.ts';

/** All cohorts in the order of their rules, deleted ones included. */
export async function readCohorts(sql: Sql): Promise<readonly StoredCohort[]> {
  const rows = await sql.run(
    'SELECT number, name, position, definition, deleted_at IS NOT NULL AS deleted FROM cohorts ORDER BY position, number',
  );
  return rows.map((row) => ({
    number: integer(row, 'number'),
    position: integer(row, 'position'),
    cohort: parseCohort(text(row, 'name'), row['definition']),
    deleted: flag(row, 'deleted'),
  }));
}
