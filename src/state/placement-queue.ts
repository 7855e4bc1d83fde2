/**
 * Placements by rule that the map has accepted and that are still to be told: to the other gateways (one feed
 * entry for a batch) and to the record. Both happen behind the request that placed the user.
 *
 * Neither may be late for correctness. A gateway that has not heard of a placement and meets the user asks the
 * map to place it and is given the membership that is in force. The record needs it for the next rebuild; so
 * while the record is unreachable placements wait here, up to a bound, beyond which the oldest are dropped and
 * counted: then the map alone has them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { User } from '../model.ts';
import { MapReplacedError, type Placement, type RecordStore } from '../storage/record-store.ts';

export interface Placed {
  readonly user: User;
  readonly cohort: string;
  readonly version: number;
  /** The record as it is in the bucket. */
  readonly bytes: Buffer;
}

export interface PlacementQueueOptions {
  readonly record: Pick<RecordStore, 'placeUsers'>;
  readonly log: Logger;
  /** Announces a batch in the map that is attached now; rejects when none is. */
  readonly announce: (batch: readonly Placed[]) => Promise<{ mapId: string; epoch: number }>;
  /** Bound on placements that wait. */
  readonly waitingMax?: number;
}

const WAITING_MAX = 100_000;
const BATCH_MAX = 500;
const GATHER_MS = 100;
const RETRY_MS = 1_000;

export class PlacementQueue {
  readonly #options: PlacementQueueOptions;
  readonly #waitingMax: number;
  /** In the order in which they came. */
  readonly #waiting = new Map<User, Placed>();
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #closed = false;
  lost = 0;

  constructor(options: PlacementQueueOptions) {
    this.#options = options;
    this.#waitingMax = options.waitingMax ?? WAITING_MAX;
  }

  /** Those that are on their way to the record included. */
  get waiting(): number {
    return this.#waiting.size + this.#underWay;
  }

  add(placed: Placed): void {
    this.#waiting.set(placed.user, placed);
    if (this.#waiting.size > this.#waitingMax) {
      // A tenth at a time, so that a long outage does not write a line for each user.
      const dropped = this.#take(Math.ceil(this.#waitingMax / 10)).length;
      this.lost += dropped;
      this.#options.log.error(
        { event: 'placements_lost', dropped, lost: this.lost },
        'placements were not recorded: the record has been unreachable for too long',
      );
    }
    this.#schedule(GATHER_MS);
  }

  /** Takes out everything that waits: the map it was placed in was replaced. */
  takeAll(): Placed[] {
    return this.#take(this.#waiting.size);
  }

  #take(count: number): Placed[] {
    const taken: Placed[] = [];
    for (const placed of this.#waiting.values()) {
      if (taken.length === count) break;
      taken.push(placed);
    }
    for (const { user } of taken) this.#waiting.delete(user);
    return taken;
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flushing = this.#flush();
    }, ms).unref();
  }

  async #flush(): Promise<void> {
    while (this.#waiting.size > 0) {
      if (await this.#flushBatch()) continue;
      this.#schedule(RETRY_MS);
      return;
    }
  }

  /** Whether the batch is done with. Announcing and recording one twice changes nothing. */
  async #flushBatch(): Promise<boolean> {
    const batch = this.#take(BATCH_MAX);
    this.#underWay = batch.length;
    try {
      const { mapId, epoch } = await this.#options.announce(batch);
      const placements: Placement[] = batch.map(({ user, cohort, version }) => ({
        user,
        cohort,
        version,
        epoch,
      }));
      await this.#options.record.placeUsers(mapId, placements);
      return true;
    } catch (err) {
      this.#underWay = 0;
      for (const placed of batch) if (!this.#waiting.has(placed.user)) this.#waiting.set(placed.user, placed);
      const replaced = err instanceof MapReplacedError;
      this.#options.log.warn(
        { err, event: 'placements_delayed', waiting: this.#waiting.size },
        replaced ? 'placements wait for the new state map' : 'placements could not be recorded yet',
      );
      return false;
    } finally {
      this.#underWay = 0;
    }
  }

  /** Makes a last attempt of up to `ms`; what is left then is lost to the record and counted. */
  async close(ms: number): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    const last = this.#flushing.then(() => this.#flush());
    await Promise.race([last, sleep(ms, undefined, { ref: false })]);
    this.lost += this.waiting;
    if (this.waiting === 0) return;
    this.#options.log.error(
      { event: 'placements_lost', dropped: this.waiting, lost: this.lost },
      'placements were not recorded before the end',
    );
  }
}
