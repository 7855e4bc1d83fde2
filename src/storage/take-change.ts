import type { Change } from '../cutover/change.ts';
import { CHANGE_COLUMNS, changeRow } from './change-row.ts';
import type { Sql } from './sql.ts';

/**
 * Makes the caller the change's controller, with the next token, if its heartbeat is still the one that the
 * caller saw. `undefined` when it has moved, or when the change is over: of two that try, one succeeds.
 */
export async function takeChange(sql: Sql, id: string, heartbeat: number): Promise<Change | undefined> {
  const [row] = await sql.run(
    `UPDATE cohort_changes h SET token = h.token + 1, heartbeat = h.heartbeat + 1
     WHERE h.id = $1 AND h.heartbeat = $2 AND h.ended_at IS NULL RETURNING ${CHANGE_COLUMNS}`,
    [id, heartbeat],
  );
  return row === undefined ? undefined : changeRow(row);
}
