import { mergeLatencies } from '../reports/latency-sketch.ts';
import type { PairCounts, ReportBatch, SideCounts } from '../reports/report-store.ts';
import { bytes, integer, text } from './columns.ts';
import type { Sql } from './sql.ts';

const ROWS_A_STATEMENT = 100;
const HOUR_MS = 3_600_000;

/** Adds to the counts of the hour, and to the totals. */
export async function addReportCounts(sql: Sql, { at, pairs, sides }: ReportBatch): Promise<void> {
  const hour = new Date(Math.floor(at / HOUR_MS) * HOUR_MS).toISOString();
  const sortedPairs = [...pairs].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  for (let from = 0; from < sortedPairs.length; from += ROWS_A_STATEMENT) {
    await addPairs(sql, hour, 'hour', sortedPairs.slice(from, from + ROWS_A_STATEMENT));
  }
  const sortedSides = [...sides].sort((a, b) => (sideKeyOf(a) < sideKeyOf(b) ? -1 : 1));
  for (let from = 0; from < sortedSides.length; from += ROWS_A_STATEMENT * 4) {
    await addSides(sql, hour, 'hour', sortedSides.slice(from, from + ROWS_A_STATEMENT * 4));
  }
  await addTotals(sql, pairs, sides);
}

type Key = Pick<PairCounts, 'route' | 'cohort' | 'authoritative'>;

function keyOf({ route, cohort, authoritative }: Key): string {
  return `${route}\0${cohort}\0${authoritative}`;
}

function sideKeyOf({ route, cohort, what }: SideCounts): string {
  return `${route}\0${cohort}\0${what}`;
}

/** At most some hundred rows, with different keys. @param begins of the hour or the day, as ISO 8601 */
export async function addPairs(
  sql: Sql,
  begins: string,
  span: 'hour' | 'day',
  pairs: readonly PairCounts[],
): Promise<void> {
  const rows = pairs.map((pair) => ({ ...pair, latency: Buffer.from(pair.latency).toString('hex') }));
  const held = await sql.run(
    `INSERT INTO comparison_counts AS c (begins, span, route, cohort, authoritative, compared, matched, covered,
       transient, confirmed, flapping, unconfirmed, latency, batches)
     SELECT $2::timestamptz, $3::text, p.route, p.cohort, p.authoritative, p.compared, p.matched, p.covered,
       p.transient, p.confirmed, p.flapping, p.unconfirmed, decode(p.latency, 'hex'), 1
     FROM jsonb_to_recordset($1::jsonb) AS p (route text, cohort text, authoritative text, compared bigint,
       matched bigint, covered bigint, transient bigint, confirmed bigint, flapping bigint, unconfirmed bigint,
       latency text)
     ORDER BY p.route, p.cohort, p.authoritative
     ON CONFLICT (begins, span, route, cohort, authoritative) DO UPDATE SET
       compared = c.compared + excluded.compared, matched = c.matched + excluded.matched,
       covered = c.covered + excluded.covered, transient = c.transient + excluded.transient,
       confirmed = c.confirmed + excluded.confirmed, flapping = c.flapping + excluded.flapping,
       unconfirmed = c.unconfirmed + excluded.unconfirmed, batches = c.batches + 1
     RETURNING route, cohort, authoritative, latency, batches`,
    [JSON.stringify(rows), begins, span],
  );
  const given = new Map(pairs.map((pair) => [keyOf(pair), pair.latency]));
  const merged = held
    .filter((row) => integer(row, 'batches') > 1)
    .map((row) => {
      const key = {
        route: text(row, 'route'),
        cohort: text(row, 'cohort'),
        authoritative: text(row, 'authoritative'),
      };
      const added = given.get(`${key.route}\0${key.cohort}\0${key.authoritative}`) ?? new Uint8Array();
      return { ...key, added, latency: bytes(row, 'latency') };
    })
    .filter(({ added }) => added.length > 0)
    .map(({ added, latency, ...key }) => ({
      ...key,
      latency: Buffer.from(mergeLatencies(latency, added)).toString('hex'),
    }));
  if (merged.length === 0) return;
  // The rows are locked by the statement above: nobody has merged anything into them since.
  await sql.run(
    `UPDATE comparison_counts c SET latency = decode(p.latency, 'hex')
     FROM jsonb_to_recordset($1::jsonb) AS p (route text, cohort text, authoritative text, latency text)
     WHERE c.begins = $2::timestamptz AND c.span = $3 AND c.route = p.route AND c.cohort = p.cohort
       AND c.authoritative = p.authoritative`,
    [JSON.stringify(merged), begins, span],
  );
}

/** At most some hundred rows, with different keys. */
export async function addSides(
  sql: Sql,
  begins: string,
  span: 'hour' | 'day',
  sides: readonly SideCounts[],
): Promise<void> {
  await sql.run(
    `INSERT INTO comparison_side_counts AS c (begins, span, route, cohort, what, count)
     SELECT $2::timestamptz, $3::text, p.route, p.cohort, p.what, p.count
     FROM jsonb_to_recordset($1::jsonb) AS p (route text, cohort text, what text, count bigint)
     ORDER BY p.route, p.cohort, p.what
     ON CONFLICT (begins, span, route, cohort, what) DO UPDATE SET count = c.count + excluded.count`,
    [JSON.stringify(sides), begins, span],
  );
}

async function addTotals(
  sql: Sql,
  pairs: readonly PairCounts[],
  sides: readonly SideCounts[],
): Promise<void> {
  const totals = new Map<string, { route: string; cohort: string; compared: number; noiseReads: number }>();
  const add = (route: string, cohort: string, compared: number, noiseReads: number): void => {
    const known = totals.get(`${route}\0${cohort}`) ?? { route, cohort, compared: 0, noiseReads: 0 };
    known.compared += compared;
    known.noiseReads += noiseReads;
    totals.set(`${route}\0${cohort}`, known);
  };
  for (const { route, cohort, compared } of pairs) add(route, cohort, compared, 0);
  for (const { route, cohort, what, count } of sides) {
    if (what === 'noise_reads') add(route, cohort, 0, count);
  }
  if (totals.size === 0) return;
  await sql.run(
    `INSERT INTO comparison_totals AS t (route, cohort, compared, noise_reads)
     SELECT p.route, p.cohort, p.compared, p."noiseReads"
     FROM jsonb_to_recordset($1::jsonb) AS p (route text, cohort text, compared bigint, "noiseReads" bigint)
     ORDER BY p.route, p.cohort
     ON CONFLICT (route, cohort) DO UPDATE SET
       compared = t.compared + excluded.compared, noise_reads = t.noise_reads + excluded.noise_reads`,
    [JSON.stringify([...totals.values()])],
  );
}
