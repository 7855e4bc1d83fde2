import type { GroupDelta, GroupStatus, ReportBatch, ReportBounds } from '../reports/report-store.ts';
import { integer, text } from './columns.ts';
import { statusOf } from './mismatch-group-row.ts';
import type { Sql } from './sql.ts';

/** Rows in one statement: the embedded record runs it in one turn of the event loop of the gateway. */
const ROWS_A_STATEMENT = 25;

export interface AddedGroups {
  /** Those for which there was no room. */
  readonly refused: ReadonlySet<string>;
  /** Those that were resolved when the batch came. */
  readonly resolved: ReadonlySet<string>;
}

/** Adds to the groups of a batch, and makes those that are new as long as there is room. */
export async function addMismatchGroups(
  sql: Sql,
  { groups, samples, at }: ReportBatch,
  bounds: ReportBounds,
): Promise<AddedGroups> {
  if (groups.length === 0) return { refused: new Set(), resolved: new Set() };
  const known = await knownGroups(sql, groups);
  const fresh = groups.filter(({ id }) => !known.has(id));
  // One process at a time adds rows: else each of several would find the last room. Taken before any group is
  // locked: somebody who has this lock may be waiting for that group.
  if (fresh.length > 0 || samples.length > 0) await sql.run('SELECT one FROM report_settings FOR UPDATE');
  const room = fresh.length === 0 ? 0 : await makeRoom(sql, fresh.length, bounds.groupsMax);
  // Those that have been confirmed most often are worth the room that there is.
  const admitted = [...fresh].sort((a, b) => b.confirmed - a.confirmed).slice(0, room);
  const refused = new Set(fresh.map(({ id }) => id));
  for (const { id } of admitted) refused.delete(id);
  const taken = groups.filter(({ id }) => !refused.has(id)).sort((a, b) => (a.id < b.id ? -1 : 1));
  for (let from = 0; from < taken.length; from += ROWS_A_STATEMENT) {
    await upsert(sql, taken.slice(from, from + ROWS_A_STATEMENT), at);
  }
  const resolved = [...known].filter(([, status]) => status === 'resolved').map(([id]) => id);
  return { refused, resolved: new Set(resolved) };
}

async function knownGroups(
  sql: Sql,
  groups: readonly GroupDelta[],
): Promise<ReadonlyMap<string, GroupStatus>> {
  const rows = await sql.run(
    'SELECT id, status FROM mismatch_groups WHERE id IN (SELECT jsonb_array_elements_text($1::jsonb))',
    [JSON.stringify(groups.map(({ id }) => id))],
  );
  return new Map(rows.map((row) => [text(row, 'id'), statusOf(row, 'status')]));
}

/**
 * Deletes what nobody needs any more where there is no room: resolved groups, then ignored ones, each the least
 * recently seen first.
 * @returns for how many there is room, at most `wanted`
 */
async function makeRoom(sql: Sql, wanted: number, groupsMax: number): Promise<number> {
  const [counted] = await sql.run('SELECT count(*) AS count FROM mismatch_groups');
  const room = groupsMax - (counted === undefined ? 0 : integer(counted, 'count'));
  if (room >= wanted) return wanted;
  const deleted = await sql.run(
    `DELETE FROM mismatch_groups WHERE id IN (
       SELECT id FROM mismatch_groups WHERE status IN ('resolved', 'ignored')
       ORDER BY status DESC, last_seen LIMIT $1)
     RETURNING id`,
    [wanted - Math.max(0, room)],
  );
  return Math.max(0, room + deleted.length);
}

function columns(group: GroupDelta): Record<string, unknown> {
  const { users: _users, cohorts: _cohorts, firstSeen, lastSeen, lastConfirmed, ...rest } = group;
  return {
    ...rest,
    firstSeen: new Date(firstSeen).toISOString(),
    lastSeen: new Date(lastSeen).toISOString(),
    lastConfirmed: lastConfirmed === undefined ? null : new Date(lastConfirmed).toISOString(),
  };
}

async function upsert(sql: Sql, groups: readonly GroupDelta[], at: number): Promise<void> {
  await sql.run(
    `INSERT INTO mismatch_groups AS g
       (id, signature, route, kind, pattern, types, weight, raw, confirmed, transient, flapping, unconfirmed, noise,
        first_seen, last_seen, last_confirmed, compared_from, noise_reads_from, counted_from, status_since)
     SELECT p.id, p.signature, p.route, p.kind, p.pattern, p.types, p.weight, p.raw, p.confirmed, p.transient,
       p.flapping, p.unconfirmed, p.noise, p."firstSeen", p."lastSeen", p."lastConfirmed",
       greatest(0, coalesce(t.compared, 0) - p."comparedBefore"),
       greatest(0, coalesce(t.noise_reads, 0) - p."noiseReadsBefore"), p."firstSeen", $2::timestamptz
     FROM jsonb_to_recordset($1::jsonb) AS p
       (id text, signature text, route text, kind text, pattern text, types text, weight integer, raw bigint,
        confirmed bigint, transient bigint, flapping bigint, unconfirmed bigint, noise bigint,
        "firstSeen" timestamptz, "lastSeen" timestamptz, "lastConfirmed" timestamptz,
        "comparedBefore" bigint, "noiseReadsBefore" bigint)
     LEFT JOIN (SELECT route, sum(compared) AS compared, sum(noise_reads) AS noise_reads
                FROM comparison_totals GROUP BY route) t ON t.route = p.route
     ORDER BY p.id
     ON CONFLICT (id) DO UPDATE SET
       raw = g.raw + excluded.raw,
       confirmed = g.confirmed + excluded.confirmed,
       transient = g.transient + excluded.transient,
       flapping = g.flapping + excluded.flapping,
       unconfirmed = g.unconfirmed + excluded.unconfirmed,
       noise = g.noise + excluded.noise,
       first_seen = least(g.first_seen, excluded.first_seen),
       last_seen = greatest(g.last_seen, excluded.last_seen),
       last_confirmed = greatest(g.last_confirmed, excluded.last_confirmed)`,
    [JSON.stringify(groups.map(columns)), new Date(at).toISOString()],
  );
}
