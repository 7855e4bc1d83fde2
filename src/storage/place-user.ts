import type { User } from '../model.ts';
import { readUser } from './read-user.ts';
import type { StoredUser } from './record-store.ts';
import type { SqlStore } from './sql.ts';
import { userKey } from './user-row.ts';
import { nextVersion } from './write-user.ts';

/**
 * Sets a membership by rule if the user has none, and returns what is in force. A placement is no change in
 * the audit: nobody ordered it, and ten million of them would bury those that somebody did. The user's row has
 * its epoch and time.
 */
export function placeUser(
  store: SqlStore,
  mapId: string,
  user: User,
  cohort: string,
): Promise<{ stored: StoredUser; epoch: number | undefined }> {
  return store.transaction(async (sql) => {
    const before = await readUser(sql, user);
    if (before?.record.membership !== undefined) return { stored: before, epoch: undefined };
    const epoch = await nextVersion(sql, mapId, 'record');
    const rows = await sql.run(
      `INSERT INTO users (key, cohort, membership_by, version, epoch)
       SELECT $1, number, 'rule', 0, $3::bigint FROM cohorts WHERE name = $2 AND deleted_at IS NULL
       ON CONFLICT (key) DO UPDATE SET
         cohort = excluded.cohort, ordinal = NULL, membership_by = 'rule', epoch = excluded.epoch, changed_at = now()
         WHERE users.cohort IS NULL
       RETURNING version`,
      [userKey(user), cohort, epoch],
    );
    const stored = await readUser(sql, user);
    if (stored === undefined) throw new RangeError(`there is no cohort ${cohort}`);
    return { stored, epoch: rows.length > 0 ? epoch : undefined };
  });
}
