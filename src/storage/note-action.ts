import type { Author } from '../cutover/stores.ts';
import type { Sql } from './sql.ts';

/** Adds to the audit what was done to the map or a gateway: neither a cohort's change nor a user's. */
export async function noteAction(
  sql: Sql,
  action: 'rebuild' | 'evict',
  subject: string,
  { actor, reason }: Author,
): Promise<void> {
  await sql.run(
    `INSERT INTO changes (map, version, epoch, actor, reason, kind, after)
     SELECT id, version, epoch, $1, $2, $3, to_jsonb($4::text) FROM state_map WHERE retired_at IS NULL`,
    [actor, reason, action, subject],
  );
}
