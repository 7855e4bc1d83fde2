import type { ChangePatch } from '../cutover/stores.ts';
import type { Sql } from './sql.ts';

/**
 * Notes the latest epoch of a patch as one that is in force, so that a map rebuilt from this record goes on
 * above it. First in its transaction: the map's row is locked before any other, everywhere.
 */
export async function raiseEpoch(sql: Sql, patch: ChangePatch): Promise<void> {
  const epoch = Math.max(patch.holdEpoch ?? 0, patch.switchEpoch ?? 0, patch.releaseEpoch ?? 0);
  if (epoch === 0) return;
  await sql.run('UPDATE state_map SET epoch = $1 WHERE retired_at IS NULL AND epoch < $1', [epoch]);
}
