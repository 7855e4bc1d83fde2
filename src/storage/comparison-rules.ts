import { compileRules } from '../comparison/compile-rules.ts';
import { shapeProblems } from '../comparison/rules-shape.ts';
import type { RulesWritten } from '../comparison/rules-written.ts';
import type { StoredRules } from '../reports/report-store.ts';
import { integer, moment, text, textOrNone } from './columns.ts';
import type { Row, Sql, SqlStore } from './sql.ts';

/** 0 before the first change. */
export async function comparisonRulesVersion(sql: Sql): Promise<number> {
  const [row] = await sql.run('SELECT coalesce(max(version), 0) AS version FROM comparison_rules');
  return row === undefined ? 0 : integer(row, 'version');
}

const COLUMNS = 'version, route, rules, actor, reason, at';

/** The latest change of each route. */
export async function comparisonRules(sql: Sql): Promise<readonly StoredRules[]> {
  const rows = await sql.run(
    `SELECT DISTINCT ON (route) ${COLUMNS} FROM comparison_rules ORDER BY route, version DESC`,
  );
  return rows.map(rulesRow);
}

/** The changes of one route, newest first. */
export async function comparisonRulesHistory(
  sql: Sql,
  route: string,
  limit: number,
): Promise<readonly StoredRules[]> {
  const rows = await sql.run(
    `SELECT ${COLUMNS} FROM comparison_rules WHERE route = $1 ORDER BY version DESC LIMIT $2`,
    [route, limit],
  );
  return rows.map(rulesRow);
}

/** Changes of one route that are kept. */
const HISTORY_MAX = 1_000;

/**
 * @param rules `undefined`: the configuration's are in force again
 * @param expectedVersion the version of the route that the caller has seen; with another one nothing is saved
 * @returns the version of the route then
 * @throws RangeError for rules that cannot be compiled
 */
export function saveComparisonRules(
  store: SqlStore,
  route: string,
  rules: RulesWritten | undefined,
  at: number,
  actor: string,
  reason: string,
  expectedVersion: number | undefined,
): Promise<{ readonly isSaved: boolean; readonly version: number }> {
  if (rules !== undefined && compileRules(rules).rules === undefined) {
    return Promise.reject(new RangeError(`the rules of route ${route} cannot be used`));
  }
  return store.transaction(async (sql) => {
    // One at a time. A version that commits after a later one would never be noticed by those who poll for the highest.
    await sql.run('LOCK TABLE comparison_rules IN EXCLUSIVE MODE');
    const [latest] = await comparisonRulesHistory(sql, route, 1);
    const version = latest?.version ?? 0;
    if (expectedVersion !== undefined && expectedVersion !== version) return { isSaved: false, version };
    const [row] = await sql.run(
      'INSERT INTO comparison_rules (route, rules, actor, reason, at) VALUES ($1, $2, $3, $4, $5) RETURNING version',
      [route, rules === undefined ? null : JSON.stringify(rules), actor, reason, new Date(at).toISOString()],
    );
    if (row === undefined) throw new Error('the rules were not recorded');
    await sql.run(
      `DELETE FROM comparison_rules WHERE route = $1 AND version < (
         SELECT min(version) FROM (
           SELECT version FROM comparison_rules WHERE route = $1 ORDER BY version DESC LIMIT $2) kept)`,
      [route, HISTORY_MAX],
    );
    return { isSaved: true, version: integer(row, 'version') };
  });
}

function rulesRow(row: Row): StoredRules {
  const written = textOrNone(row, 'rules');
  return {
    route: text(row, 'route'),
    version: integer(row, 'version'),
    rules: written === undefined ? undefined : parsed(written),
    actor: text(row, 'actor'),
    reason: text(row, 'reason'),
    at: moment(row, 'at').getTime(),
  };
}

/** Rules of another version of this program may have other keys: those that are not known here are dropped. */
function parsed(written: string): RulesWritten {
  const value: unknown = JSON.parse(written);
  return shapeProblems(value).written;
}
