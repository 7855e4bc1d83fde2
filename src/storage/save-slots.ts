import type { RecordedPeriod } from '../guard/recorded-slots.ts';
import type { Sql } from './sql.ts';

/** A row each, so that no statement is large. One that is repeated changes nothing. */
export async function saveSlots(sql: Sql, periods: readonly RecordedPeriod[]): Promise<void> {
  for (const { cohort, from, weight, packed } of periods) {
    await sql.run(
      `INSERT INTO guard_slots AS s (cohort, begins, weight, packed) VALUES ($1, $2, $3, $4)
       ON CONFLICT (cohort, begins) DO UPDATE SET weight = excluded.weight, packed = excluded.packed
       WHERE s.weight < excluded.weight`,
      [cohort, new Date(from * 1_000).toISOString(), weight, packed],
    );
  }
}
