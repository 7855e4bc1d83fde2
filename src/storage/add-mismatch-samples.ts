import type { NewSample, ReportBounds } from '../reports/report-store.ts';
import { integer, text } from './columns.ts';
import type { Sql } from './sql.ts';

/**
 * Adds samples, as long as all together are under their bound, and keeps the newest of each group; among those with
 * a confirmed difference first.
 * The caller has locked `report_settings`, so that one process at a time adds to what is counted here.
 * @returns how many samples the groups of these have now
 */
export async function addMismatchSamples(
  sql: Sql,
  samples: readonly NewSample[],
  bounds: ReportBounds,
): Promise<{ readonly refusedSamples: number; readonly samples: ReadonlyMap<string, number> }> {
  let refusedSamples = 0;
  const groups = [...new Set(samples.map(({ group }) => group))];
  if (groups.length > 0) {
    const [held] = await sql.run(
      'SELECT coalesce(sum(octet_length(sample)), 0) AS bytes FROM mismatch_samples',
    );
    let bytes = held === undefined ? 0 : integer(held, 'bytes');
    for (const { group, at, expiresAt, verdict, sample } of samples) {
      if (bytes + sample.length > bounds.sampleBytesMax) {
        refusedSamples += 1;
        continue;
      }
      bytes += sample.length;
      await sql.run(
        'INSERT INTO mismatch_samples (group_id, at, expires_at, verdict, sample) VALUES ($1, $2, $3, $4, $5)',
        [group, new Date(at).toISOString(), new Date(expiresAt).toISOString(), verdict, sample],
      );
    }
    await prune(sql, groups, bounds.samplesEachGroupMax);
  }
  return { refusedSamples, samples: await countSamples(sql, groups) };
}

async function prune(sql: Sql, groups: readonly string[], most: number): Promise<void> {
  await sql.run(
    `DELETE FROM mismatch_samples WHERE id IN (
       SELECT id FROM (
         SELECT id, row_number() OVER (PARTITION BY group_id ORDER BY verdict = 'confirmed' DESC, id DESC) AS place
         FROM mismatch_samples WHERE group_id IN (SELECT jsonb_array_elements_text($1::jsonb))) placed
       WHERE place > $2)`,
    [JSON.stringify(groups), most],
  );
}

async function countSamples(sql: Sql, groups: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const counts = new Map(groups.map((id) => [id, 0]));
  if (groups.length === 0) return counts;
  const rows = await sql.run(
    `SELECT group_id, count(*) AS count FROM mismatch_samples
     WHERE group_id IN (SELECT jsonb_array_elements_text($1::jsonb)) GROUP BY group_id`,
    [JSON.stringify(groups)],
  );
  for (const row of rows) counts.set(text(row, 'group_id'), integer(row, 'count'));
  return counts;
}
