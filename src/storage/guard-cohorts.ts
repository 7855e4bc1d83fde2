import type { WatchedCohort } from '../guard/guard-store.ts';
import { parseCohort } from './cohort-json.ts';
import { integerOrNone, text } from './columns.ts';
import type { Row, Sql } from './sql.ts';

/** Changes that make older counts say nothing; those of members are apart, because a job makes many of them. */
const DEFINITIONS = "('stage', 'rollback', 'cohort-create', 'cohort-edit')";
const LEAVING = "('members-remove', 'reassign')";

/** The latest change of these kinds, by the index of a cohort's changes. */
function latest(kinds: string): string {
  return `SELECT h.sequence, h.ended_at FROM cohort_changes h
    WHERE h.cohort_name = c.name AND h.phase = 'done' AND h.kind IN ${kinds}
    ORDER BY h.sequence DESC LIMIT 1`;
}

function agoMs(moment: string): string {
  // Without the condition the greatest of nothing and 0 would be 0.
  return `CASE WHEN ${moment} IS NOT NULL
    THEN greatest(0, floor(extract(epoch FROM clock_timestamp() - ${moment}) * 1000)) END::bigint`;
}

function watched(row: Row): WatchedCohort {
  const ages = ['defined_ms', 'cleared_ms'].flatMap((column) => integerOrNone(row, column) ?? []);
  return {
    cohort: parseCohort(text(row, 'name'), row['definition']),
    since: `${integerOrNone(row, 'defined') ?? 0}.${integerOrNone(row, 'cleared') ?? 0}`,
    sinceMs: ages.length === 0 ? undefined : Math.min(...ages),
    leftMs: integerOrNone(row, 'left_ms'),
  };
}

/** The cohorts that are there, in the order of their rules, and since when their counts say something. */
export async function guardCohorts(sql: Sql): Promise<readonly WatchedCohort[]> {
  const rows = await sql.run(
    `SELECT c.name, c.definition, d.sequence AS defined, ${agoMs('d.ended_at')} AS defined_ms,
       t.sequence AS cleared, ${agoMs('t.cleared_at')} AS cleared_ms, ${agoMs('l.ended_at')} AS left_ms
     FROM cohorts c
     LEFT JOIN LATERAL (${latest(DEFINITIONS)}) d ON true
     LEFT JOIN LATERAL (${latest(LEAVING)}) l ON true
     LEFT JOIN LATERAL (SELECT g.sequence, g.cleared_at FROM guard_trips g
       WHERE g.cohort = c.name AND g.cleared_at IS NOT NULL ORDER BY g.sequence DESC LIMIT 1) t ON true
     WHERE c.deleted_at IS NULL ORDER BY c.position, c.number`,
  );
  return rows.map(watched);
}
