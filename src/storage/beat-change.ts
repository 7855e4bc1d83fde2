import { ChangeLostError, type ChangePatch } from '../cutover/stores.ts';
import { patchColumns, patchValues } from './change-row.ts';
import { AFTER_MAP, hasEpoch, MAP, raised } from './raise-epoch.ts';
import type { Sql } from './sql.ts';

/** With an epoch in the patch the map's row is locked first, and raised (raise-epoch.ts). */
function statement(withEpoch: boolean): string {
  const moved = `UPDATE cohort_changes h SET heartbeat = h.heartbeat + 1, ${patchColumns(3)}
    ${withEpoch ? `FROM ${AFTER_MAP}` : ''}
    WHERE h.id = $1 AND h.token = $2 AND h.ended_at IS NULL RETURNING h.id`;
  return withEpoch ? `WITH ${MAP}, moved AS (${moved}), ${raised(3)} SELECT id FROM moved` : moved;
}

/**
 * Raises the heartbeat of a change that is not over, and notes what is given of `patch`. One statement.
 * @throws ChangeLostError when `token` is not current, or the change is over
 */
export async function beatChange(
  sql: Sql,
  id: string,
  token: number,
  patch: ChangePatch = {},
): Promise<void> {
  const rows = await sql.run(statement(hasEpoch(patch)), [id, token, ...patchValues(patch)]);
  if (rows.length === 0) throw new ChangeLostError(id);
}
