import { integer, text } from './columns.ts';
import type { MapRow } from './record-store.ts';
import type { Row, Sql } from './sql.ts';

export function mapRow(row: Row): MapRow {
  return { id: text(row, 'id'), version: integer(row, 'version'), epoch: integer(row, 'epoch') };
}

/** The current state map, if the record has one. */
export async function readMap(sql: Sql): Promise<MapRow | undefined> {
  const [row] = await sql.run('SELECT id, version, epoch FROM state_map WHERE retired_at IS NULL');
  return row === undefined ? undefined : mapRow(row);
}

/** Whether that map was current once and was replaced: a store that still has it is an old copy. */
export async function isRetired(sql: Sql, mapId: string): Promise<boolean> {
  const rows = await sql.run('SELECT 1 FROM state_map WHERE id = $1 AND retired_at IS NOT NULL', [mapId]);
  return rows.length > 0;
}
