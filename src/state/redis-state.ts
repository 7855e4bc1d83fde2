/**
 * The state map in Redis, shared by all gateways. docs/state-map.md has the layout and the reasons for the
 * order of each step.
 */
import type { Logger } from 'pino';
import { TurnoutError } from '../errors.ts';
import type { Cohort, User, UserRecord } from '../model.ts';
import type { RecordStore } from '../storage/record-store.ts';
import { Contact } from './contact.ts';
import { EpochQuestion } from './epoch-question.ts';
import { createListeners, type Listeners } from './listeners.ts';
import { MapLostError } from './map-commands.ts';
import { type Link, MapFollower } from './map-follower.ts';
import { MapView } from './map-view.ts';
import { LOOK_MS, type MarkedMap } from './mark-lookup.ts';
import { PlacementQueue } from './placement-queue.ts';
import type { RedisModel } from './redis-client.ts';
import { CHANGES_MAX, redisKeys } from './redis-keys.ts';
import type { Attachment, StateChange, StateMap, StateStatus, UnrecordedPlacements } from './state-map.ts';
import { assertRecord, assertUser } from './user-limits.ts';
import { UserReader } from './user-reader.ts';
import { UserTable } from './user-table.ts';
import { UserWriter } from './user-writer.ts';
import { within } from './within.ts';
import { GatewayMarker } from './write-marker.ts';

export interface RedisStateOptions {
  readonly model: RedisModel;
  readonly record: RecordStore;
  /** Bound on one read of the record, milliseconds. */
  readonly recordMs: number;
  /** Seeds: created in the map when absent there. */
  readonly cohorts: readonly Cohort[];
  /** `cutover.selfFenceAfterMs`. */
  readonly selfFenceAfterMs: number;
  readonly log: Logger;
  /** Monotonic, milliseconds. */
  readonly clock: () => number;
  /** 0 to 1, for the jitter of reconnecting. */
  readonly random?: () => number;
  /** Bound on `start` while the map cannot be attached to; a rebuild may take longer. */
  readonly startMs?: number;
  /** Changes that the feed keeps, about. */
  readonly changesMax?: number;
  /** How long a connection to Redis has to be old before what it does not have is believed, milliseconds. */
  readonly settledMs?: number;
}

const START_MS = 15_000;
/** Bound on users being read at the same time. */
const LOADS_MAX = 10_000;
/** Heartbeats between two looks for changes that only the record has: half a minute, usually. */
const RECONCILE_BEATS = 12;
/**
 * A Redis that was failed over may have lost marks that another gateway is still telling the record. That takes it a
 * tenth of a second, and a second more when the record has just come back.
 */
const SETTLED_MS = 2_000;
/** How long `close` waits for placements and marks to reach the record. */
const LAST_FLUSH_MS = 2_000;

class RedisState implements StateMap {
  readonly #options: RedisStateOptions;
  readonly #listeners: Listeners;
  readonly #contact: Contact;
  readonly #users: UserTable;
  readonly #view: MapView;
  readonly #follower: MapFollower;
  readonly #writer: UserWriter;
  readonly #placements: PlacementQueue;
  readonly #epochs = new EpochQuestion();
  readonly unrecordedPlacements: UnrecordedPlacements;
  readonly marks: GatewayMarker;
  #told: Attachment = 'detached';
  #watch: NodeJS.Timeout | undefined;
  #beats = 0;

  constructor(options: RedisStateOptions) {
    const { model, record, recordMs, log, clock, selfFenceAfterMs } = options;
    this.#options = options;
    this.#listeners = createListeners(log);
    this.#contact = new Contact(clock, selfFenceAfterMs);
    const link = (): Link | undefined => this.#attachedLink();
    this.#users = new UserTable({
      cacheMax: model.userCacheMax,
      loadsMax: LOADS_MAX,
      read: (user) => reader.read(user),
    });
    this.marks = new GatewayMarker({
      store: record.marks,
      recordMs,
      sets: () => this.#attachedLink()?.marks,
      map: () => this.#markedMap(),
      caughtUp: () => this.#caughtUp(),
      rememberedMax: model.userCacheMax,
      log,
    });
    this.#listeners.add((change) => this.marks.onChange(change));
    this.#view = new MapView(this.#users, this.#listeners, log, clock);
    this.#follower = new MapFollower({
      ...options,
      keys: redisKeys(model.keyPrefix),
      view: this.#view,
      contact: this.#contact,
      random: options.random ?? Math.random,
      changesMax: options.changesMax ?? CHANGES_MAX,
      onAttached: (replaced) => this.#onAttached(replaced),
      onBeat: (attached) => this.#onBeat(attached),
      onContact: () => this.#tellAttachment(),
    });
    const reader = new UserReader({
      record,
      recordMs,
      view: this.#view,
      link,
      suspect: (error) => this.#follower.suspect(error),
      problem: () => this.#follower.problem,
      log,
    });
    this.#placements = new PlacementQueue({
      record,
      log,
      announce: async (batch) => {
        const { commands, map } = this.#writer.requireLink();
        const placed = batch.map(({ user, bytes }) => ({ user, record: bytes }));
        return { mapId: map.id, epoch: await commands.announcePlaced(map, placed) };
      },
      confirm: (mapId, batch) => this.#writer.confirm(mapId, batch),
      takeBack: (mapId, refused) => this.#writer.takeBack(mapId, refused),
      onUnfinished: (error) => this.#follower.suspectIfLost(error),
      isStale: ({ mapId }) => link() !== undefined && mapId !== this.#view.identity?.id,
      placeAgain: (stale) => this.#writer.placeAgain(stale),
      onReplaced: () =>
        this.#follower.suspect(new MapLostError('the record says that the state map was replaced')),
    });
    const placements = this.#placements;
    this.unrecordedPlacements = {
      get unrecorded() {
        return placements.mapOnly;
      },
      recorded: () => placements.someRecorded(),
    };
    this.#writer = new UserWriter({
      record,
      recordMs,
      view: this.#view,
      users: this.#users,
      placements: this.#placements,
      link,
      problem: () => this.#follower.problem,
      clock,
      log,
    });
  }

  get snapshot(): MapView['snapshot'] {
    return this.#view.snapshot;
  }

  get attachment(): Attachment {
    return this.#contact.attachment;
  }

  /** The way to the map while it may be used: a gateway that was frozen has none until it has asked again. */
  #attachedLink(): Link | undefined {
    return this.#contact.attachment === 'attached' ? this.#follower.link : undefined;
  }

  /** Where marks can be looked for, while their absence means something. */
  #markedMap(): MarkedMap | undefined {
    const link = this.#attachedLink();
    const { clock, settledMs = SETTLED_MS } = this.#options;
    if (link === undefined || clock() - link.since < settledMs) return undefined;
    const { marks: sets, commands, map } = link;
    return { sets, isStillThere: async () => (await this.#epochs.ask(commands))?.id === map.id };
  }

  async #caughtUp(): Promise<boolean> {
    const link = this.#attachedLink();
    if (link === undefined) return false;
    try {
      const there = await within(this.#epochs.ask(link.commands), LOOK_MS, 'Redis');
      if (there?.id !== link.map.id || !(await this.#applied(there.epoch))) return false;
      return this.#attachedLink() === link;
    } catch {
      return false;
    }
  }

  /** Whether this gateway has applied the epoch, or does so soon. */
  async #applied(epoch: number): Promise<boolean> {
    if (this.#view.epoch >= epoch) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const stop = this.#listeners.add(() => {
      if (this.#view.epoch >= epoch) resolve(true);
    });
    const timer = setTimeout(() => resolve(false), LOOK_MS);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      stop();
    }
  }

  async start(): Promise<void> {
    this.#follower.run();
    // Time passes without an event too: this is for those who listen, `attachment` does not depend on it.
    this.#watch = setInterval(() => this.#tellAttachment(), this.#options.selfFenceAfterMs / 10).unref();
    try {
      await this.#untilAttached();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #untilAttached(): Promise<void> {
    const startMs = this.#options.startMs ?? START_MS;
    const timeout = Promise.withResolvers<never>();
    let timer: NodeJS.Timeout | undefined;
    const arm = (): void => {
      timer = setTimeout(() => {
        if (this.#follower.rebuilding) return arm();
        const cause = this.#follower.problem;
        const why = cause?.message ?? 'it does not answer';
        return timeout.reject(
          new Error(`the state map cannot be attached to within ${startMs} ms: ${why}`, { cause }),
        );
      }, startMs);
    };
    arm();
    try {
      await Promise.race([this.#follower.attached, timeout.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    await Promise.all([this.#placements.close(LAST_FLUSH_MS), this.marks.close(LAST_FLUSH_MS)]);
    await this.#follower.stop();
  }

  #onAttached(replaced: boolean): void {
    this.#users.forgetProvisional();
    if (replaced) this.#writer.placeAgain();
    this.#writer.reconcile();
    void this.marks.sweep();
  }

  #onBeat(link: Link): void {
    this.#writer.repair(link);
    // What a writer left half done while this gateway was attached all the time.
    this.#beats = (this.#beats + 1) % RECONCILE_BEATS;
    if (this.#beats !== 0) return;
    this.#writer.reconcile();
    void this.marks.sweep();
  }

  #tellAttachment(): void {
    const { attachment } = this.#contact;
    if (attachment === this.#told) return;
    this.#told = attachment;
    this.#listeners.emit({ kind: 'attachment', attachment });
  }

  cached(user: User): UserRecord | undefined {
    return this.#users.cached(user);
  }

  async load(user: User): Promise<UserRecord> {
    assertUser(user);
    return (await this.#users.load(user)).record;
  }

  async place(user: User, cohort: string): Promise<UserRecord> {
    assertUser(user);
    if (!this.#view.snapshot.cohortByName.has(cohort)) throw new RangeError(`there is no cohort ${cohort}`);
    try {
      return await this.#writer.place(user, cohort);
    } catch (cause) {
      this.#follower.suspectIfLost(cause);
      if (cause instanceof TurnoutError) throw cause;
      throw new TurnoutError('state_unknown', { cause });
    }
  }

  async putUser(user: User, record: UserRecord): Promise<number> {
    assertUser(user);
    assertRecord(record);
    try {
      return await this.#writer.put(user, record);
    } catch (error) {
      this.#follower.suspectIfLost(error);
      throw error;
    }
  }

  onChange(listener: (change: StateChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  status(): StateStatus {
    const { attachment, silentMs } = this.#contact;
    return {
      kind: 'redis',
      attachment,
      detachedMs: attachment === 'attached' ? 0 : Math.round(silentMs),
      mapId: this.#view.snapshot.mapId,
      epoch: this.#view.epoch,
      cachedUsers: this.#users.size,
      cacheHits: this.#users.hits,
      cacheMisses: this.#users.misses,
      problem:
        attachment === 'attached' ? undefined : (this.#follower.problem?.message ?? 'it does not answer'),
      placements: { waiting: this.#placements.waiting, lost: this.#placements.lost },
      marks: this.marks.status(),
    };
  }
}

/** Does no I/O before `start`. Closing it leaves the record open: that belongs to whoever opened it. */
export function createRedisState(options: RedisStateOptions): StateMap {
  return new RedisState(options);
}
