import type { Watch } from '../reports/report-store.ts';
import { integer, moment, text } from './columns.ts';
import type { Sql } from './sql.ts';

/** From now on, the compared reads of the group's route are counted anew, and those of them with the difference. */
export async function armMismatchWatch(sql: Sql, id: string, at: number, actor: string): Promise<void> {
  await sql.run(
    `INSERT INTO mismatch_watches (group_id, armed_at, actor, compared_from, raw_from)
     SELECT g.id, $2, $3,
       (SELECT coalesce(sum(t.compared), 0) FROM comparison_totals t WHERE t.route = g.route), g.raw
     FROM mismatch_groups g WHERE g.id = $1
     ON CONFLICT (group_id) DO UPDATE SET armed_at = excluded.armed_at, actor = excluded.actor,
       compared_from = excluded.compared_from, raw_from = excluded.raw_from`,
    [id, new Date(at).toISOString(), actor],
  );
}

export async function mismatchWatch(sql: Sql, id: string): Promise<Watch | undefined> {
  // What was seen before the watch began may be told after it: only a difference that is younger counts. A group
  // that came back meanwhile counts from nothing.
  const [row] = await sql.run(
    `SELECT w.armed_at, w.actor,
       greatest(0, (SELECT coalesce(sum(t.compared), 0) FROM comparison_totals t WHERE t.route = g.route)
         - w.compared_from) AS reads,
       CASE WHEN g.last_seen <= w.armed_at THEN 0
         ELSE greatest(1, CASE WHEN g.raw >= w.raw_from THEN g.raw - w.raw_from ELSE g.raw END) END AS seen
     FROM mismatch_watches w JOIN mismatch_groups g ON g.id = w.group_id WHERE w.group_id = $1`,
    [id],
  );
  if (row === undefined) return undefined;
  return {
    armedAt: moment(row, 'armed_at').getTime(),
    actor: text(row, 'actor'),
    reads: integer(row, 'reads'),
    seen: integer(row, 'seen'),
  };
}
