import { integer } from './columns.ts';
import { readUser } from './read-user.ts';
import { MapReplacedError, type WriteUser } from './record-store.ts';
import type { Row, Sql, SqlStore } from './sql.ts';
import { userKey } from './user-row.ts';

/**
 * Takes the next version of the current map. The row stays locked until the transaction ends, so changes
 * commit in the order of their versions, and none commits for a map that was replaced.
 */
export async function nextVersion(sql: Sql, mapId: string, epochFrom: 'record' | 'map'): Promise<number> {
  const [row]: readonly Row[] = await sql.run(
    epochFrom === 'record'
      ? `UPDATE state_map SET version = greatest(version, epoch) + 1, epoch = greatest(version, epoch) + 1
         WHERE id = $1 AND retired_at IS NULL RETURNING version`
      : 'UPDATE state_map SET version = version + 1 WHERE id = $1 AND retired_at IS NULL RETURNING version',
    [mapId],
  );
  if (row === undefined) throw new MapReplacedError(mapId);
  return integer(row, 'version');
}

/** Replaces the user's record, whole, and adds the change to the audit. Returns its version. */
export function writeUser(store: SqlStore, write: WriteUser): Promise<number> {
  const { mapId, user, record, epochFrom, actor = 'system', reason = '' } = write;
  const { membership } = record;
  return store.transaction(async (sql) => {
    const version = await nextVersion(sql, mapId, epochFrom);
    const epoch = epochFrom === 'record' ? version : null;
    const before = await readUser(sql, user);
    const [row] = await sql.run(
      `INSERT INTO users (key, state, pin, cohort, ordinal, membership_by, new_id, version, epoch)
       SELECT $1, $2, $3, (SELECT number FROM cohorts WHERE name = $4 AND deleted_at IS NULL),
              $5::bigint, $6, $7, $8::bigint, $9::bigint
       WHERE $4::text IS NULL OR EXISTS (SELECT FROM cohorts WHERE name = $4 AND deleted_at IS NULL)
       ON CONFLICT (key) DO UPDATE SET
         state = excluded.state, pin = excluded.pin, cohort = excluded.cohort, ordinal = excluded.ordinal,
         membership_by = excluded.membership_by, new_id = excluded.new_id, version = excluded.version,
         epoch = excluded.epoch, changed_at = now()
       RETURNING version`,
      [
        userKey(user),
        record.state ?? null,
        record.pin ?? null,
        membership?.cohort ?? null,
        membership?.ordinal ?? null,
        membership?.by ?? null,
        record.newId ?? null,
        version,
        epoch,
      ],
    );
    if (row === undefined) throw new RangeError(`there is no cohort ${membership?.cohort}`);
    if (membership?.ordinal !== undefined) {
      await sql.run(
        'UPDATE cohorts SET next_ordinal = $2 WHERE name = $1 AND deleted_at IS NULL AND next_ordinal < $2',
        [membership.cohort, membership.ordinal + 1],
      );
    }
    await sql.run(
      `INSERT INTO changes (map, version, epoch, actor, reason, kind, subject, before, after)
       VALUES ($1, $2, $3, $4, $5, 'user', $6, $7::jsonb, $8::jsonb)`,
      [
        mapId,
        version,
        epoch,
        actor,
        reason,
        userKey(user),
        before === undefined ? null : JSON.stringify(before.record),
        JSON.stringify(record),
      ],
    );
    return version;
  });
}
