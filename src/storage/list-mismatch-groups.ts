import type { GroupRow } from '../reports/report-store.ts';
import { givingWay } from './give-way.ts';
import { GROUP_COLUMNS, GROUP_TABLES, mismatchGroupRow } from './mismatch-group-row.ts';
import type { Sql, SqlStore } from './sql.ts';

/** Rows in one statement: the embedded record runs it in one turn of the event loop of the gateway. */
const ROWS_A_STATEMENT = 250;

/**
 * All groups: no more than the bound on groups, which is some thousands. What is worth showing depends on statistics
 * that the database does not do, so they are put in order by who asked.
 */
export async function listMismatchGroups(
  store: SqlStore,
  at: number,
  route: string | undefined,
  cohort: string | undefined,
): Promise<readonly GroupRow[]> {
  const sql = givingWay(store, store);
  const groups: GroupRow[] = [];
  for (;;) {
    const rows = await sql.run(
      `SELECT ${GROUP_COLUMNS} FROM ${GROUP_TABLES}
       WHERE ($2::text IS NULL OR g.route = $2) AND ($3::text IS NULL OR jsonb_exists(s.cohorts, $3)) AND g.id > $4
       ORDER BY g.id LIMIT ${ROWS_A_STATEMENT}`,
      [new Date(at).toISOString(), route ?? null, cohort ?? null, groups.at(-1)?.id ?? ''],
    );
    groups.push(...rows.map(mismatchGroupRow));
    if (rows.length < ROWS_A_STATEMENT) return groups;
  }
}

export async function readMismatchGroup(sql: Sql, at: number, id: string): Promise<GroupRow | undefined> {
  const [row] = await sql.run(`SELECT ${GROUP_COLUMNS} FROM ${GROUP_TABLES} WHERE g.id = $2`, [
    new Date(at).toISOString(),
    id,
  ]);
  return row === undefined ? undefined : mismatchGroupRow(row);
}
