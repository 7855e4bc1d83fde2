import type { GroupDelta } from '../reports/report-store.ts';
import { text } from './columns.ts';
import type { Sql } from './sql.ts';

/**
 * Opens resolved groups of which a confirmed difference came after they were resolved. Their counts begin anew with it;
 * what they were is in the audit.
 * @returns their ids
 */
export async function reopenMismatchGroups(
  sql: Sql,
  groups: readonly GroupDelta[],
  at: number,
): Promise<readonly string[]> {
  const confirmed = groups.filter(({ lastConfirmed }) => lastConfirmed !== undefined);
  if (confirmed.length === 0) return [];
  const batch = confirmed.map((group) => ({
    ...group,
    users: undefined,
    cohorts: undefined,
    firstSeen: new Date(group.firstSeen).toISOString(),
  }));
  const rows = await sql.run(
    `WITH back AS (
       SELECT g.id, g.raw, g.confirmed, g.noise, p.raw AS new_raw, p.confirmed AS new_confirmed, p.transient,
         p.flapping, p.unconfirmed, p.noise AS new_noise, p."firstSeen" AS first_seen,
         greatest(0, coalesce(t.compared, 0) - p."comparedBefore") AS compared_from,
         greatest(0, coalesce(t.noise_reads, 0) - p."noiseReadsBefore") AS noise_reads_from
       FROM jsonb_to_recordset($1::jsonb) AS p
         (id text, raw bigint, confirmed bigint, transient bigint, flapping bigint, unconfirmed bigint, noise bigint,
          "firstSeen" timestamptz, "comparedBefore" bigint, "noiseReadsBefore" bigint)
       JOIN mismatch_groups g ON g.id = p.id AND g.status = 'resolved' AND g.last_confirmed > g.status_since
       LEFT JOIN (SELECT route, sum(compared) AS compared, sum(noise_reads) AS noise_reads
                  FROM comparison_totals GROUP BY route) t ON t.route = g.route
     ), opened AS (
       UPDATE mismatch_groups g SET status = 'open', status_since = $2::timestamptz, reopened = g.reopened + 1,
         reopened_at = $2::timestamptz, counted_from = b.first_seen, raw = b.new_raw, confirmed = b.new_confirmed,
         transient = b.transient, flapping = b.flapping, unconfirmed = b.unconfirmed, noise = b.new_noise,
         compared_from = b.compared_from, noise_reads_from = b.noise_reads_from
       FROM back b WHERE g.id = b.id
     )
     INSERT INTO mismatch_events (group_id, at, actor, action, from_status, to_status, detail)
     SELECT id, $2::timestamptz, 'turnout', 'reopened', 'resolved', 'open',
       'seen ' || (raw - new_raw) || ' times before, ' || (confirmed - new_confirmed) || ' of them confirmed'
     FROM back RETURNING group_id`,
    [JSON.stringify(batch), new Date(at).toISOString()],
  );
  return rows.map((row) => text(row, 'group_id'));
}
