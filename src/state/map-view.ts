/**
 * What this gateway has applied of the map: its cohorts and holds, its users, and its position in the feed.
 * No I/O here. The feed is applied entry by entry, in order and without a gap, so `snapshot.epoch` says
 * exactly which changes are in it.
 */
import type { Logger } from 'pino';
import type { Hold, Snapshot, User } from '../model.ts';
import { cohortNumbers } from './cohort-numbers.ts';
import type { FeedEntry } from './feed-entry.ts';
import type { Listeners } from './listeners.ts';
import { FeedGapError, type MapIdentity } from './map-commands.ts';
import { type CohortNumbers, decodeRecord, isTentative } from './record-codec.ts';
import type { SharedState } from './shared-state.ts';
import { atEpoch, createSnapshot } from './snapshot.ts';
import type { UserTable } from './user-table.ts';
import { isNewer, newerOf, type Versioned } from './versioned.ts';

/** A record that was announced and may not be in its bucket yet. */
export interface Unsettled {
  readonly versioned: Versioned;
  /** When it was heard of, by the clock given. */
  readonly since: number;
}

function splitHolds(
  holds: readonly [string, Hold][],
  cohorts: CohortNumbers,
): { cohortHolds: Map<string, Hold>; userHolds: Map<User, Hold> } {
  const cohortHolds = new Map<string, Hold>();
  const userHolds = new Map<User, Hold>();
  for (const [field, hold] of holds) {
    if (field.startsWith('u')) {
      userHolds.set(field.slice(1), hold);
      continue;
    }
    const name = cohorts.nameOf(Number(field.slice(1)));
    if (name === undefined) throw new TypeError(`a hold names cohort number ${field.slice(1)}`);
    cohortHolds.set(name, hold);
  }
  return { cohortHolds, userHolds };
}

export class MapView {
  readonly #users: UserTable;
  readonly #listeners: Listeners;
  readonly #log: Logger;
  readonly #clock: () => number;
  readonly #unsettled = new Map<User, Unsettled>();
  #identity: MapIdentity | undefined;
  #snapshot: Snapshot | undefined;
  #position = '';
  cohorts: CohortNumbers = cohortNumbers([]);

  constructor(users: UserTable, listeners: Listeners, log: Logger, clock: () => number) {
    this.#users = users;
    this.#listeners = listeners;
    this.#log = log;
    this.#clock = clock;
  }

  get identity(): MapIdentity | undefined {
    return this.#identity;
  }

  get snapshot(): Snapshot {
    if (this.#snapshot === undefined) throw new Error('the state map is not started');
    return this.#snapshot;
  }

  /** The epoch applied; 0 before the first map. */
  get epoch(): number {
    return this.#snapshot?.epoch ?? 0;
  }

  /** The id of the last feed entry applied; empty before the first map. */
  get position(): string {
    return this.#position;
  }

  get unsettled(): ReadonlyMap<User, Unsettled> {
    return this.#unsettled;
  }

  /** The record of a user, if it was announced and may be newer than its bucket. */
  announced(user: User): Versioned | undefined {
    return this.#unsettled.get(user)?.versioned;
  }

  /** Begins anew with this map: the first one, another one, or the same after the feed was lost. */
  adopt(shared: SharedState): void {
    const isFirst = this.#identity === undefined;
    this.#identity = { id: shared.id, buckets: shared.buckets };
    this.#setShared(shared, shared.epoch);
    this.#position = shared.lastId;
    this.#unsettled.clear();
    this.#users.reset();
    for (const { user, record } of shared.pending) this.#announce(user, record);
    if (isFirst) return;
    this.#listeners.emit({ kind: 'reset' });
    this.#listeners.emit({ kind: 'snapshot' });
  }

  /** Takes the cohorts' names and numbers from a newer moment than the one applied, and nothing else. */
  learnCohorts(shared: SharedState): void {
    this.cohorts = cohortNumbers(shared.cohorts);
  }

  #setShared(shared: SharedState, epoch: number): void {
    this.cohorts = cohortNumbers(shared.cohorts);
    this.#snapshot = createSnapshot({
      mapId: shared.id,
      epoch,
      cohorts: shared.cohorts.filter(({ deleted }) => !deleted).map(({ cohort }) => cohort),
      ...splitHolds(shared.holds, this.cohorts),
    });
  }

  /** Notes a record that this gateway has just announced itself; the feed will say the same. */
  announceOwn(user: User, versioned: Versioned): void {
    const known = this.#unsettled.get(user);
    const since = known?.since ?? this.#clock();
    this.#unsettled.set(user, { versioned: newerOf(known?.versioned, versioned), since });
    this.#users.learn(user, versioned);
  }

  settle(user: User, version: number): void {
    const known = this.#unsettled.get(user);
    if (known !== undefined && known.versioned.version <= version) this.#unsettled.delete(user);
  }

  #decode(user: User, record: Buffer): Versioned | undefined {
    try {
      return decodeRecord(record, this.cohorts);
    } catch (err) {
      // One user's record cannot be read. Forgetting the user makes the next request read it and fail: an
      // error for that user, while the others go on.
      this.#log.error(
        { err, event: 'user_record_unreadable' },
        'the change feed has a record that cannot be read',
      );
      this.#users.forget(user);
      return undefined;
    }
  }

  #announce(user: User, record: Buffer): void {
    const versioned = this.#decode(user, record);
    if (versioned === undefined) return;
    const known = this.#unsettled.get(user);
    if (known === undefined || isNewer(versioned, known.versioned)) {
      this.#unsettled.set(user, { versioned, since: this.#clock() });
    }
    this.#users.apply(user, versioned);
  }

  /**
   * Applies the next entry, one that says nothing of the shared slot.
   *
   * @throws FeedGapError when the entry does not follow the last one applied
   */
  apply(entry: FeedEntry): void {
    this.#expect(entry, this.snapshot.epoch);
    this.#takeUsers(entry);
    this.#position = entry.id;
    if (entry.change.kind === 'settled') return;
    this.#snapshot = atEpoch(this.snapshot, entry.epoch);
    this.#tellOfUsers(entry);
  }

  /**
   * Applies the next entries, up to the epoch at which the shared slot was read, as one: the slot may be newer than the
   * entry because of which it was read, and then it must not be in force before the users whose records were written in
   * between. A rollback pins whom it keeps before it writes the cohort.
   *
   * @param entries at least one; the last has the epoch of `shared`
   * @throws FeedGapError when they do not follow the last one applied
   */
  applyWith(entries: readonly FeedEntry[], shared: SharedState): void {
    let { epoch } = this.snapshot;
    for (const entry of entries) {
      this.#expect(entry, epoch);
      epoch = entry.epoch;
    }
    this.learnCohorts(shared);
    for (const entry of entries) {
      this.#takeUsers(entry);
      this.#position = entry.id;
    }
    this.#setShared(shared, epoch);
    for (const entry of entries) this.#tellOfUsers(entry);
    this.#listeners.emit({ kind: 'snapshot' });
  }

  #expect({ epoch, change }: FeedEntry, before: number): void {
    const expected = change.kind === 'settled' ? before : before + 1;
    if (epoch !== expected) {
      throw new FeedGapError(`the change feed goes on with epoch ${epoch} where ${expected} was due`);
    }
  }

  #takeUsers({ change }: FeedEntry): void {
    switch (change.kind) {
      case 'user':
        this.#announce(change.user, change.record);
        return;
      case 'placed':
        for (const { user, record } of change.users) {
          // Whoever meets the user asks the map, and sees to it that the record has it.
          const versioned = isTentative(record) ? undefined : this.#decode(user, record);
          if (versioned !== undefined) this.#users.apply(user, versioned);
        }
        return;
      case 'settled':
        this.settle(change.user, change.version);
        return;
      case 'shared':
        return;
      default: {
        const unknown: never = change;
        throw new Error(`unknown change ${JSON.stringify(unknown)}`);
      }
    }
  }

  #tellOfUsers({ change }: FeedEntry): void {
    if (change.kind === 'user') this.#listeners.emit({ kind: 'user', user: change.user });
    if (change.kind !== 'placed') return;
    for (const { user } of change.users) this.#listeners.emit({ kind: 'user', user });
    // Somebody waits to be told that this gateway has applied it.
    if (change.byChange) this.#listeners.emit({ kind: 'snapshot' });
  }
}
