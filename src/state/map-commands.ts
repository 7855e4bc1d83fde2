/** What is asked of a state map in Redis, one function a script. Each call is bounded by `commandMs`. */
import type { User } from '../model.ts';
import type { StoredCohort } from '../storage/record-store.ts';
import { type FeedEntry, feedEntry } from './feed-entry.ts';
import type { RedisClient } from './redis-client.ts';
import { CHANGES_MAX, LAYOUT_FORMAT, PENDING_MAX, type RedisKeys } from './redis-keys.ts';
import {
  ADD_COHORTS,
  ANNOUNCE_PLACED,
  ANNOUNCE_USER,
  PUBLISH_MAP,
  READ_SHARED,
  type RedisScript,
  SETTLE_USER,
  SWAP_USER,
  swapUsers,
} from './redis-scripts.ts';
import { bytes, integer, list, text } from './reply.ts';
import { cohortJson, parseShared, type SharedState } from './shared-state.ts';
import { userBucket } from './user-bucket.ts';
import { MARK_FIELD, userField } from './user-field.ts';
import { within } from './within.ts';

/** What Redis holds is not, or no longer, the map that this gateway follows. */
export class MapLostError extends Error {
  override name = 'MapLostError';
}

/** The change feed does not go on where it should. */
export class FeedGapError extends MapLostError {
  override name = 'FeedGapError';
}

/** A bucket of the map was wiped or evicted while the map itself is still there: the map has to be rebuilt. */
export class BucketLostError extends MapLostError {
  override name = 'BucketLostError';
}

/** Every bucket says whose it is, so that one that was wiped or evicted is not taken for one without users. */
export function bucketMark(mapId: string): Buffer {
  return Buffer.from(mapId.replaceAll('-', '').slice(0, 16), 'hex');
}

/** Bytes of a user, empty for none. */
export interface UserSwap {
  readonly user: User;
  readonly expected: Buffer;
  readonly next: Buffer;
}

/** What `swapUsers` says where there is nothing; no record has these bytes, for it begins with its format. */
const NO_RECORD = Buffer.from('none');

export type Swap = { readonly won: true } | { readonly won: false; readonly now: Buffer };

/** A map in Redis with its identity: calls for another map than the one that is there fail. */
export interface MapIdentity {
  readonly id: string;
  readonly buckets: number;
}

/** What a new map has in its shared slot. */
export interface MapContent {
  readonly cohorts: readonly StoredCohort[];
  /** Fields and JSON. */
  readonly held: readonly (readonly [string, string])[];
  /** Open changes and JSON. */
  readonly known: readonly (readonly [string, string])[];
}

export class MapCommands {
  readonly #client: RedisClient;
  readonly #keys: RedisKeys;
  readonly #commandMs: number;
  readonly #changesMax: number;

  constructor(client: RedisClient, keys: RedisKeys, commandMs: number, changesMax = CHANGES_MAX) {
    this.#client = client;
    this.#keys = keys;
    this.#commandMs = commandMs;
    this.#changesMax = changesMax;
  }

  #script(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    return within(this.#client.script(script, keys, args), this.#commandMs, 'Redis');
  }

  /** @param position in the feed, whose epoch is wanted too; empty for none */
  async readShared(position: string): Promise<SharedState | undefined> {
    const { meta, cohorts, holds, pending, changes } = this.#keys;
    return parseShared(await this.#script(READ_SHARED, [meta, cohorts, holds, pending, changes], [position]));
  }

  /** The identity and the epoch of the map that is there, or `undefined`. The heartbeat. */
  async readEpoch(): Promise<{ id: string; epoch: number } | undefined> {
    const reply = this.#client.raw.hmgetBuffer(this.#keys.meta, 'id', 'epoch');
    const [id, epoch] = await within(reply, this.#commandMs, 'Redis');
    return id && epoch ? { id: text(id), epoch: integer(epoch) } : undefined;
  }

  /** The map that is there, or `undefined`. */
  async readIdentity(): Promise<MapIdentity | undefined> {
    const reply = this.#client.raw.hmgetBuffer(this.#keys.meta, 'id', 'buckets');
    const [id, buckets] = await within(reply, this.#commandMs, 'Redis');
    return id && buckets ? { id: text(id), buckets: integer(buckets) } : undefined;
  }

  /** The bytes of a user's record, or `undefined`. @throws BucketLostError when the bucket is not of this map */
  async readUser(map: MapIdentity, user: User): Promise<Buffer | undefined> {
    const key = this.#keys.bucket(userBucket(user, map.buckets));
    const reply = this.#client.raw.hmgetBuffer(key, MARK_FIELD, userField(user));
    const [mark, record] = await within(reply, this.#commandMs, 'Redis');
    if (!mark?.equals(bucketMark(map.id)))
      throw new BucketLostError(`bucket ${key} is not one of state map ${map.id}`);
    return record ?? undefined;
  }

  /** Puts `next` where `expected` is; both are a user's bytes, empty for none. */
  async swapUser(map: MapIdentity, user: User, expected: Buffer, next: Buffer): Promise<Swap> {
    const key = this.#keys.bucket(userBucket(user, map.buckets));
    const args = [MARK_FIELD, bucketMark(map.id), userField(user), expected, next];
    const [code, now] = list(await this.#script(SWAP_USER, [key], args));
    switch (integer(code)) {
      case 1:
        return { won: true };
      case 0:
        // A cluster client may send a command twice; then it is our own bytes that are there.
        return bytes(now).equals(next) ? { won: true } : { won: false, now: bytes(now) };
      default:
        throw new BucketLostError(`bucket ${key} is not one of state map ${map.id}`);
    }
  }

  /**
   * As `swapUser` for many: those whose bytes were others, with what is there now.
   * @param swaps on a cluster one at a time
   */
  async swapUsers(map: MapIdentity, swaps: readonly UserSwap[]): Promise<ReadonlyMap<User, Buffer>> {
    const keys = swaps.map(({ user }) => this.#keys.bucket(userBucket(user, map.buckets)));
    const args = swaps.flatMap(({ user, expected, next }) => [userField(user), expected, next]);
    const reply = await this.#script(swapUsers(keys.length), keys, [MARK_FIELD, bucketMark(map.id), ...args]);
    if (!Array.isArray(reply)) throw new BucketLostError(`a bucket is not one of state map ${map.id}`);
    const missed = new Map<User, Buffer>();
    for (const [index, now] of list(reply).map(bytes).entries()) {
      const swap = swaps[index];
      if (swap === undefined || now.length === 0 || now.equals(swap.next)) continue;
      missed.set(swap.user, now.equals(NO_RECORD) ? Buffer.alloc(0) : now);
    }
    return missed;
  }

  /** @returns the epoch. @throws MapLostError; `Error` when too many announced records are not settled */
  async announceUser(map: MapIdentity, user: User, version: number, record: Buffer): Promise<number> {
    const { meta, pending, changes } = this.#keys;
    const args = [map.id, user, version, record, this.#changesMax, PENDING_MAX];
    const epoch = this.#epoch(map, await this.#script(ANNOUNCE_USER, [meta, pending, changes], args));
    if (epoch === -2) throw new Error(`${PENDING_MAX} changes are not settled yet; try again later`);
    return epoch;
  }

  async settleUser(map: MapIdentity, user: User, version: number): Promise<void> {
    const { meta, pending, changes } = this.#keys;
    const args = [map.id, user, version, this.#changesMax];
    this.#epoch(map, await this.#script(SETTLE_USER, [meta, pending, changes], args));
  }

  /** @param placed at most 500 */
  async announcePlaced(
    map: MapIdentity,
    placed: readonly { readonly user: User; readonly record: Buffer }[],
  ): Promise<number> {
    const { meta, changes } = this.#keys;
    const args = [map.id, this.#changesMax, ...placed.flatMap(({ user, record }) => [user, record])];
    return this.#epoch(map, await this.#script(ANNOUNCE_PLACED, [meta, changes], args));
  }

  async addCohorts(map: MapIdentity, cohorts: readonly StoredCohort[]): Promise<number> {
    const { meta, cohorts: key, changes } = this.#keys;
    const args = [
      map.id,
      this.#changesMax,
      ...cohorts.flatMap((cohort) => [cohort.number, cohortJson(cohort)]),
    ];
    return this.#epoch(map, await this.#script(ADD_COHORTS, [meta, key, changes], args));
  }

  #epoch(map: MapIdentity, reply: unknown): number {
    const epoch = integer(reply);
    if (epoch === -1) throw new MapLostError(`state map ${map.id} is not the one in Redis any more`);
    return epoch;
  }

  /** Takes the map away, so that nobody attaches to it while it is rebuilt. */
  async retract(): Promise<void> {
    await within(this.#client.raw.del(this.#keys.meta), this.#commandMs, 'Redis');
  }

  /** Makes a map whose buckets are complete the one that is there. */
  async publishMap(map: MapIdentity, epoch: number, content: MapContent): Promise<void> {
    const { meta, cohorts, holds, control, changes, pending, over, leases } = this.#keys;
    const keys = [meta, cohorts, holds, control, changes, pending, over, leases];
    const { held, known } = content;
    const args = [map.id, epoch, LAYOUT_FORMAT, map.buckets, content.cohorts.length, held.length];
    await this.#script(PUBLISH_MAP, keys, [
      ...args,
      ...content.cohorts.flatMap((cohort) => [cohort.number, cohortJson(cohort)]),
      ...held.flat(),
      ...known.flat(),
    ]);
  }

  /**
   * The next entries of the feed after `position`; waits up to `blockMs` for the first. The connection is
   * blocked for so long, so it has to be one of its own.
   * @param count bound on the entries
   */
  async readFeed(position: string, count: number, blockMs: number): Promise<readonly FeedEntry[]> {
    const { changes } = this.#keys;
    const reply: unknown = await within(
      this.#client.raw.xreadBuffer('COUNT', count, 'BLOCK', blockMs, 'STREAMS', changes, position),
      blockMs + this.#commandMs,
      'the change feed',
    );
    if (reply === null) return [];
    const [stream] = list(reply);
    return list(list(stream)[1]).map(feedEntry);
  }
}
