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
/** Users under way at a time: enough to fill the pipeline, few enough that each is answered within its bound. */
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

/** Puts them all, in as many rounds as others write the same users meanwhile. */
async function putChunk(
  commands: MapCommands,
  map: MapIdentity,
  numbers: CohortNumbers,
  users: readonly UserSwitch[],
): Promise<readonly UserBytes[]> {
  const put = users.map(({ user, after, version }) => {
    const versioned: Versioned = { record: after, version };
    return { user, versioned, next: encodeRecord(versioned, numbers) };
  });
  let left = put.map((each, index) => {
    const before = users[index]?.before;
    return { ...each, expected: before === undefined ? NOTHING : guess(before, numbers) };
  });
  for (let attempt = 0; left.length > 0; attempt++) {
    if (attempt === SWAPS_MAX) throw new Error(`the record of one user changed ${SWAPS_MAX} times`);
    const missed = await commands.swapUsers(map, left);
    left = left.flatMap((each) => {
      const now = missed.get(each.user);
      if (now === undefined) return [];
      const isOlder = now.length === 0 || isNewer(each.versioned, decodeRecord(now, numbers));
      return isOlder ? [{ ...each, expected: now }] : [];
    });
  }
  return put.map(({ user, next }) => ({ user, record: next }));
}

/**
 * @param together how many users one command may be about: on a cluster, whose buckets are on many nodes, one
 * @returns each user with the bytes of its record, to be announced
 */
export async function putIntoBuckets(
  commands: MapCommands,
  map: MapIdentity,
  numbers: CohortNumbers,
  users: readonly UserSwitch[],
  together: number,
): Promise<readonly UserBytes[]> {
  const done: UserBytes[] = [];
  for (let at = 0; at < users.length; at += AT_ONCE) {
    const work: Promise<readonly UserBytes[]>[] = [];
    for (let from = at; from < Math.min(at + AT_ONCE, users.length); from += together)
      work.push(putChunk(commands, map, numbers, users.slice(from, Math.min(from + together, at + AT_ONCE))));
    done.push(...(await Promise.all(work)).flat());
  }
  return done;
}
