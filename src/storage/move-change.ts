import type { Change, Phase } from '../cutover/change.ts';
import { ChangeLostError, type ChangePatch } from '../cutover/stores.ts';
import { patchColumns } from './change-row.ts';
import { integer } from './columns.ts';
import { raiseEpoch } from './raise-epoch.ts';
import { readChange } from './read-change.ts';
import type { SqlStore } from './sql.ts';

/** Which phases may follow which. */
const NEXT: Readonly<Record<Phase, readonly Phase[]>> = {
  pending: ['holding', 'switching', 'undoing', 'undone'],
  holding: ['switching', 'undoing'],
  switching: ['releasing', 'done'],
  releasing: ['done'],
  done: [],
  undoing: ['undone'],
  undone: [],
};

/**
 * Moves a change from one phase to the next, if it is in the one and `token` is current. Into `switching` the
 * cohort's new definition is written by the same transaction. Not repeatable: whoever does not know whether a
 * call took effect reads the change.
 * @throws ChangeLostError; RangeError for phases that do not follow each other
 */
export async function moveChange(
  store: SqlStore,
  id: string,
  token: number,
  from: Phase,
  to: Phase,
  patch: ChangePatch = {},
): Promise<Change> {
  if (!NEXT[from].includes(to)) throw new RangeError(`a change does not go from ${from} to ${to}`);
  // What is decided inside is thrown outside: an error inside costs the connection.
  const moved = await store.transaction(async (sql) => {
    await raiseEpoch(sql, patch);
    const [row] = await sql.run(
      `UPDATE cohort_changes h SET phase = $4, heartbeat = h.heartbeat + 1, ${patchColumns(5)},
         ended_at = CASE WHEN $4 IN ('done', 'undone') THEN now() END
       WHERE h.id = $1 AND h.token = $2 AND h.phase = $3
       RETURNING h.cohort`,
      [
        id,
        token,
        from,
        to,
        patch.holdEpoch ?? null,
        patch.switchEpoch ?? null,
        patch.releaseEpoch ?? null,
        patch.note ?? null,
      ],
    );
    if (row === undefined) return undefined;
    if (to === 'switching') {
      const written = await sql.run(
        `UPDATE cohorts c SET definition = h.after FROM cohort_changes h
         WHERE h.id = $1 AND c.number = $2 AND c.deleted_at IS NULL RETURNING c.number`,
        [id, integer(row, 'cohort')],
      );
      if (written.length === 0) throw new Error(`the cohort of change ${id} was deleted`);
    }
    return readChange(sql, id);
  });
  if (moved === undefined) throw new ChangeLostError(id);
  return moved;
}
