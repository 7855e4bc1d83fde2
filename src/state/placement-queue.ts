/**
 * Placements by rule that the map has accepted and that are still to be told: to the other gateways (one feed
 * entry for a batch) and to the record. The request that placed the user waits for it: a map that is lost is rebuilt
 * from the record, and whoever acted on a placement that only the lost map had has acted on a truth that is gone.
 *
 * The feed may be late. A gateway that has not heard of a placement and meets the user asks the map to place it and
 * is given the membership that is in force. While the record is unreachable nobody waits; placements do, up to a bound,
 * beyond which the oldest are dropped and counted: then the map alone has them.
 *
 * The record decides. A placement that it does not take, because it knows the user in another cohort or the cohort is
 * gone, is taken back from the map before whoever waits for it is told.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { User } from '../model.ts';
import {
  MapReplacedError,
  type NotPlaced,
  type Placement,
  type RecordStore,
} from '../storage/record-store.ts';
import { within } from './within.ts';

export interface Placed {
  readonly user: User;
  readonly cohort: string;
  readonly version: number;
  /** The map that accepted it. */
  readonly mapId: string;
  /** The record as it is in the bucket. */
  readonly bytes: Buffer;
}

/** The record knows the user otherwise: what the map has of it is right again, and the user is to be placed anew. */
export class NotPlacedError extends Error {
  override name = 'NotPlacedError';
}

export interface RefusedPlacement extends NotPlaced {
  readonly placed: Placed;
}

export interface PlacementQueueOptions {
  readonly record: Pick<RecordStore, 'placeUsers'>;
  readonly log: Logger;
  /** Announces a batch in the map that is attached now; rejects when none is. */
  readonly announce: (batch: readonly Placed[]) => Promise<{ mapId: string; epoch: number }>;
  /** Says of a batch that the record has it. One that fails leaves it to whoever meets these users. */
  readonly confirm?: (mapId: string, batch: readonly Placed[]) => Promise<void>;
  /** Makes the map follow the record. One that fails leaves it to whoever meets these users. */
  readonly takeBack?: (mapId: string, refused: readonly RefusedPlacement[]) => Promise<void>;
  /** Told when either of these fails. */
  readonly onUnfinished?: (error: unknown) => void;
  /** Whether it was accepted by another map than the one that is attached now. */
  readonly isStale?: (placed: Placed) => boolean;
  /** Places those again in the map that is attached now. */
  readonly placeAgain?: (stale: readonly Placed[]) => void;
  /** Told when the record says that the map that is attached was replaced. */
  readonly onReplaced?: () => void;
  /** Bound on placements that wait. */
  readonly waitingMax?: number;
}

const WAITING_MAX = 100_000;
const BATCH_MAX = 500;
/** A request waits for as long. */
const GATHER_MS = 20;
const RETRY_MS = 1_000;

export class PlacementQueue {
  readonly #options: PlacementQueueOptions;
  readonly #waitingMax: number;
  /** In the order in which they came. */
  readonly #waiting = new Map<User, Placed>();
  #underWay: ReadonlySet<User> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #closed = false;
  /** The record did not take the last batch. */
  #recordFails = false;
  readonly #awaited = new Map<User, PromiseWithResolvers<void>>();
  /** Users whose placement was acted on although the record does not have it. */
  readonly #mapOnly = new Set<User>();
  #someRecorded: PromiseWithResolvers<void> | undefined;
  lost = 0;

  constructor(options: PlacementQueueOptions) {
    this.#options = options;
    this.#waitingMax = options.waitingMax ?? WAITING_MAX;
  }

  /** Those that are on their way to the record included. */
  get waiting(): number {
    return this.#waiting.size + this.#underWay.size;
  }

  add(placed: Placed): void {
    this.#waiting.set(placed.user, placed);
    if (this.#waiting.size > this.#waitingMax) {
      // A tenth at a time, so that a long outage does not write a line for each user.
      const oldest = this.#take(Math.ceil(this.#waitingMax / 10));
      const dropped = oldest.length;
      this.lost += dropped;
      for (const { user } of oldest) this.#mapOnly.delete(user);
      this.#options.log.error(
        { event: 'placements_lost', dropped, lost: this.lost },
        'placements were not recorded: the record has been unreachable for too long',
      );
    }
    this.#schedule(GATHER_MS);
  }

  /**
   * Resolves when the record has what was added of this user; at once when there is nothing, or while the record fails.
   *
   * @param ms bound on the wait
   * @param insists whether, by then, a record that fails is no reason to go on without it
   * @throws Error when the wait is over, because the map is lost or the record is slow; when it fails and `insists`
   * @throws NotPlacedError when the record knows the user otherwise
   */
  async recorded(user: User, ms: number, insists: () => boolean): Promise<void> {
    if (!this.#has(user)) return;
    if (!this.#recordFails && !this.#closed) await this.#untilRecorded(user, ms);
    if (!this.#has(user)) return;
    if (insists())
      throw new Error('the record does not take placements, and users who could be meant are held');
    this.#mapOnly.add(user);
  }

  #has(user: User): boolean {
    return this.#waiting.has(user) || this.#underWay.has(user);
  }

  async #untilRecorded(user: User, ms: number): Promise<void> {
    const awaited = this.#awaited.get(user) ?? Promise.withResolvers<void>();
    this.#awaited.set(user, awaited);
    try {
      await within(awaited.promise, ms, 'the record of placements');
    } catch (error) {
      // It may have begun to fail meanwhile.
      if (!this.#recordFails || error instanceof NotPlacedError) throw error;
    } finally {
      this.#awaited.delete(user);
    }
  }

  /** Placements that were acted on while only the map had them, and that it still has alone. */
  get mapOnly(): number {
    return this.#mapOnly.size;
  }

  /** Resolves when the record has taken some; at once when it has all that were acted on. */
  async someRecorded(): Promise<void> {
    if (this.#mapOnly.size === 0) return;
    await (this.#someRecorded ??= Promise.withResolvers<void>()).promise;
  }

  #settle(users: Iterable<User>): void {
    for (const user of users) this.#awaited.get(user)?.resolve();
  }

  /** Takes out everything that waits: the map it was placed in was replaced. */
  takeAll(): Placed[] {
    this.#mapOnly.clear();
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
      // One after the other: what is under way is one batch.
      this.#flushing = this.#flushing.then(() => this.#flush());
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
    const { announce, record, log, isStale, placeAgain } = this.#options;
    const taken = this.#take(BATCH_MAX);
    const stale = isStale === undefined ? [] : taken.filter(isStale);
    // Its bucket in this map does not have it: telling of it would not make it so.
    if (stale.length > 0) placeAgain?.(stale);
    const batch = stale.length === 0 ? taken : taken.filter((placed) => !stale.includes(placed));
    if (batch.length === 0) return true;
    this.#underWay = new Set(batch.map(({ user }) => user));
    let announced = false;
    try {
      const { mapId, epoch } = await announce(batch);
      announced = true;
      const placements: Placement[] = batch.map(({ user, cohort, version }) => ({
        user,
        cohort,
        version,
        epoch,
      }));
      const others = await record.placeUsers(mapId, placements);
      this.#recordFails = false;
      await this.#answered(mapId, batch, others);
      return true;
    } catch (err) {
      this.#underWay = new Set();
      for (const placed of batch) if (!this.#waiting.has(placed.user)) this.#waiting.set(placed.user, placed);
      const replaced = err instanceof MapReplacedError;
      this.#recordFails = announced && !replaced;
      if (replaced) this.#options.onReplaced?.();
      if (this.#recordFails) this.#settle(this.#awaited.keys());
      log.warn(
        { err, event: 'placements_delayed', waiting: this.#waiting.size },
        replaced ? 'placements wait for the new state map' : 'placements could not be recorded yet',
      );
      return false;
    } finally {
      this.#underWay = new Set();
      if (!this.#recordFails) {
        this.#someRecorded?.resolve();
        this.#someRecorded = undefined;
      }
    }
  }

  /** The record has decided: those who wait are told, and the map is made to say the same. */
  async #answered(mapId: string, batch: readonly Placed[], others: readonly NotPlaced[]): Promise<void> {
    const { confirm, takeBack, log } = this.#options;
    const notPlaced = new Map(others.map((other) => [other.user, other]));
    const refused: RefusedPlacement[] = [];
    const taken: Placed[] = [];
    for (const placed of batch) {
      const other = notPlaced.get(placed.user);
      if (other === undefined) taken.push(placed);
      else refused.push({ ...other, placed });
    }
    const actedOn = refused.filter(({ user }) => this.#mapOnly.has(user)).length;
    for (const { user } of batch) this.#mapOnly.delete(user);
    this.#underWay = new Set(refused.map(({ user }) => user));
    this.#settle(taken.map(({ user }) => user));
    if (refused.length > 0) {
      log.warn(
        { event: 'placements_refused', refused: refused.length, actedOn },
        'the record knows users otherwise than the state map had placed them',
      );
      await this.#finish(takeBack?.(mapId, refused));
      for (const { user } of refused) {
        this.#awaited.get(user)?.reject(new NotPlacedError('the record knows the user otherwise'));
      }
      this.#underWay = new Set();
    }
    if (taken.length > 0) await this.#finish(confirm?.(mapId, taken));
  }

  async #finish(work: Promise<void> | undefined): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#options.onUnfinished?.(error);
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
