/**
 * The marks that are in Redis and perhaps not yet in the record: in a few sets that spread over the slots of a
 * cluster. A set holds what the record has not confirmed, so it is short; the record has the rest.
 */
import type { Mark, MarkStore } from '../cutover/write-marks-store.ts';
import { markMember, parseMarkMember } from './mark-member.ts';
import type { RedisClient } from './redis-client.ts';
import { MARK_SHARDS, type RedisKeys } from './redis-keys.ts';
import { list, text } from './reply.ts';
import { userBucket } from './user-bucket.ts';
import { within } from './within.ts';

/** Marks in one statement of the record. */
const BATCH_MAX = 1_000;
/** About as many are in one reply of Redis; a small set comes as a whole. */
const SCAN_COUNT = 1_000;

export class MarkSets {
  readonly #client: RedisClient;
  readonly #keys: RedisKeys;
  readonly #commandMs: number;

  constructor(client: RedisClient, keys: RedisKeys, commandMs: number) {
    this.#client = client;
    this.#keys = keys;
    this.#commandMs = commandMs;
  }

  #keyOf({ user }: Mark): string {
    return this.#keys.marks(userBucket(user, MARK_SHARDS));
  }

  /** One round trip. When it resolves the mark is as durable as Redis is. */
  async add(mark: Mark): Promise<void> {
    await within(this.#client.raw.sadd(this.#keyOf(mark), markMember(mark)), this.#commandMs, 'Redis');
  }

  /** Whether one of these is here. @param marks all of one user */
  async hasAny(marks: readonly Mark[]): Promise<boolean> {
    const [first] = marks;
    if (first === undefined) return false;
    const reply = this.#client.raw.smismember(this.#keyOf(first), ...marks.map(markMember));
    return (await within(reply, this.#commandMs, 'Redis')).some((found) => found === 1);
  }

  /** The record has these. */
  async remove(marks: readonly Mark[]): Promise<void> {
    const bySet = new Map<string, string[]>();
    for (const mark of marks) {
      const key = this.#keyOf(mark);
      const members = bySet.get(key);
      if (members === undefined) bySet.set(key, [markMember(mark)]);
      else members.push(markMember(mark));
    }
    const removed = [...bySet].map(([key, members]) => this.#client.raw.srem(key, ...members));
    await within(Promise.all(removed), this.#commandMs, 'Redis');
  }

  /**
   * Brings every mark that is here into the record, then takes it away from here. So a mark is always in one of
   * the two, and whoever looks here first and there afterwards misses none.
   * @returns how many there were
   */
  async collect(store: Pick<MarkStore, 'addMarks'>): Promise<number> {
    const shards = Array.from({ length: MARK_SHARDS }, (_, shard) => this.#keys.marks(shard));
    // Most are empty, most of the time.
    const sizes = await within(
      Promise.all(shards.map((key) => this.#client.raw.scard(key))),
      this.#commandMs,
      'Redis',
    );
    let collected = 0;
    for (const [shard, key] of shards.entries()) {
      if ((sizes[shard] ?? 0) > 0) collected += await this.#collectSet(key, store);
    }
    return collected;
  }

  async #collectSet(key: string, store: Pick<MarkStore, 'addMarks'>): Promise<number> {
    let collected = 0;
    for (let cursor = '0'; ; ) {
      const reply = this.#client.raw.sscan(key, cursor, 'COUNT', SCAN_COUNT);
      const [next, found] = list(await within(reply, this.#commandMs, 'Redis'));
      const members = list(found).map(text);
      for (let i = 0; i < members.length; i += BATCH_MAX) {
        const batch = members.slice(i, i + BATCH_MAX);
        await store.addMarks(batch.map(parseMarkMember));
        await within(this.#client.raw.srem(key, ...batch), this.#commandMs, 'Redis');
      }
      collected += members.length;
      cursor = text(next);
      if (cursor === '0') return collected;
    }
  }
}
