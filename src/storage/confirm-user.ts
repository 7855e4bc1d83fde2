import type { User } from '../model.ts';
import type { SqlStore } from './sql.ts';
import { userKey } from './user-row.ts';

/** Notes the epoch at which a write came into force in the state map. */
export function confirmUser(store: SqlStore, user: User, version: number, epoch: number): Promise<void> {
  return store.transaction(async (sql) => {
    // The map's row before the user's, in the order in which `writeUser` locks them: else the two deadlock.
    await sql.run('UPDATE state_map SET epoch = $1 WHERE retired_at IS NULL AND epoch < $1', [epoch]);
    await sql.run('UPDATE users SET epoch = $3 WHERE key = $1 AND version = $2 AND epoch IS NULL', [
      userKey(user),
      version,
      epoch,
    ]);
    await sql.run('UPDATE changes SET epoch = $2 WHERE version = $1 AND epoch IS NULL AND change IS NULL', [
      version,
      epoch,
    ]);
  });
}
