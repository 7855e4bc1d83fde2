/**
 * Brings records that a change has written into their buckets. Unlike the announcement of one user's record
 * (user-writer.ts) this comes before anybody is told of them: the change stays open until every gateway has applied
 * the announcement, and whoever recovers it does all of this again, so a writer that dies leaves no cache old.
 */
import type { UserSwitch } from '../cutover/stores.ts';
import type { User, UserRecord } from '../model.ts';
import type { MapCommands, MapIdentity } from './map-commands.ts';
import { type CohortNumbers, decodeRecord, encodeRecord } from './record-codec.ts';
import { isNewer, type Versioned } from './versioned.ts';

/** Tries to swap a user's bytes, each lost to another writer of the same user. */
const SWAPS_MAX = 20;
/** Commands under way at a time: enough to fill the pipeline, few enough that each is answered within its bound. */
const AT_ONCE = 1_000;
const NOTHING = Buffer.alloc(0);

export interface UserBytes {
  readonly user: User;
  readonly record: Buffer;
}

/** What the bucket has, if nobody but rules ever wrote the user; a guess that is right for most. */
function guess(before: UserRecord, numbers: CohortNumbers): Buffer {
  const { state, pin, membership, newId } = before;
  if (state === undefined && pin === undefined && membership === undefined && newId === undefined)
    return NOTHING;
  if (membership !== undefined && numbers.numberOf(membership.cohort) === undefined) return NOTHING;
  return encodeRecord({ record: before, version: 0 }, numbers);
}

async function putUser(
  commands: MapCommands,
  map: MapIdentity,
  numbers: CohortNumbers,
  { user, before, after, version }: UserSwitch,
): Promise<UserBytes> {
  const versioned: Versioned = { record: after, version };
  const bytes = encodeRecord(versioned, numbers);
  let expected = guess(before, numbers);
  for (let attempt = 0; attempt < SWAPS_MAX; attempt++) {
    const swap = await commands.swapUser(map, user, expected, bytes);
    if (swap.won) return { user, record: bytes };
    if (swap.now.length > 0 && !isNewer(versioned, decodeRecord(swap.now, numbers)))
      return { user, record: bytes };
    expected = swap.now;
  }
  throw new Error(`the record of one user changed ${SWAPS_MAX} times`);
}

/** @returns each user with the bytes of its record, to be announced */
export async function putIntoBuckets(
  commands: MapCommands,
  map: MapIdentity,
  numbers: CohortNumbers,
  users: readonly UserSwitch[],
): Promise<readonly UserBytes[]> {
  const done: UserBytes[] = [];
  for (let at = 0; at < users.length; at += AT_ONCE) {
    const chunk = users.slice(at, at + AT_ONCE);
    done.push(...(await Promise.all(chunk.map((each) => putUser(commands, map, numbers, each)))));
  }
  return done;
}
