/** The shared slot of the map at one moment, as `READ_SHARED` replies. */
import type { Hold, User } from '../model.ts';
import { parseCohort } from '../storage/cohort-json.ts';
import type { StoredCohort } from '../storage/record-store.ts';
import { LAYOUT_FORMAT } from './redis-keys.ts';
import { bytes, integer, list, pairs, text } from './reply.ts';

export interface SharedState {
  readonly id: string;
  readonly epoch: number;
  readonly buckets: number;
  /** In the order of their rules, deleted ones included. */
  readonly cohorts: readonly StoredCohort[];
  readonly holds: readonly [string, Hold][];
  /** Announced, perhaps not yet in their buckets: users and their records' bytes. */
  readonly pending: readonly { readonly user: User; readonly record: Buffer }[];
  /** Positions in the feed; it is never empty. */
  readonly firstId: string;
  readonly lastId: string;
  /** The epoch of the entry at the position that was asked for; `undefined` when there is none. */
  readonly epochAtPosition: number | undefined;
}

/** A map that this version of Turnout must not touch. No retry helps. */
export class ForeignMapError extends Error {
  override name = 'ForeignMapError';
}

/** A cohort as the map keeps it. */
export function cohortJson({ cohort, position, deleted }: StoredCohort): string {
  const { name, ...definition } = cohort;
  return JSON.stringify({ name, position, deleted, definition });
}

function parseStoredCohort(number: number, json: string): StoredCohort {
  const value: unknown = JSON.parse(json);
  if (
    typeof value !== 'object' ||
    value === null ||
    !('name' in value && typeof value.name === 'string') ||
    !('position' in value && typeof value.position === 'number') ||
    !('deleted' in value && typeof value.deleted === 'boolean') ||
    !('definition' in value)
  ) {
    throw new TypeError(`cohort number ${number} of the state map is not valid`);
  }
  const { name, position, deleted, definition } = value;
  return { number, position, deleted, cohort: parseCohort(name, definition) };
}

function parseHold(json: string): Hold {
  const value: unknown = JSON.parse(json);
  if (
    typeof value !== 'object' ||
    value === null ||
    !('change' in value && typeof value.change === 'string') ||
    !('epoch' in value && typeof value.epoch === 'number')
  ) {
    throw new TypeError('a hold of the state map is not valid');
  }
  return { change: value.change, epoch: value.epoch };
}

function entryId(range: unknown): string | undefined {
  const [entry] = list(range);
  return entry === undefined ? undefined : text(list(entry)[0]);
}

function epochOf(range: unknown): number | undefined {
  const [entry] = list(range);
  if (entry === undefined) return undefined;
  const field = pairs(list(entry)[1]).find(([key]) => key.toString() === 'e');
  return field === undefined ? undefined : integer(field[1]);
}

/**
 * @returns `undefined` when there is no map
 * @throws ForeignMapError when a newer version of Turnout laid the map out
 */
export function parseShared(reply: unknown): SharedState | undefined {
  const parts = list(reply);
  if (parts.length === 0) return undefined;
  const [metaReply, cohorts, holds, pending, first, last, mine] = parts;
  const meta = new Map(pairs(metaReply).map(([key, value]) => [key.toString(), value]));
  const format = integer(bytes(meta.get('format')));
  if (format !== LAYOUT_FORMAT) {
    throw new ForeignMapError(
      `the state map in Redis has format ${format}, this version of Turnout reads ${LAYOUT_FORMAT}`,
    );
  }
  const firstId = entryId(first);
  const lastId = entryId(last);
  if (firstId === undefined || lastId === undefined)
    throw new TypeError('the change feed of the state map is gone');
  return {
    id: text(meta.get('id')),
    epoch: integer(bytes(meta.get('epoch'))),
    buckets: integer(bytes(meta.get('buckets'))),
    cohorts: pairs(cohorts)
      .map(([number, json]) => parseStoredCohort(integer(number), json.toString()))
      .sort((a, b) => a.position - b.position || a.number - b.number),
    holds: pairs(holds).map(([field, json]) => [field.toString(), parseHold(json.toString())]),
    pending: pairs(pending).map(([user, value]) => ({
      user: user.toString(),
      record: value.subarray(value.indexOf(':') + 1),
    })),
    firstId,
    lastId,
    epochAtPosition: epochOf(mine),
  };
}
