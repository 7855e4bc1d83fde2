import type { CohortSwitch } from '../cutover/stores.ts';
import { parseCohort } from './cohort-json.ts';
import { flag, text } from './columns.ts';
import type { Sql } from './sql.ts';

/**
 * Writes the definitions of a change that goes into `switching`. A cohort that it makes comes last in the order, unless
 * the change says otherwise.
 *
 * @param more it replaces definitions of other cohorts too, or the order
 * @throws `Error` when its cohort is not there
 */
export async function switchCohorts(sql: Sql, id: string, kind: string, more: boolean): Promise<void> {
  if (kind === 'cohort-create') {
    await sql.run(
      `INSERT INTO cohorts (name, position, definition)
       SELECT h.cohort_name, (SELECT coalesce(max(position) + 1, 0) FROM cohorts), h.after
       FROM cohort_changes h WHERE h.id = $1`,
      [id],
    );
    await sql.run(
      `UPDATE cohort_changes h SET cohort = c.number FROM cohorts c
       WHERE h.id = $1 AND c.name = h.cohort_name AND c.deleted_at IS NULL`,
      [id],
    );
  } else {
    const written = await sql.run(
      `UPDATE cohorts c SET definition = coalesce(h.after, c.definition),
         deleted_at = CASE WHEN h.kind = 'cohort-delete' THEN now() END
       FROM cohort_changes h WHERE h.id = $1 AND c.number = h.cohort AND c.deleted_at IS NULL RETURNING 1`,
      [id],
    );
    if (written.length === 0) throw new Error(`the cohort of change ${id} was deleted`);
  }
  if (!more) return;
  await sql.run(
    `UPDATE cohorts c SET definition = (o.definition)::jsonb
     FROM cohort_changes h, jsonb_to_recordset(coalesce(h.others, '[]')) AS o (name text, definition text)
     WHERE h.id = $1 AND c.name = o.name AND c.deleted_at IS NULL`,
    [id],
  );
  await sql.run(
    `UPDATE cohorts c SET position = o.place - 1
     FROM cohort_changes h,
       jsonb_array_elements_text(coalesce(h.cohort_order, '[]')) WITH ORDINALITY AS o (name, place)
     WHERE h.id = $1 AND c.name = o.name AND c.deleted_at IS NULL`,
    [id],
  );
}

/** The definitions as the change left them; nobody else can have changed them since. */
export async function definitionsOf(sql: Sql, id: string): Promise<readonly CohortSwitch[]> {
  const rows = await sql.run(
    `SELECT DISTINCT ON (c.name) c.name, c.definition, c.deleted_at IS NOT NULL AS deleted
     FROM change_cohorts k JOIN cohorts c ON c.name = k.cohort
     WHERE k.change = $1 AND k.claim <> 'shared'
     ORDER BY c.name, c.deleted_at DESC NULLS FIRST, c.number DESC`,
    [id],
  );
  return rows.map((row) => ({
    cohort: parseCohort(text(row, 'name'), row['definition']),
    deleted: flag(row, 'deleted'),
  }));
}
