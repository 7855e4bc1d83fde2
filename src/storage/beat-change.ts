import { ChangeLostError, type ChangePatch } from '../cutover/stores.ts';
import { patchColumns } from './change-row.ts';
import { raiseEpoch } from './raise-epoch.ts';
import type { SqlStore } from './sql.ts';

/**
 * Raises the heartbeat of a change that is not over, and notes what is given of `patch`.
 * @throws ChangeLostError when `token` is not current, or the change is over
 */
export async function beatChange(
  store: SqlStore,
  id: string,
  token: number,
  patch: ChangePatch = {},
): Promise<void> {
  const rows = await store.transaction(async (sql) => {
    await raiseEpoch(sql, patch);
    return sql.run(
      `UPDATE cohort_changes h SET heartbeat = h.heartbeat + 1, ${patchColumns(3)}
       WHERE h.id = $1 AND h.token = $2 AND h.ended_at IS NULL RETURNING h.id`,
      [
        id,
        token,
        patch.holdEpoch ?? null,
        patch.switchEpoch ?? null,
        patch.releaseEpoch ?? null,
        patch.note ?? null,
      ],
    );
  });
  if (rows.length === 0) throw new ChangeLostError(id);
}
