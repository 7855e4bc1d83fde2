/**
 * The users of the map's benchmarks: UUIDs that are explicit members, each with a place of its own in the order in
 * which they were added. The dearest of the common kinds of user; bench/micro/redis-bytes.ts compares the kinds.
 */
import { hash } from 'node:crypto';
import { ABSENT_RECORD } from '../../src/model.ts';
import type { Versioned } from '../../src/state/versioned.ts';

export const COHORT = 'everyone';

/** @param n 0-based */
export function userName(n: number): string {
  const hex = hash('md5', `${n}`, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The same in SQL, of the column `n`. */
export const USER_KEY_SQL = `convert_to(md5(n::text)::uuid::text, 'UTF8')`;

/** As if each user had been added by a change of its own. */
export function userRecord(n: number): Versioned {
  const membership = { cohort: COHORT, ordinal: n, by: 'explicit' } as const;
  return { record: { ...ABSENT_RECORD, membership }, version: n + 1 };
}
