import type { RecordedPeriod } from '../guard/recorded-slots.ts';
import { bytes, integer, moment, text } from './columns.ts';
import type { Sql } from './sql.ts';

export async function readSlots(
  sql: Sql,
  cohort: string,
  from: number,
  to: number,
  limit: number,
): Promise<readonly RecordedPeriod[]> {
  const rows = await sql.run(
    `SELECT cohort, begins, weight, packed FROM guard_slots
     WHERE cohort = $1 AND begins >= $2::timestamptz AND begins < $3::timestamptz ORDER BY begins LIMIT $4`,
    [cohort, new Date(from * 1_000).toISOString(), new Date(to * 1_000).toISOString(), limit],
  );
  return rows.map((row) => ({
    cohort: text(row, 'cohort'),
    from: moment(row, 'begins').getTime() / 1_000,
    weight: integer(row, 'weight'),
    packed: bytes(row, 'packed'),
  }));
}
