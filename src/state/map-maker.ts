/** Makes the map in Redis what the record says: builds a lost one, adds cohorts that are new. */
import type { Logger } from 'pino';
import type { Cohort } from '../model.ts';
import type { RecordStore, Seeded } from '../storage/record-store.ts';
import { logNotSeeded } from './log-not-seeded.ts';
import type { MapCommands, MapIdentity } from './map-commands.ts';
import { rebuildMap } from './rebuild.ts';
import type { RedisClient, RedisModel } from './redis-client.ts';
import type { RedisKeys } from './redis-keys.ts';
import { within } from './within.ts';

export interface MapMakerOptions {
  readonly model: RedisModel;
  readonly keys: RedisKeys;
  readonly record: RecordStore;
  /** The configured cohorts. */
  readonly cohorts: readonly Cohort[];
  readonly log: Logger;
}

/** An open way to Redis. */
export interface Connection {
  readonly client: RedisClient;
  readonly commands: MapCommands;
}

/** Bound on asking the record for new cohorts: a gateway does not wait longer for them before it serves. */
const SEED_MS = 5_000;

export class MapMaker {
  readonly #options: MapMakerOptions;
  #seeded = false;
  /** Of cohorts that are not created. */
  #told = false;
  /** A rebuild is under way; it may take minutes. */
  rebuilding = false;

  constructor(options: MapMakerOptions) {
    this.#options = options;
  }

  /**
   * Builds the map from the record, unless another gateway has done it by the time it is this one's turn.
   * @param condemned the id of the map that is lost; `undefined` when Redis has none
   * @param buckets of the map that was followed; `undefined` for the configured number
   * @param epochSeen the new map goes on above it
   */
  async rebuild(
    { client, commands }: Connection,
    condemned: string | undefined,
    buckets: number | undefined,
    epochSeen: number,
  ): Promise<void> {
    const { record, keys, model, log, cohorts } = this.#options;
    this.rebuilding = true;
    try {
      if (!this.#seeded) this.#tell(await record.seedCohorts(cohorts));
      const options = { record, client, commands, keys, condemned, epochSeen, log };
      const isCluster = model.mode === 'cluster';
      await rebuildMap({ ...options, isCluster, buckets: buckets ?? model.userBuckets });
    } finally {
      this.rebuilding = false;
    }
  }

  /**
   * Adds the configured cohorts that neither the record nor the map has. Once; put off while the record is down.
   * @returns the epoch at which they are there
   */
  async seed({ commands }: Connection, map: MapIdentity): Promise<number> {
    if (this.#seeded) return 0;
    const { record, cohorts, log, model } = this.#options;
    if (map.buckets !== model.userBuckets) {
      log.warn(
        { event: 'state_buckets', map: map.buckets, configured: model.userBuckets },
        `the state map has ${map.buckets} user buckets; state.userBuckets counts for new maps only`,
      );
    }
    let seeded: Seeded;
    try {
      seeded = await within(record.seedCohorts(cohorts), SEED_MS, record.where);
    } catch (err) {
      log.warn({ err, event: 'state_not_seeded' }, 'new cohorts of the configuration wait for the record');
      return 0;
    }
    this.#tell(seeded);
    const epoch = await commands.addCohorts(map, seeded.cohorts);
    this.#seeded = true;
    return epoch;
  }

  #tell({ notSeeded }: Seeded): void {
    if (this.#told) return;
    this.#told = true;
    logNotSeeded(this.#options.log, notSeeded);
  }
}
