/**
 * Parts of a statement that moves a row of `cohort_changes` and notes in the map's row which epoch is in force, so that
 * a map rebuilt from this record goes on above it.
 *
 * The map's row is locked before any other, everywhere. Within one statement that is a matter of what reads what, not of
 * what stands first: `moved` is the row that was updated, and it joins `AFTER_MAP`, a count of `map`. No row comes out of
 * that join, and so none is locked by the update, before `map` has been read to its end, which locks the map's row;
 * whichever side of the join the planner begins with. All else that the statement writes asks `moved` first, so that
 * nothing happens when no row was moved.
 */
import type { ChangePatch } from '../cutover/stores.ts';

/** Whether there is something to note in the map's row; else it is not locked. */
export function hasEpoch({ holdEpoch, switchEpoch, releaseEpoch }: ChangePatch): boolean {
  return (holdEpoch ?? switchEpoch ?? releaseEpoch) !== undefined;
}

/** As strong as an update of the row, which comes after, and no stronger. */
export const MAP = 'map AS (SELECT id FROM state_map WHERE retired_at IS NULL FOR NO KEY UPDATE)';

/** For the `FROM` of `moved`. */
export const AFTER_MAP = '(SELECT count(*) FROM map) AS locked_map';

/** The latest of the epochs of a patch whose parameters begin at `$first`; NULL without any. */
function latest(first: number): string {
  return `greatest($${first}::bigint, $${first + 1}::bigint, $${first + 2}::bigint)`;
}

/** Raises the epoch only. */
export function raised(first: number): string {
  return `raised AS (
    UPDATE state_map SET epoch = ${latest(first)}
    WHERE retired_at IS NULL AND epoch < ${latest(first)} AND EXISTS (SELECT FROM moved))`;
}

/** Takes the next version of the map too, and returns both: its row stays locked until the transaction ends. */
export function raisedVersion(first: number): string {
  return `raised AS (
    UPDATE state_map SET version = version + 1, epoch = greatest(epoch, ${latest(first)})
    WHERE retired_at IS NULL AND EXISTS (SELECT FROM moved) RETURNING id AS map, version AS map_version)`;
}
