import { mergeSpreads } from '../reports/cohort-spread.ts';
import type { CohortSpread, GroupDelta } from '../reports/report-store.ts';
import { mergeUsers } from '../reports/user-sketch.ts';
import { cohortSpread } from './cohort-spread-json.ts';
import { bytes, text } from './columns.ts';
import type { Sql } from './sql.ts';

/** As in `add-mismatch-groups.ts`. */
const ROWS_A_STATEMENT = 25;

/**
 * Adds the users and the cohorts of these groups to what is there. Sketches are merged here and not in the database,
 * which knows nothing of them; the groups' own rows, which the caller has changed, keep others out meanwhile.
 */
export async function mergeMismatchSpread(sql: Sql, groups: readonly GroupDelta[]): Promise<void> {
  const sorted = [...groups].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (let from = 0; from < sorted.length; from += ROWS_A_STATEMENT) {
    await merge(sql, sorted.slice(from, from + ROWS_A_STATEMENT));
  }
}

async function merge(sql: Sql, groups: readonly GroupDelta[]): Promise<void> {
  const known = await spreads(sql, groups);
  const merged = groups.map(({ id, users, cohorts }) => {
    const old = known.get(id);
    return {
      id,
      users: Buffer.from(old === undefined ? users : mergeUsers(old.users, users)).toString('hex'),
      cohorts: old === undefined ? cohorts : mergeSpreads(old.cohorts, cohorts),
    };
  });
  await sql.run(
    `INSERT INTO mismatch_spread (group_id, users, cohorts)
     SELECT p.id, decode(p.users, 'hex'), p.cohorts
     FROM jsonb_to_recordset($1::jsonb) AS p (id text, users text, cohorts jsonb)
     ORDER BY p.id
     ON CONFLICT (group_id) DO UPDATE SET users = excluded.users, cohorts = excluded.cohorts`,
    [JSON.stringify(merged)],
  );
}

async function spreads(
  sql: Sql,
  groups: readonly GroupDelta[],
): Promise<ReadonlyMap<string, { readonly users: Uint8Array; readonly cohorts: CohortSpread }>> {
  const rows = await sql.run(
    `SELECT group_id, users, cohorts FROM mismatch_spread
     WHERE group_id IN (SELECT jsonb_array_elements_text($1::jsonb))`,
    [JSON.stringify(groups.map(({ id }) => id))],
  );
  return new Map(
    rows.map((row) => [
      text(row, 'group_id'),
      { users: bytes(row, 'users'), cohorts: cohortSpread(row, 'cohorts') },
    ]),
  );
}
