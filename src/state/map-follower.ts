/**
 * Keeps this gateway in step with the map in Redis, for ever: connects, checks that the map is the one that it
 * knows (rebuilding one that is lost), follows the change feed, and begins again when anything fails.
 *
 *     connecting -> checking -> following -> (any failure) -> waiting -> connecting ...
 *
 * A connection is used until its first failure. So every connection on which a user is read belongs to a map
 * that was checked after it was opened.
 */
import type { Logger } from 'pino';
import type { Cohort } from '../model.ts';
import type { RecordStore } from '../storage/record-store.ts';
import { backoffMs } from './backoff.ts';
import type { Contact } from './contact.ts';
import type { FeedEntry } from './feed-entry.ts';
import { judgeMap } from './judge-map.ts';
import {
  BucketLostError,
  FeedGapError,
  MapCommands,
  type MapIdentity,
  MapLostError,
} from './map-commands.ts';
import { MapMaker } from './map-maker.ts';
import type { MapView } from './map-view.ts';
import { MarkSets } from './mark-sets.ts';
import { openRedis, type RedisClient, type RedisModel } from './redis-client.ts';
import type { RedisKeys } from './redis-keys.ts';
import { ForeignMapError } from './shared-state.ts';
import { within } from './within.ts';

export interface FollowerOptions {
  readonly model: RedisModel;
  readonly keys: RedisKeys;
  readonly record: RecordStore;
  readonly recordMs: number;
  readonly cohorts: readonly Cohort[];
  readonly selfFenceAfterMs: number;
  readonly changesMax: number;
  readonly view: MapView;
  readonly contact: Contact;
  readonly clock: () => number;
  readonly random: () => number;
  readonly log: Logger;
  /** Called when the map is attached (again). `replaced`: it is another map than before. */
  readonly onAttached: (replaced: boolean) => void;
  /** Called on each heartbeat while attached. */
  readonly onBeat: (link: Link) => void;
  /** Called when the attachment may have changed. */
  readonly onContact: () => void;
}

/** A map that is being followed, and the way to it. */
export interface Link {
  readonly commands: MapCommands;
  readonly marks: MarkSets;
  readonly map: MapIdentity;
  /** When it was attached to, by the follower's clock. */
  readonly since: number;
}

interface Session {
  readonly client: RedisClient;
  readonly commands: MapCommands;
  readonly feed: MapCommands;
  /** Rejects when the session is over. */
  readonly over: Promise<never>;
  readonly fail: (error: unknown) => void;
}

const FEED_BATCH = 1_000;
const CONNECT_MS_MAX = 5_000;

export class MapFollower {
  readonly #options: FollowerOptions;
  readonly #beatMs: number;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #attached = Promise.withResolvers<void>();
  #isStopped = false;
  #running: Promise<void> = Promise.resolve();
  #session: Session | undefined;
  #link: Link | undefined;
  #problem: Error | undefined;
  #condemned: string | undefined;
  readonly #maker: MapMaker;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#beatMs = Math.max(1, Math.floor(options.selfFenceAfterMs / 4));
    this.#maker = new MapMaker(options);
    // Nobody may be waiting for it.
    this.#attached.promise.catch(() => undefined);
  }

  /** The map, while it is followed. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** A rebuild is under way; it may take minutes. */
  get rebuilding(): boolean {
    return this.#maker.rebuilding;
  }

  /** Why the map is not followed. */
  get problem(): Error | undefined {
    return this.#link === undefined ? this.#problem : undefined;
  }

  /** Settles when the map is followed for the first time, or is found to be one that must not be. */
  get attached(): Promise<void> {
    return this.#attached.promise;
  }

  run(): void {
    this.#running = this.#run();
  }

  /** The map did not answer as this map: checks it again, on a new connection. */
  suspect(error: unknown): void {
    this.#session?.fail(error);
  }

  /** As `suspect`, for an error of any kind: only one that says that the map is lost counts. */
  suspectIfLost(error: unknown): void {
    if (error instanceof MapLostError) this.suspect(error);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopped.resolve();
    this.#session?.fail(new Error('the state map is closed'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log, random, contact } = this.#options;
    for (let attempt = 0; !this.#isStopped; attempt++) {
      try {
        await this.#connectAndFollow(() => {
          attempt = -1;
        });
      } catch (error) {
        this.#problem = error instanceof Error ? error : new Error(String(error));
      }
      contact.following = false;
      this.#link = undefined;
      this.#session = undefined;
      if (this.#isStopped) return;
      // No retry helps, so whoever waits for the start is told; a gateway that runs stays detached and asks again.
      if (this.#problem instanceof ForeignMapError) this.#attached.reject(this.#problem);
      if (this.#problem instanceof BucketLostError) this.#condemned = this.#options.view.identity?.id;
      log.warn({ err: this.#problem, event: 'state_detached', attempt }, 'detached from the state map');
      this.#options.onContact();
      await this.#pause(backoffMs(attempt, random));
    }
  }

  /** Waits, or until it is stopped. */
  async #pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const waited = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([waited, this.#stopped.promise]);
    clearTimeout(timer);
  }

  /** @param onSteady called once the map has been followed for a while: the next failure is a new one */
  async #connectAndFollow(onSteady: () => void): Promise<void> {
    const { model, keys, changesMax } = this.#options;
    const connectMs = Math.min(CONNECT_MS_MAX, Math.max(model.commandMs, this.#options.selfFenceAfterMs / 2));
    const opened = await Promise.allSettled([
      openRedis(model, connectMs, true),
      openRedis(model, connectMs, false),
    ]);
    const clients = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    try {
      for (const result of opened) if (result.status === 'rejected') throw result.reason;
      const [client, feedClient] = clients;
      if (client === undefined || feedClient === undefined || this.#isStopped) return;
      const over = Promise.withResolvers<never>();
      over.promise.catch(() => undefined);
      for (const { ended } of clients) ended.then(over.reject, over.reject);
      const session: Session = {
        client,
        commands: new MapCommands(client, keys, model.commandMs, changesMax),
        feed: new MapCommands(feedClient, keys, model.commandMs, changesMax),
        over: over.promise,
        fail: over.reject,
      };
      this.#session = session;
      await Promise.race([this.#attach(session), session.over]);
      await Promise.race([this.#followFeed(session), this.#beat(session, onSteady), session.over]);
    } finally {
      for (const client of clients) client.close();
    }
  }

  /** Checks the map, makes it right if it is not, and brings this gateway up to date with it. */
  async #attach(session: Session): Promise<void> {
    const { view, contact, clock, record, recordMs, log, keys, model } = this.#options;
    // Before the map is read. A record that does not answer keeps nobody from the map.
    const recorded = await within(record.readMap(), recordMs, record.where).catch(() => undefined);
    let sentAt = clock();
    let shared = await session.commands.readShared(view.position);
    let verdict = await judgeMap(view, shared, this.#condemned, recorded, record, recordMs);
    if (verdict.kind === 'lost') {
      log.error(
        { event: 'state_lost', map: shared?.id },
        `${verdict.why}; it is rebuilt from ${record.where}`,
      );
      await this.#maker.rebuild(session, shared?.id, view.identity?.buckets, view.epoch);
      sentAt = clock();
      shared = await session.commands.readShared(view.position);
      verdict = await judgeMap(view, shared, this.#condemned, recorded, record, recordMs);
      if (verdict.kind === 'lost') throw new MapLostError(verdict.why);
    }
    this.#assertCurrent(session);
    const before = view.identity?.id;
    if (verdict.kind === 'adopt') view.adopt(verdict.shared);
    await this.#catchUp(session, verdict.shared.epoch);
    const map = view.identity;
    if (map === undefined) throw new Error('no map was adopted');
    await this.#catchUp(session, await this.#maker.seed(session, map));
    this.#assertCurrent(session);
    contact.proven(sentAt);
    contact.following = true;
    this.#condemned = undefined;
    const marks = new MarkSets(session.client, keys, model.commandMs);
    this.#link = { commands: session.commands, marks, map, since: clock() };
    this.#options.onAttached(before !== undefined && before !== map.id);
    this.#attached.resolve();
    log.info({ event: 'state_attached', map: map.id, epoch: view.epoch }, 'attached to the state map');
    this.#options.onContact();
  }

  /** Applies the feed up to `epoch`, which was the latest when it was asked for. */
  async #catchUp(session: Session, epoch: number): Promise<void> {
    const { view } = this.#options;
    try {
      while (view.epoch < epoch) await this.#readFeed(session, 1);
    } catch (error) {
      // The feed still has the entry that was applied last, so nothing after it was trimmed: it is damaged.
      if (error instanceof FeedGapError) this.#condemned = view.identity?.id;
      throw error;
    }
  }

  /** Applies what the feed has, waiting up to `blockMs` for it; whether that was all of it. */
  async #readFeed(session: Session, blockMs: number): Promise<boolean> {
    const { view } = this.#options;
    const entries = await session.feed.readFeed(view.position, FEED_BATCH, blockMs);
    this.#assertCurrent(session);
    for (let at = 0; at < entries.length; ) {
      const entry = entries[at];
      if (entry === undefined) break;
      if (entry.change.kind === 'shared') {
        at += await this.#applyShared(session, entries.slice(at));
      } else {
        view.apply(entry);
        at += 1;
      }
    }
    return entries.length < FEED_BATCH;
  }

  /**
   * Reads the shared slot, which may be newer than the first of these entries, and applies it with every entry up to its
   * own epoch.
   *
   * @returns how many of the entries were applied; all of them, if the slot was newer than the last
   */
  async #applyShared(session: Session, entries: readonly FeedEntry[]): Promise<number> {
    const { view } = this.#options;
    const shared = await session.commands.readShared('');
    const read = [...entries];
    for (;;) {
      this.#assertCurrent(session);
      if (shared === undefined || shared.id !== view.identity?.id)
        throw new MapLostError('the state map was replaced');
      const last = read.at(-1);
      if (last === undefined || last.epoch >= shared.epoch) break;
      const more = await session.feed.readFeed(last.id, FEED_BATCH, 1);
      if (more.length === 0) throw new Error('the change feed ends before the epoch of the shared slot');
      read.push(...more);
    }
    const due = read.filter(({ epoch }) => epoch <= shared.epoch);
    if (due.length === 0) throw new MapLostError('the state map in Redis is older');
    view.applyWith(due, shared);
    return Math.min(due.length, entries.length);
  }

  /** What a session still does after its end must not touch what the next one builds. */
  #assertCurrent(session: Session): void {
    if (this.#session !== session) throw new Error('the connection to the state map is over');
  }

  async #followFeed(session: Session): Promise<never> {
    const { clock, contact } = this.#options;
    for (;;) {
      const sentAt = clock();
      const isAll = await this.#readFeed(session, this.#beatMs);
      if (isAll) contact.proven(sentAt);
      this.#options.onContact();
    }
  }

  async #beat(session: Session, onSteady: () => void): Promise<never> {
    const { clock, contact, view } = this.#options;
    for (;;) {
      await this.#pause(this.#beatMs);
      if (this.#isStopped) throw new Error('the state map is closed');
      const sentAt = clock();
      const sentAtEpoch = view.epoch;
      const there = await session.commands.readEpoch();
      if (there === undefined || there.id !== view.identity?.id) {
        throw new MapLostError('the state map in Redis is gone or another one');
      }
      if (there.epoch < sentAtEpoch) throw new MapLostError('the state map in Redis is older');
      if (there.epoch <= view.epoch) contact.proven(sentAt);
      onSteady();
      if (this.#link !== undefined) this.#options.onBeat(this.#link);
      this.#options.onContact();
    }
  }
}
