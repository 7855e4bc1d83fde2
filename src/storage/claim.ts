/** What open changes claim: cohorts in `change_cohorts`, users in `change_users`. */
import type { Claims, NewChange } from '../cutover/stores.ts';
import { text, textOrNone, utf8 } from './columns.ts';
import { keyList, keysOf } from './key-list.ts';
import type { Sql } from './sql.ts';

export interface Rival {
  readonly change: string;
  readonly job: string | undefined;
}

/** An open change that has a claim on one of these cohorts or users. */
export async function rivalOf(sql: Sql, { held, own, shared, users }: Claims): Promise<Rival | undefined> {
  const [row] = await sql.run(
    `SELECT h.id, h.job FROM cohort_changes h JOIN change_cohorts c ON c.change = h.id
     WHERE c.cohort IN (SELECT value FROM jsonb_array_elements_text($1::jsonb))
        OR (c.claim <> 'shared' AND c.cohort IN (SELECT value FROM jsonb_array_elements_text($2::jsonb)))
     ORDER BY (h.job IS NOT NULL), h.sequence LIMIT 1`,
    [JSON.stringify([...held, ...own]), JSON.stringify(shared)],
  );
  if (row !== undefined) return { change: text(row, 'id'), job: textOrNone(row, 'job') };
  if (users.length === 0) return undefined;
  const [taken] = await sql.run(
    `SELECT h.id, h.job FROM ${keysOf('$1')} wanted JOIN change_users u ON u.key = wanted.key
     JOIN cohort_changes h ON h.id = u.change LIMIT 1`,
    [keyList(users)],
  );
  return taken === undefined ? undefined : { change: text(taken, 'id'), job: textOrNone(taken, 'job') };
}

/** Nobody else has a claim on these cohorts: their rows are locked, and it was asked. */
export async function noteClaims(sql: Sql, { id, claims }: NewChange): Promise<void> {
  const rows = (['held', 'own', 'shared'] as const).flatMap((claim) =>
    claims[claim].map((cohort) => ({ cohort, claim })),
  );
  await sql.run(
    `INSERT INTO change_cohorts (change, cohort, claim)
     SELECT $1, c.cohort, c.claim FROM jsonb_to_recordset($2::jsonb) AS c (cohort text, claim text)`,
    [id, JSON.stringify(rows)],
  );
}

/**
 * Claims the users of a change, or takes everything back that was noted of it.
 * @returns the change that has one of them
 */
export async function claimUsers(sql: Sql, change: NewChange): Promise<Rival | undefined> {
  const { id, claims } = change;
  if (claims.users.length === 0) return undefined;
  // In the order of keys: two changes with users in common cannot lock each other out.
  const claimed = await sql.run(
    `WITH claimed AS (
       INSERT INTO change_users (key, change, place)
       SELECT key, $1, place FROM ${keysOf('$2')} wanted ORDER BY key ON CONFLICT DO NOTHING RETURNING 1)
     SELECT 1 FROM claimed HAVING count(*) = $3`,
    [id, keyList(claims.users), claims.users.length],
  );
  if (claimed.length > 0) return undefined;
  await forgetChange(sql, id);
  return (await rivalOf(sql, claims)) ?? { change: id, job: undefined };
}

/** Parts of the statement that ends a change: `moved` is its row, or nothing. */
export const CLAIMS_DROPPED = `users_dropped AS (DELETE FROM change_users WHERE change = (SELECT id FROM moved)),
  cohorts_dropped AS (DELETE FROM change_cohorts WHERE change = (SELECT id FROM moved))`;

/** It could not be opened: takes back what was noted of it. */
async function forgetChange(sql: Sql, id: string): Promise<void> {
  await sql.run('DELETE FROM change_users WHERE change = $1', [id]);
  await sql.run('DELETE FROM change_cohorts WHERE change = $1', [id]);
  await sql.run('DELETE FROM cohort_changes WHERE id = $1', [id]);
}

/** One statement, so that cohorts and users are of one moment. */
export async function claimsOf(sql: Sql, id: string): Promise<Claims> {
  const rows = await sql.run(
    `SELECT claim, cohort, key FROM (
       SELECT claim, cohort, NULL::bytea AS key, NULL::integer AS place FROM change_cohorts WHERE change = $1
       UNION ALL SELECT 'user', NULL, key, place FROM change_users WHERE change = $1
     ) AS claimed ORDER BY place, cohort COLLATE "C"`,
    [id],
  );
  const named = (claim: string): string[] =>
    rows.filter((row) => text(row, 'claim') === claim).map((row) => text(row, 'cohort'));
  return {
    held: named('held'),
    own: named('own'),
    shared: named('shared'),
    users: rows.filter((row) => text(row, 'claim') === 'user').map((row) => utf8(row, 'key')),
  };
}
