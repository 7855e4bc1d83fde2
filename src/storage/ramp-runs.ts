/** The runs of ramp plans: begun, changed by compare-and-set, listed. */
import type { GuardAuthor } from '../guard/guard-control.ts';
import type { NewRamp, RampPatch, RampRow } from '../guard/guard-store.ts';
import { noteGuardAction } from './clear-guard-trips.ts';
import { guardJson } from './guard-json.ts';
import { RAMP_COLUMNS, rampRow } from './ramp-run-row.ts';
import type { Sql, SqlStore } from './sql.ts';

const TOLD = `INSERT INTO guard_notices (event, cohort, ramp, ramp_status, ramp_step, ramp_note)
  SELECT 'ramp', r.cohort, r.id, r.status, r.step, r.note FROM r`;

/** @returns `undefined` when one of the cohort is under way, or an uncleared rollback holds it */
export async function addRampRun(
  store: SqlStore,
  ramp: NewRamp,
  author: GuardAuthor,
  tell: boolean,
): Promise<RampRow | undefined> {
  const { id, cohort, plan, stage, from, step } = ramp;
  return store.transaction(async (sql) => {
    const [row] = await sql.run(
      `WITH r AS (
         INSERT INTO ramp_runs AS r (id, cohort, plan, stage, from_ramp, status, step, step_at, actor, reason)
         SELECT $1, $2, $3::jsonb, $4, $5::jsonb, 'baking', $6, CASE WHEN $6 >= 0 THEN now() END, $7, $8
         WHERE NOT EXISTS (SELECT 1 FROM guard_trips WHERE cohort = $2 AND action = 'rollback' AND cleared_at IS NULL)
         ON CONFLICT DO NOTHING RETURNING r.*),
       told AS (${TOLD} WHERE $9)
       SELECT ${RAMP_COLUMNS} FROM r`,
      [id, cohort, guardJson(plan), stage, guardJson(from), step, author.actor, author.reason, tell],
    );
    if (row === undefined) return undefined;
    await noteGuardAction(sql, 'ramp-start', `${cohort}: ramp ${id}`, author);
    return rampRow(row);
  });
}

/**
 * Changes a run that is at `version`, and raises it. @returns `undefined` when it is at another one, or is over
 */
export async function changeRampRun(
  store: SqlStore,
  id: string,
  version: number,
  patch: RampPatch,
  tell: boolean,
  by?: GuardAuthor,
): Promise<RampRow | undefined> {
  const values = [
    id,
    version,
    patch.status ?? null,
    patch.step ?? null,
    patch.stage ?? null,
    patch.from === undefined ? null : guardJson(patch.from),
    patch.begins === true,
    patch.resumed === true,
    patch.bakedMs === undefined ? null : Math.round(patch.bakedMs),
    patch.compared ?? null,
    patch.mismatched ?? null,
    patch.countedTo ?? null,
    patch.attempt ?? null,
    patch.approved ?? null,
    patch.note ?? null,
    tell,
  ];
  const change = async (sql: Sql): Promise<RampRow | undefined> => {
    const [row] = await sql.run(
      `WITH r AS (
         UPDATE ramp_runs r SET
           status = coalesce($3, r.status), step = coalesce($4::integer, r.step), stage = coalesce($5, r.stage),
           from_ramp = coalesce($6::jsonb, r.from_ramp),
           step_at = CASE WHEN $7 THEN now() ELSE r.step_at END,
           goes_since = CASE WHEN $8 THEN now() ELSE r.goes_since END,
           baked_ms = coalesce($9::bigint, CASE WHEN $7 THEN 0 ELSE r.baked_ms END),
           compared = coalesce($10::bigint, CASE WHEN $7 THEN 0 ELSE r.compared END),
           mismatched = coalesce($11::bigint, CASE WHEN $7 THEN 0 ELSE r.mismatched END),
           counted_to = coalesce($12::bigint, CASE WHEN $7 THEN NULL ELSE r.counted_to END),
           attempt = coalesce($13::integer, r.attempt), approved = coalesce($14::boolean, r.approved), note = $15,
           ended_at = CASE WHEN $3 IN ('done', 'aborted') THEN now() END, version = r.version + 1
         WHERE r.id = $1 AND r.version = $2 AND r.ended_at IS NULL RETURNING r.*),
       told AS (${TOLD} WHERE $16)
       SELECT ${RAMP_COLUMNS} FROM r`,
      values,
    );
    return row === undefined ? undefined : rampRow(row);
  };
  if (by === undefined) return change(store);
  return store.transaction(async (sql) => {
    const changed = await change(sql);
    if (changed !== undefined) {
      const what = patch.approved === true ? 'approved' : patch.resumed === true ? 'resumed' : changed.status;
      await noteGuardAction(sql, `ramp-${what}`, `${changed.cohort}: ramp ${id}`, by);
    }
    return changed;
  });
}

/** Not over. */
export async function openRampRuns(sql: Sql): Promise<readonly RampRow[]> {
  const rows = await sql.run(
    `SELECT ${RAMP_COLUMNS} FROM ramp_runs r WHERE r.ended_at IS NULL ORDER BY r.sequence`,
  );
  return rows.map(rampRow);
}

/** Newest first. @param limit 1 to 500 @throws RangeError for another one */
export async function listRampRuns(sql: Sql, cohort: string, limit: number): Promise<readonly RampRow[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > 500) throw new RangeError('a page has 1 to 500 runs');
  const rows = await sql.run(
    `SELECT ${RAMP_COLUMNS} FROM ramp_runs r WHERE r.cohort = $1 ORDER BY r.sequence DESC LIMIT $2`,
    [cohort, limit],
  );
  return rows.map(rampRow);
}
