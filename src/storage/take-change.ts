import type { Change } from '../cutover/change.ts';
import { readChange } from './read-change.ts';
import type { SqlStore } from './sql.ts';

/**
 * Makes the caller the change's controller, with the next token, if its heartbeat is still the one that the
 * caller saw. `undefined` when it has moved, or when the change is over: of two that try, one succeeds.
 */
export function takeChange(store: SqlStore, id: string, heartbeat: number): Promise<Change | undefined> {
  return store.transaction(async (sql) => {
    const taken = await sql.run(
      `UPDATE cohort_changes SET token = token + 1, heartbeat = heartbeat + 1
       WHERE id = $1 AND heartbeat = $2 AND ended_at IS NULL RETURNING id`,
      [id, heartbeat],
    );
    return taken.length === 0 ? undefined : readChange(sql, id);
  });
}
