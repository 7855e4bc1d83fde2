/**
 * Writes the whole map into Redis from the record. One gateway does it, under a lock of the record.
 *
 * 1. The record's map is replaced by a new one. From here on no gateway's write for the old map is accepted by
 *    the record, and every earlier one is visible to step 4.
 * 2. The old map is taken away: nobody attaches to what is half done.
 * 3. All buckets are removed, marks included: a gateway that has not noticed yet finds its marks missing and
 *    reads no user as absent.
 * 4. Every user of the record is written to its bucket.
 * 5. Each bucket gets the mark of the new map.
 * 6. Cohorts, holds of open changes, epoch and identity are published in one script. Only now is there a map.
 *
 * A rebuild that dies on the way leaves no map, and the next one starts from the top.
 */
import type { Logger } from 'pino';
import type { RecordStore, UserRow } from '../storage/record-store.ts';
import { cohortNumbers } from './cohort-numbers.ts';
import { holdFields } from './hold-fields.ts';
import { bucketMark, type MapCommands, type MapContent, type MapIdentity } from './map-commands.ts';
import { type CohortNumbers, encodeRecord } from './record-codec.ts';
import type { RedisClient } from './redis-client.ts';
import type { RedisKeys } from './redis-keys.ts';
import { writeUsers } from './redis-scripts.ts';
import { reopenedChange } from './reopened-change.ts';
import { ForeignMapError } from './shared-state.ts';
import { userBucket } from './user-bucket.ts';
import { MARK_FIELD, userField } from './user-field.ts';

export interface RebuildOptions {
  readonly record: RecordStore;
  readonly client: RedisClient;
  readonly commands: MapCommands;
  readonly keys: RedisKeys;
  readonly buckets: number;
  /** The buckets are on several servers. */
  readonly isCluster: boolean;
  /** The map that was found to be lost; `undefined` when there is none in Redis. */
  readonly condemned: string | undefined;
  /** The highest epoch this gateway has seen: the new map begins above it. */
  readonly epochSeen: number;
  readonly log: Logger;
}

/** Commands that are under way at a time: enough to fill the pipeline, few enough to keep answering others. */
const BATCH = 1_000;
/** Users that one script writes: it keeps Redis from others for a fraction of a millisecond. */
const TOGETHER = 250;

async function inBatches<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  let batch: Promise<unknown>[] = [];
  for (const item of items) {
    batch.push(work(item));
    if (batch.length < BATCH) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
}

/** @returns the number of users */
async function writeAll(options: RebuildOptions, map: MapIdentity): Promise<number> {
  const { record } = options;
  const cohorts = cohortNumbers(await record.readCohorts());
  let written = 0;
  let reading = record.scanUsers(undefined, BATCH);
  for (;;) {
    const page = await reading;
    const isLast = page.length < BATCH;
    // The record reads the next page while Redis takes this one.
    if (!isLast) reading = record.scanUsers(page.at(-1)?.user, BATCH);
    // A failure to write ends the rebuild; that of the read which is then nobody's must not end the process.
    reading.catch(() => undefined);
    await writePage(options, map, cohorts, page);
    written += page.length;
    if (isLast) return written;
  }
}

async function writePage(
  { client, keys, isCluster }: RebuildOptions,
  map: MapIdentity,
  cohorts: CohortNumbers,
  page: readonly UserRow[],
): Promise<void> {
  const users = page.map(({ user, ...versioned }) => ({
    bucket: keys.bucket(userBucket(user, map.buckets)),
    field: userField(user),
    bytes: encodeRecord(versioned, cohorts),
  }));
  if (isCluster) {
    await inBatches(users, ({ bucket, field, bytes }) => client.raw.hset(bucket, field, bytes));
    return;
  }
  // A command for each user costs this process several times what it costs Redis.
  const scripts: Promise<unknown>[] = [];
  for (let at = 0; at < users.length; at += TOGETHER) {
    const some = users.slice(at, at + TOGETHER);
    const buckets = some.map(({ bucket }) => bucket);
    const args = some.flatMap(({ field, bytes }) => [field, bytes]);
    scripts.push(client.script(writeUsers(some.length), buckets, args));
  }
  await Promise.all(scripts);
}

/**
 * What the record says now, while there is no map: no step of a change has taken effect that the record was not
 * told of before. The cohorts are read last, so that each one that is held is among them; one that a change is about to make is not there
 * yet, and the switch holds it.
 */
async function readContent(record: RecordStore, epoch: number): Promise<MapContent> {
  const open = [];
  for (const change of await record.changes.openChanges()) {
    const reopened = reopenedChange(change, epoch);
    if (reopened === undefined) continue;
    open.push({ id: change.id, reopened, claims: await record.changes.claimsOf(change.id) });
  }
  const cohorts = await record.readCohorts();
  const held: [string, string][] = [];
  const known: [string, string][] = [];
  for (const { id, reopened, claims } of open) {
    const fields = reopened.held > 0 ? holdFields(claims, cohorts) : [];
    known.push([id, JSON.stringify({ ...reopened, fields })]);
    for (const field of fields) held.push([field, JSON.stringify({ change: id, epoch })]);
  }
  return { cohorts, held, known };
}

async function write(options: RebuildOptions, map: MapIdentity, epoch: number): Promise<void> {
  const { record, client, commands, keys, log } = options;
  const numbers = function* (): Generator<number> {
    for (let bucket = 0; bucket < map.buckets; bucket++) yield bucket;
  };
  await commands.retract();
  await inBatches(numbers(), (bucket) => client.raw.unlink(keys.bucket(bucket)));
  const users = await writeAll(options, map);
  const mark = bucketMark(map.id);
  await inBatches(numbers(), (bucket) => client.raw.hset(keys.bucket(bucket), MARK_FIELD, mark));
  // The lock lives on a connection to the record, which may have broken: then another may have begun.
  if ((await record.readMap())?.id !== map.id)
    throw new Error('another gateway has begun to rebuild the state map');
  await commands.publishMap(map, epoch, await readContent(record, epoch));
  log.warn({ event: 'state_rebuilt', map: map.id, epoch, users }, `state map rebuilt from ${record.where}`);
}

/**
 * Returns when the map in Redis is the record's current one: rebuilt by this call, or by somebody who was
 * faster.
 * @throws ForeignMapError when what is in Redis never belonged to this record: it is not overwritten
 */
export async function rebuildMap(options: RebuildOptions): Promise<void> {
  const { record, commands, condemned, epochSeen, buckets } = options;
  // Outside the lock: this takes a lock of its own.
  await record.createMap();
  await record.exclusive('turnout rebuild', async () => {
    const current = await record.readMap();
    if (current === undefined) throw new Error(`${record.where} has lost its state map`);
    const there = await commands.readShared('');
    if (there !== undefined && there.id === current.id && there.id !== condemned) return;
    if (there !== undefined && there.id !== current.id && !(await record.isRetired(there.id))) {
      throw new ForeignMapError(
        `Redis holds state map ${there.id}, which ${record.where} does not know. ` +
          'Another system may use this Redis: set another state.keyPrefix, or connect the record it belongs to',
      );
    }
    const next = await record.replaceMap(current.id, Math.max(epochSeen, there?.epoch ?? 0));
    if (next === undefined) throw new Error('another gateway has begun to rebuild the state map');
    await write(options, { id: next.id, buckets }, next.epoch);
  });
}
