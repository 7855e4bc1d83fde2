import { randomUUID } from 'node:crypto';
import { mapRow, readMap } from './read-map.ts';
import type { MapRow } from './record-store.ts';
import type { Sql, SqlStore } from './sql.ts';

/** Each map but the first begins at a multiple of this. */
const MAP_EPOCHS = 1_000_000;

/**
 * The epoch at which a new map begins. Above every one that the old one has given out, also those that neither
 * the record nor whoever replaces it has seen: a gateway that says that it has applied one of those must not
 * seem to have applied a change of the new map.
 */
function firstEpoch(seen: number): number {
  return seen === 0 ? 1 : (Math.floor(seen / MAP_EPOCHS) + 1) * MAP_EPOCHS;
}

async function insertMap(sql: Sql, version: number, epoch: number): Promise<MapRow> {
  const [row] = await sql.run(
    'INSERT INTO state_map (id, version, epoch) VALUES ($1, $2, $3) RETURNING id, version, epoch',
    [randomUUID(), version, epoch],
  );
  if (row === undefined) throw new Error('the new state map was not recorded');
  return mapRow(row);
}

/** Gives the record its first state map, unless it has one. */
export function createMap(store: SqlStore): Promise<MapRow> {
  return store.exclusive('turnout state map', async (sql) => (await readMap(sql)) ?? insertMap(sql, 0, 0));
}

/**
 * Retires the map `mapId` and begins a new one. Its versions go on where the old one's stopped; its `epoch` is
 * the first that it may use, above `epochSeen` and all that the record knows. From the commit on, every write for the old map is refused, and every earlier one is visible: so a rebuild that reads
 * the record after this misses none. `undefined` when `mapId` is not the current map.
 */
export function replaceMap(store: SqlStore, mapId: string, epochSeen: number): Promise<MapRow | undefined> {
  return store.transaction(async (sql) => {
    // Waits for the writers that hold the row (see `write-user.ts` and `place-users.ts`).
    const [retired] = await sql.run(
      'UPDATE state_map SET retired_at = now() WHERE id = $1 AND retired_at IS NULL RETURNING id, version, epoch',
      [mapId],
    );
    if (retired === undefined) return undefined;
    const { version, epoch } = mapRow(retired);
    return insertMap(sql, version, firstEpoch(Math.max(version, epoch, epochSeen)));
  });
}
