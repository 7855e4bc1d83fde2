import { utf8 } from './columns.ts';
import { MapReplacedError, type NotPlaced, type Placement } from './record-store.ts';
import type { SqlStore } from './sql.ts';
import { storedUser, USER_COLUMNS, userKey } from './user-row.ts';

/**
 * Notes memberships that the state map has accepted. A user whose row was written since (a higher version) or
 * who has a membership keeps it, and is returned; so is one whose cohort is gone. All or none of the batch.
 *
 * One whose row a change of users has just written, and is about to put into the map, is not returned: that change sees
 * to it that both agree.
 */
export function placeUsers(
  store: SqlStore,
  mapId: string,
  placements: readonly Placement[],
): Promise<readonly NotPlaced[]> {
  const batch = placements.map(({ user, cohort, version, epoch }) => ({
    key: Buffer.from(userKey(user)).toString('hex'),
    cohort,
    version,
    epoch,
  }));
  return store.transaction(async (sql) => {
    // Locked before any other row, and none is written beside a replacement of the map. The epoch is what tells a map
    // that failed over and lost these placements from one that has them.
    const epoch = Math.max(0, ...batch.map((placement) => placement.epoch));
    const current = await sql.run(
      'UPDATE state_map SET epoch = greatest(epoch, $2) WHERE id = $1 AND retired_at IS NULL RETURNING 1',
      [mapId, epoch],
    );
    if (current.length === 0) throw new MapReplacedError(mapId);
    // Ordered by key, so that two batches with users in common cannot lock each other out.
    const taken = await sql.run(
      `INSERT INTO users (key, cohort, membership_by, version, epoch)
       SELECT decode(p.key, 'hex'), c.number, 'rule', p.version, p.epoch
       FROM jsonb_to_recordset($1::jsonb) AS p (key text, cohort text, version bigint, epoch bigint)
       JOIN cohorts c ON c.name = p.cohort AND c.deleted_at IS NULL
       ORDER BY 1
       ON CONFLICT (key) DO UPDATE SET
         cohort = excluded.cohort, ordinal = NULL, membership_by = 'rule', epoch = excluded.epoch, changed_at = now()
         WHERE users.cohort IS NULL AND users.version <= excluded.version
       RETURNING 1`,
      [JSON.stringify(batch)],
    );
    // Nearly always: nobody else has placed them.
    if (taken.length === batch.length) return [];
    const others = await sql.run(
      `SELECT decode(p.key, 'hex') AS placed, ${USER_COLUMNS}
       FROM jsonb_to_recordset($1::jsonb) AS p (key text, cohort text, version bigint)
       LEFT JOIN users u ON u.key = decode(p.key, 'hex')
       LEFT JOIN cohorts c ON c.number = u.cohort
       WHERE c.name IS DISTINCT FROM p.cohort AND (u.epoch IS NOT NULL OR u.version IS NULL OR u.version <= p.version)`,
      [JSON.stringify(batch)],
    );
    return others.map((row) => ({
      user: utf8(row, 'placed'),
      stored: row['key'] === null ? undefined : storedUser(row),
    }));
  });
}
