import { mergeLatencies } from '../reports/latency-sketch.ts';
import type { PairCounts } from '../reports/report-store.ts';
import { addPairs, addSides } from './add-report-counts.ts';
import { moment } from './columns.ts';
import { givingWay } from './give-way.ts';
import { pairRow, sideRow } from './report-count-row.ts';
import type { Sql, SqlStore } from './sql.ts';

const DAY_MS = 86_400_000;
const ROWS_A_STATEMENT = 100;

/**
 * Makes one row of the hours of each day that is over before a moment, the oldest day first, a transaction each.
 * @param daysMax days that are folded by this call
 */
export async function foldCounts(store: SqlStore, before: number, daysMax: number): Promise<void> {
  for (let day = 0; day < daysMax; day += 1) {
    const [oldest] = await store.run(
      `SELECT least((SELECT min(begins) FROM comparison_counts WHERE span = 'hour'),
         (SELECT min(begins) FROM comparison_side_counts WHERE span = 'hour')) AS begins`,
    );
    if (oldest === undefined || oldest['begins'] === null) return;
    const begins = Math.floor(moment(oldest, 'begins').getTime() / DAY_MS) * DAY_MS;
    if (begins + DAY_MS > before) return;
    await store.transaction((sql) => foldDay(givingWay(store, sql), begins));
  }
}

async function foldDay(sql: Sql, begins: number): Promise<void> {
  const [from, to] = [new Date(begins).toISOString(), new Date(begins + DAY_MS).toISOString()];
  const pairs = new Map<string, PairCounts>();
  const hours = await sql.run(
    `DELETE FROM comparison_counts WHERE span = 'hour' AND begins >= $1 AND begins < $2
     RETURNING route, cohort, authoritative, compared, matched, covered, transient, confirmed, flapping,
       unconfirmed, latency`,
    [from, to],
  );
  for (const hour of hours.map(pairRow)) {
    const key = `${hour.route}\0${hour.cohort}\0${hour.authoritative}`;
    const known = pairs.get(key);
    pairs.set(key, known === undefined ? hour : addUp(known, hour));
  }
  const all = [...pairs.values()];
  for (let at = 0; at < all.length; at += ROWS_A_STATEMENT) {
    await addPairs(sql, from, 'day', all.slice(at, at + ROWS_A_STATEMENT));
  }
  const sides = await sql.run(
    `WITH gone AS (DELETE FROM comparison_side_counts WHERE span = 'hour' AND begins >= $1 AND begins < $2
       RETURNING route, cohort, what, count)
     SELECT route, cohort, what, sum(count) AS count FROM gone GROUP BY route, cohort, what`,
    [from, to],
  );
  for (let at = 0; at < sides.length; at += ROWS_A_STATEMENT) {
    await addSides(sql, from, 'day', sides.slice(at, at + ROWS_A_STATEMENT).map(sideRow));
  }
}

function addUp(one: PairCounts, other: PairCounts): PairCounts {
  return {
    route: one.route,
    cohort: one.cohort,
    authoritative: one.authoritative,
    compared: one.compared + other.compared,
    matched: one.matched + other.matched,
    covered: one.covered + other.covered,
    transient: one.transient + other.transient,
    confirmed: one.confirmed + other.confirmed,
    flapping: one.flapping + other.flapping,
    unconfirmed: one.unconfirmed + other.unconfirmed,
    latency: mergeLatencies(one.latency, other.latency),
  };
}

/** Deletes at least so many rows of counts, whole hours or days, the oldest first. The totals keep what was in them. */
export async function dropOldestCounts(sql: Sql, rows: number): Promise<void> {
  const [bound] = await sql.run(
    `SELECT max(begins) AS begins FROM (
       SELECT begins FROM (SELECT begins FROM comparison_counts UNION ALL SELECT begins FROM comparison_side_counts) c
       ORDER BY begins LIMIT $1) oldest`,
    [rows],
  );
  if (bound === undefined || bound['begins'] === null) return;
  const begins = moment(bound, 'begins').toISOString();
  await sql.run('DELETE FROM comparison_counts WHERE begins <= $1', [begins]);
  await sql.run('DELETE FROM comparison_side_counts WHERE begins <= $1', [begins]);
}
