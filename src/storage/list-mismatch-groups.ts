import type { GroupRow } from '../reports/report-store.ts';
import { GROUP_COLUMNS, GROUP_TABLES, mismatchGroupRow } from './mismatch-group-row.ts';
import type { Sql } from './sql.ts';

/**
 * All groups: no more than the bound on groups, which is some thousands. What is worth showing depends on statistics
 * that the database does not do, so they are put in order by who asked.
 */
export async function listMismatchGroups(
  sql: Sql,
  at: number,
  route: string | undefined,
  cohort: string | undefined,
): Promise<readonly GroupRow[]> {
  const rows = await sql.run(
    `SELECT ${GROUP_COLUMNS} FROM ${GROUP_TABLES}
     WHERE ($2::text IS NULL OR g.route = $2) AND ($3::text IS NULL OR jsonb_exists(s.cohorts, $3))`,
    [new Date(at).toISOString(), route ?? null, cohort ?? null],
  );
  return rows.map(mismatchGroupRow);
}

export async function readMismatchGroup(sql: Sql, at: number, id: string): Promise<GroupRow | undefined> {
  const [row] = await sql.run(`SELECT ${GROUP_COLUMNS} FROM ${GROUP_TABLES} WHERE g.id = $2`, [
    new Date(at).toISOString(),
    id,
  ]);
  return row === undefined ? undefined : mismatchGroupRow(row);
}
