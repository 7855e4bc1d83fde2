import type { StoredSample } from '../reports/report-store.ts';
import { decodeSample } from '../reports/sample.ts';
import type { ShadowVerdict } from '../shadow/report-sink.ts';
import { bytes, moment, text } from './columns.ts';
import type { Row, Sql } from './sql.ts';

const VERDICTS: readonly ShadowVerdict[] = ['matched', 'transient', 'confirmed', 'flapping', 'unconfirmed'];

function verdictOf(row: Row): ShadowVerdict {
  const verdict = text(row, 'verdict');
  const known = VERDICTS.find((one) => one === verdict);
  if (known === undefined) throw new TypeError(`mismatch_samples.verdict is ${verdict}`);
  return known;
}

function sampleRow(row: Row): StoredSample & { readonly group: string } {
  return {
    group: text(row, 'group_id'),
    at: moment(row, 'at').getTime(),
    expiresAt: moment(row, 'expires_at').getTime(),
    verdict: verdictOf(row),
    sample: decodeSample(bytes(row, 'sample')),
  };
}

/** Samples of a group that are not expired, newest first. */
export async function mismatchSamples(sql: Sql, at: number, group: string): Promise<readonly StoredSample[]> {
  const rows = await sql.run(
    `SELECT group_id, at, expires_at, verdict, sample FROM mismatch_samples
     WHERE group_id = $2 AND expires_at > $1::timestamptz ORDER BY id DESC`,
    [new Date(at).toISOString(), group],
  );
  return rows.map(sampleRow);
}

/** Of each group of a route the newest first, then the second of each, and so on. */
export async function mismatchSamplesOf(
  sql: Sql,
  at: number,
  route: string,
  limit: number,
): Promise<readonly (StoredSample & { readonly group: string })[]> {
  const rows = await sql.run(
    `SELECT m.group_id, m.at, m.expires_at, m.verdict, m.sample
     FROM (SELECT id, row_number() OVER (PARTITION BY group_id ORDER BY id DESC) AS place
           FROM mismatch_samples WHERE expires_at > $1::timestamptz
             AND group_id IN (SELECT id FROM mismatch_groups WHERE route = $2)
           ORDER BY place, id DESC LIMIT $3) placed
     JOIN mismatch_samples m ON m.id = placed.id ORDER BY placed.place, m.id DESC`,
    [new Date(at).toISOString(), route, limit],
  );
  return rows.map(sampleRow);
}
