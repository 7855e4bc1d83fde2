import { mergeLatencies } from '../reports/latency-sketch.ts';
import type { ComparisonTotal, CountedReads, CoverageRow, PairCounts } from '../reports/report-store.ts';
import { integer, moment, text } from './columns.ts';
import { pairRow, sideRow } from './report-count-row.ts';
import type { Row, Sql } from './sql.ts';

/** Rows of latencies that are merged for one answer: a month of hours of 100 routes and 7 cohorts. */
const LATENCIES_MAX = 500_000;

/** What was compared, by route and cohort, from one moment to before another. */
export async function coverageCounts(
  sql: Sql,
  from: number,
  to: number,
  cohort: string | undefined,
): Promise<readonly CoverageRow[]> {
  const values = [new Date(from).toISOString(), new Date(to).toISOString(), cohort ?? null];
  const where = 'WHERE begins >= $1 AND begins < $2 AND ($3::text IS NULL OR cohort = $3)';
  const sums = ['compared', 'matched', 'covered', 'transient', 'confirmed', 'flapping', 'unconfirmed']
    .map((column) => `sum(${column}) AS ${column}`)
    .join(', ');
  const pairs = await sql.run(
    `SELECT route, cohort, authoritative, ${sums}, ''::bytea AS latency
     FROM comparison_counts ${where} GROUP BY route, cohort, authoritative ORDER BY route, cohort, authoritative`,
    values,
  );
  const latencies = await mergedLatencies(
    sql,
    `SELECT route, cohort, authoritative, latency FROM comparison_counts ${where} AND latency <> ''::bytea
     ORDER BY begins DESC LIMIT ${LATENCIES_MAX}`,
    values,
  );
  const sides = await sql.run(
    `SELECT route, cohort, what, sum(count) AS count FROM comparison_side_counts ${where}
     GROUP BY route, cohort, what ORDER BY route, cohort, what`,
    values,
  );
  return combine(
    pairs.map((row) => ({ ...pairRow(row), latency: latencies.get(keyOf(row)) ?? new Uint8Array() })),
    sides.map(sideRow),
  );
}

function keyOf(row: Row): string {
  return `${text(row, 'route')}\0${text(row, 'cohort')}\0${text(row, 'authoritative')}`;
}

async function mergedLatencies(
  sql: Sql,
  statement: string,
  values: readonly (string | null)[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const merged = new Map<string, Uint8Array>();
  for (const row of await sql.run(statement, values)) {
    const latency = row['latency'];
    if (!(latency instanceof Uint8Array)) continue;
    const known = merged.get(keyOf(row));
    merged.set(keyOf(row), known === undefined ? latency : mergeLatencies(known, latency));
  }
  return merged;
}

function combine(
  pairs: readonly PairCounts[],
  sides: readonly { route: string; cohort: string; what: string; count: number }[],
): readonly CoverageRow[] {
  const rows = new Map<
    string,
    { route: string; cohort: string; pairs: PairCounts[]; sides: Map<string, number> }
  >();
  const of = (route: string, cohort: string) => {
    const key = `${route}\0${cohort}`;
    const known = rows.get(key) ?? { route, cohort, pairs: [], sides: new Map<string, number>() };
    rows.set(key, known);
    return known;
  };
  for (const pair of pairs) of(pair.route, pair.cohort).pairs.push(pair);
  for (const { route, cohort, what, count } of sides) of(route, cohort).sides.set(what, count);
  return [...rows.values()];
}

/** Of one cohort, by hour and route, oldest first. */
export async function countedReads(sql: Sql, cohort: string, from: number): Promise<readonly CountedReads[]> {
  const rows = await sql.run(
    `SELECT begins, route, sum(compared) AS compared, sum(noise) AS noise_reads FROM (
       SELECT begins, route, compared, 0 AS noise FROM comparison_counts WHERE cohort = $1 AND begins >= $2
       UNION ALL
       SELECT begins, route, 0, count FROM comparison_side_counts
       WHERE cohort = $1 AND begins >= $2 AND what = 'noise_reads') c
     GROUP BY begins, route ORDER BY begins, route`,
    [cohort, new Date(from).toISOString()],
  );
  return rows.map((row) => ({
    at: moment(row, 'begins').getTime(),
    route: text(row, 'route'),
    compared: integer(row, 'compared'),
    noiseReads: integer(row, 'noise_reads'),
  }));
}

/** Everything that was ever compared, by route and cohort. */
export async function comparisonTotals(sql: Sql): Promise<readonly ComparisonTotal[]> {
  const rows = await sql.run(
    'SELECT route, cohort, compared, noise_reads FROM comparison_totals ORDER BY route, cohort',
  );
  return rows.map((row) => ({
    route: text(row, 'route'),
    cohort: text(row, 'cohort'),
    compared: integer(row, 'compared'),
    noiseReads: integer(row, 'noise_reads'),
  }));
}
