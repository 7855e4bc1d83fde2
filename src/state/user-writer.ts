/**
 * Changes one user in the map: placements by rule, and whole records. The order of the steps, and what a crash
 * between two of them leaves, is in docs/state-map.md.
 */
import type { Logger } from 'pino';
import { TurnoutError } from '../errors.ts';
import type { Snapshot, User, UserRecord } from '../model.ts';
import type { RecordStore } from '../storage/record-store.ts';
import type { Link } from './map-follower.ts';
import type { MapView } from './map-view.ts';
import {
  NotPlacedError,
  type Placed,
  type PlacementQueue,
  type RefusedPlacement,
} from './placement-queue.ts';
import {
  type CohortNumbers,
  certain,
  decodeRecord,
  encodeRecord,
  isTentative,
  tentative,
} from './record-codec.ts';
import type { UserTable } from './user-table.ts';
import { ABSENT, isNewer, newerOf, type Versioned } from './versioned.ts';

export interface UserWriterOptions {
  readonly record: RecordStore;
  /** Bound on one answer of the record, milliseconds. */
  readonly recordMs: number;
  readonly view: MapView;
  readonly users: UserTable;
  readonly placements: PlacementQueue;
  /** The way to the map; none while it is detached. */
  readonly link: () => Link | undefined;
  readonly problem: () => Error | undefined;
  readonly clock: () => number;
  readonly log: Logger;
}

/** Tries to swap a user's bytes, each lost to another writer of the same user. */
const SWAPS_MAX = 20;
/** Tries to place a user whom the record knows otherwise than the map did: once it is asked, both say the same. */
const PLACINGS_MAX = 3;
/** An announced record that is not settled after this was left by a writer that died; milliseconds. */
const REPAIR_AFTER_MS = 3_000;
const RECONCILE_BATCH = 1_000;
const NOTHING = Buffer.alloc(0);

/**
 * Whether somebody is held whom attributes may have led there: whoever moves those reads from the record who they are, so
 * nobody may act on a placement that it does not have.
 */
function holdsByAttributes({ cohortHolds, cohortByName, cohorts }: Snapshot): boolean {
  if (cohortHolds.size === 0 || !cohorts.some(({ rule }) => rule !== undefined)) return false;
  return [...cohortHolds.keys()].some((name) => {
    const cohort = cohortByName.get(name);
    return cohort !== undefined && (cohort.rule !== undefined || cohort.isDefault);
  });
}

export class UserWriter {
  readonly #options: UserWriterOptions;
  readonly #repairing = new Set<User>();
  readonly #placing = new Map<User, Promise<UserRecord>>();

  constructor(options: UserWriterOptions) {
    this.#options = options;
  }

  /** @throws TurnoutError `state_unknown` while the map is detached */
  requireLink(): Link {
    const { link, problem } = this.#options;
    const attached = link();
    if (attached !== undefined) return attached;
    throw new TurnoutError('state_unknown', {
      cause: new Error('the state map is detached', { cause: problem() }),
    });
  }

  /** Sets a membership by rule unless there is one; what is in force then. Calls for one user share one. */
  place(user: User, cohort: string): Promise<UserRecord> {
    const running = this.#placing.get(user);
    if (running !== undefined) return running;
    const placing = this.#placeForGood(user, cohort).finally(() => this.#placing.delete(user));
    this.#placing.set(user, placing);
    return placing;
  }

  /**
   * Nothing may be done on the strength of a placement that only the map has. So the user is known here as placed
   * once the record knows it too.
   */
  async #placeForGood(user: User, cohort: string): Promise<UserRecord> {
    const { placements, recordMs, view, users } = this.#options;
    const { mapId } = view.snapshot;
    let placed: Versioned;
    for (let attempt = 1; ; attempt++) {
      placed = await this.#place(user, cohort);
      try {
        await placements.recorded(user, recordMs, () => holdsByAttributes(view.snapshot));
        break;
      } catch (error) {
        if (!(error instanceof NotPlacedError) || attempt === PLACINGS_MAX) throw error;
      }
    }
    if (view.snapshot.mapId !== mapId) throw new Error('the state map was replaced while a user was placed');
    users.learn(user, placed);
    // A change that came in meanwhile may be newer still.
    return newerOf(view.announced(user), users.known(user) ?? placed).record;
  }

  async #place(user: User, cohort: string): Promise<Versioned> {
    const { view, users, placements } = this.#options;
    const { commands, map } = this.requireLink();
    let known = newerOf(view.announced(user), users.known(user) ?? ABSENT);
    let expected = bytesOf(known, view.cohorts);
    for (let attempt = 0; attempt < SWAPS_MAX; attempt++) {
      if (known.record.membership !== undefined) return known;
      const placed: Versioned = {
        record: { ...known.record, membership: { cohort, ordinal: undefined, by: 'rule' } },
        version: known.version,
      };
      const bytes = tentative(encodeRecord(placed, view.cohorts));
      const swap = await commands.swapUser(map, user, expected, bytes);
      if (swap.won) {
        placements.add({ user, cohort, version: placed.version, mapId: map.id, bytes });
        return placed;
      }
      expected = swap.now;
      const now = swap.now.length === 0 ? ABSENT : decodeRecord(swap.now, view.cohorts);
      known = newerOf(view.announced(user), now);
      const { membership } = now.record;
      if (known === now && membership !== undefined && isTentative(swap.now)) {
        // Whoever placed it may be gone before the record has it. Recording it twice changes nothing.
        const { version } = now;
        placements.add({ user, cohort: membership.cohort, version, mapId: map.id, bytes: swap.now });
      }
    }
    throw new Error(`the record of one user changed ${SWAPS_MAX} times while it was to be placed`);
  }

  /** Says of placements that the record has them, in their buckets and to the other gateways. */
  async confirm(mapId: string, batch: readonly Placed[]): Promise<void> {
    const { commands, map } = this.requireLink();
    if (map.id !== mapId) return;
    await Promise.all(batch.map(({ user, bytes }) => commands.swapUser(map, user, bytes, certain(bytes))));
    const recorded = batch.map(({ user, bytes }) => ({ user, record: certain(bytes) }));
    await commands.announcePlaced(map, recorded);
  }

  /** Makes the map say of placements that the record did not take what the record says. */
  async takeBack(mapId: string, refused: readonly RefusedPlacement[]): Promise<void> {
    const { view, users } = this.#options;
    const { commands, map } = this.requireLink();
    if (map.id !== mapId) return;
    const known: { user: User; record: Buffer }[] = [];
    for (const { user, stored, placed } of refused) {
      const versioned = stored ?? withoutMembership(decodeRecord(placed.bytes, view.cohorts));
      const record = bytesOf(versioned, view.cohorts);
      await commands.swapUser(map, user, placed.bytes, record);
      users.forget(user);
      if (stored !== undefined) known.push({ user, record });
    }
    if (known.length > 0) await commands.announcePlaced(map, known);
  }

  /** Places those again in a new map whom the old one had accepted and the record had not noted. */
  placeAgain(all: readonly Placed[] = this.#options.placements.takeAll()): void {
    const { log } = this.#options;
    if (all.length === 0) return;
    const work = async (): Promise<void> => {
      for (const { user, cohort } of all) {
        // One that fails is placed by the user's next request.
        await this.#place(user, cohort).catch((err: unknown) => {
          log.warn({ err, event: 'placement_not_repeated' }, 'a placement was lost with the old state map');
        });
      }
    };
    void work();
  }

  /**
   * Replaces a record: first in the record store, then announced, then in its bucket.
   * An error does not mean that the change will not come into force: once the record store has it, the next
   * gateway that attaches carries it out (`reconcile`).
   */
  async put(user: User, record: UserRecord): Promise<number> {
    const { record: store, view, log } = this.#options;
    const { map } = this.requireLink();
    const { membership } = record;
    if (membership !== undefined && view.cohorts.numberOf(membership.cohort) === undefined) {
      throw new RangeError(`there is no cohort ${membership.cohort}`);
    }
    const version = await store.writeUser({ mapId: map.id, user, record, epochFrom: 'map' });
    const epoch = await this.#carryOut(user, { record, version });
    store.confirmUser(user, version, epoch).catch((err: unknown) => {
      log.warn(
        { err, event: 'change_not_confirmed', epoch },
        'the record was not told the epoch of a change',
      );
    });
    return epoch;
  }

  /** Announces a record that the record store has, and puts it into its bucket. Repeating it changes nothing. */
  async #carryOut(user: User, versioned: Versioned): Promise<number> {
    const { view, log } = this.#options;
    const { commands, map } = this.requireLink();
    const bytes = encodeRecord(versioned, view.cohorts);
    const epoch = await commands.announceUser(map, user, versioned.version, bytes);
    view.announceOwn(user, versioned);
    try {
      await this.#settle({ commands, map }, user, versioned);
    } catch (err) {
      // In force since it was announced; `repair` finishes it, here or at another gateway.
      log.warn({ err, event: 'change_not_settled', epoch }, 'an announced change is not in its bucket yet');
    }
    return epoch;
  }

  /** Brings an announced record into its bucket, unless that has a newer one, and says so. */
  async #settle(
    { commands, map }: Pick<Link, 'commands' | 'map'>,
    user: User,
    versioned: Versioned,
  ): Promise<void> {
    const { view } = this.#options;
    const bytes = encodeRecord(versioned, view.cohorts);
    let expected: Buffer = NOTHING;
    for (let attempt = 0; ; attempt++) {
      if (attempt === SWAPS_MAX) throw new Error(`the record of one user changed ${SWAPS_MAX} times`);
      const swap = await commands.swapUser(map, user, expected, bytes);
      if (swap.won) break;
      const now = swap.now.length === 0 ? ABSENT : decodeRecord(swap.now, view.cohorts);
      if (!isNewer(versioned, now)) break;
      expected = swap.now;
    }
    await commands.settleUser(map, user, versioned.version);
    view.settle(user, versioned.version);
  }

  /** Finishes announced changes whose writer seems to have died. Several gateways may do it at once. */
  repair(link: Link): void {
    const { view, clock, log } = this.#options;
    const now = clock();
    for (const [user, { versioned, since }] of view.unsettled) {
      if (now - since < REPAIR_AFTER_MS || this.#repairing.has(user)) continue;
      this.#repairing.add(user);
      this.#settle(link, user, versioned)
        .catch((err: unknown) =>
          log.warn({ err, event: 'change_not_repaired' }, 'a change could not be finished'),
        )
        .finally(() => this.#repairing.delete(user));
    }
  }

  /** Carries out changes that the record store has and whose writer died before the map had them. */
  reconcile(): void {
    const { record: store, log } = this.#options;
    const work = async (): Promise<void> => {
      const rows = await store.unconfirmedUsers(RECONCILE_BATCH);
      for (const { user, ...versioned } of rows) {
        const epoch = await this.#carryOut(user, versioned);
        await store.confirmUser(user, versioned.version, epoch);
      }
      if (rows.length === RECONCILE_BATCH) await work();
    };
    work().catch((err: unknown) =>
      log.warn({ err, event: 'changes_not_reconciled' }, 'changes wait for the stores'),
    );
  }
}

function withoutMembership({ record, version }: Versioned): Versioned {
  return { record: { ...record, membership: undefined }, version };
}

/** What a bucket has of a user; nothing for one of whom there is nothing to say. */
function bytesOf(versioned: Versioned, cohorts: CohortNumbers): Buffer {
  return versioned.version === 0 && isBlank(versioned) ? NOTHING : encodeRecord(versioned, cohorts);
}

function isBlank({ record }: Versioned): boolean {
  return (
    record.state === undefined &&
    record.pin === undefined &&
    record.membership === undefined &&
    record.newId === undefined
  );
}
