import type { SqlStore } from './sql.ts';

/** @param before in seconds since 1970 */
export async function pruneSlots(store: SqlStore, before: number): Promise<void> {
  await store.run('DELETE FROM guard_slots WHERE begins < $1', [new Date(before * 1_000).toISOString()]);
  // The embedded record has nobody who vacuums behind it.
  if (store.kind === 'embedded') await store.run('VACUUM guard_slots');
}
