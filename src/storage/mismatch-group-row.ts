import { DIFFERENCE_KINDS, type DifferenceKind } from '../comparison/difference.ts';
import { GROUP_STATUSES, type GroupRow, type GroupStatus } from '../reports/report-store.ts';
import { cohortSpread } from './cohort-spread-json.ts';
import { bytes, integer, moment, momentOrNone, text, textOrNone } from './columns.ts';
import type { Row } from './sql.ts';

/** The columns that `mismatchGroupRow` reads. `$1` is the moment at which it is asked. */
export const GROUP_COLUMNS = `g.id, g.signature, g.route, g.kind, g.pattern, g.types, g.weight, g.raw, g.confirmed,
  g.transient, g.flapping, g.unconfirmed, g.noise, g.first_seen, g.last_seen, g.last_confirmed, g.counted_from,
  CASE WHEN g.ignored_until <= $1::timestamptz THEN 'open' ELSE g.status END AS status,
  CASE WHEN g.ignored_until <= $1::timestamptz THEN g.ignored_until ELSE g.status_since END AS status_since,
  CASE WHEN g.ignored_until > $1::timestamptz THEN g.ignored_until END AS ignored_until,
  g.owner, g.note, g.reopened, g.reopened_at, coalesce(s.users, ''::bytea) AS users,
  coalesce(s.cohorts, '{}'::jsonb) AS cohorts,
  greatest(0, coalesce(t.compared, 0) - g.compared_from) AS compared,
  greatest(0, coalesce(t.noise_reads, 0) - g.noise_reads_from) AS noise_reads, coalesce(m.samples, 0) AS samples`;

export const GROUP_TABLES = `mismatch_groups g
  LEFT JOIN mismatch_spread s ON s.group_id = g.id
  LEFT JOIN (SELECT route, sum(compared) AS compared, sum(noise_reads) AS noise_reads
             FROM comparison_totals GROUP BY route) t ON t.route = g.route
  LEFT JOIN (SELECT group_id, count(*) AS samples FROM mismatch_samples
             WHERE expires_at > $1::timestamptz GROUP BY group_id) m ON m.group_id = g.id`;

export function statusOf(row: Row, column: string): GroupStatus {
  const status = text(row, column);
  const known = GROUP_STATUSES.find((one) => one === status);
  if (known === undefined) throw new TypeError(`${column} is ${status}`);
  return known;
}

function kindOf(row: Row): DifferenceKind {
  const kind = text(row, 'kind');
  const known = DIFFERENCE_KINDS.find((one) => one === kind);
  if (known === undefined) throw new TypeError(`mismatch_groups.kind is ${kind}`);
  return known;
}

export function mismatchGroupRow(row: Row): GroupRow {
  return {
    id: text(row, 'id'),
    signature: text(row, 'signature'),
    route: text(row, 'route'),
    kind: kindOf(row),
    pattern: text(row, 'pattern'),
    types: text(row, 'types'),
    weight: integer(row, 'weight'),
    raw: integer(row, 'raw'),
    confirmed: integer(row, 'confirmed'),
    transient: integer(row, 'transient'),
    flapping: integer(row, 'flapping'),
    unconfirmed: integer(row, 'unconfirmed'),
    noise: integer(row, 'noise'),
    compared: integer(row, 'compared'),
    noiseReads: integer(row, 'noise_reads'),
    firstSeen: moment(row, 'first_seen').getTime(),
    lastSeen: moment(row, 'last_seen').getTime(),
    lastConfirmed: momentOrNone(row, 'last_confirmed')?.getTime(),
    countedFrom: moment(row, 'counted_from').getTime(),
    status: statusOf(row, 'status'),
    statusSince: moment(row, 'status_since').getTime(),
    ignoredUntil: momentOrNone(row, 'ignored_until')?.getTime(),
    owner: textOrNone(row, 'owner'),
    note: textOrNone(row, 'note'),
    reopened: integer(row, 'reopened'),
    reopenedAt: momentOrNone(row, 'reopened_at')?.getTime(),
    users: bytes(row, 'users'),
    cohorts: cohortSpread(row, 'cohorts'),
    samples: integer(row, 'samples'),
  };
}
