/**
 * The state map of a single process: the record is the map, and this holds its cohorts and the cached users in
 * memory. Changes happen in this process only, so there is no feed; each is applied when it is committed.
 */
import type { Logger } from 'pino';
import type { Change } from '../cutover/change.ts';
import type { Claims } from '../cutover/stores.ts';
import { TurnoutError } from '../errors.ts';
import type { Cohort, Snapshot, User, UserRecord } from '../model.ts';
import { MapReplacedError, type RecordStore } from '../storage/record-store.ts';
import { EmbeddedControl } from './embedded-control.ts';
import { createListeners } from './listeners.ts';
import { logNotSeeded } from './log-not-seeded.ts';
import { atEpoch, createSnapshot } from './snapshot.ts';
import type { StateMap } from './state-map.ts';
import { assertRecord, assertUser } from './user-limits.ts';
import { UserTable } from './user-table.ts';
import { ABSENT } from './versioned.ts';
import { within } from './within.ts';
import { GatewayMarker } from './write-marker.ts';

export interface EmbeddedStateOptions {
  readonly record: RecordStore;
  /** Seeds: created in the map when absent there. */
  readonly cohorts: readonly Cohort[];
  readonly userCacheMax: number;
  /** Bound on one read of the record, milliseconds. */
  readonly recordMs: number;
  readonly log: Logger;
}

/** Bound on users being read at the same time. */
const LOADS_MAX = 10_000;
/** Between two removals of marks of old eras. */
const SWEEP_MS = 60_000;

/** Does no I/O before `start`. Closing it leaves the record open: that belongs to whoever opened it. */
export function createEmbeddedState(options: EmbeddedStateOptions): StateMap {
  const { record: store, log, recordMs } = options;
  const listeners = createListeners(log);
  const marks = new GatewayMarker({
    store: store.marks,
    recordMs,
    sets: () => undefined,
    map: () => 'record-only',
    // A change is applied here when it is committed, and nobody else serves.
    caughtUp: () => Promise.resolve(true),
    rememberedMax: options.userCacheMax,
    log,
  });
  listeners.add((change) => marks.onChange(change));
  let sweeping: NodeJS.Timeout | undefined;
  let snapshot: Snapshot | undefined;

  const users = new UserTable({
    cacheMax: options.userCacheMax,
    loadsMax: LOADS_MAX,
    async read(user) {
      const stored = await within(store.readUser(user), recordMs, 'the record');
      return { versioned: stored ?? ABSENT, keep: 'cached' };
    },
  });

  function started(): Snapshot {
    if (snapshot === undefined) throw new Error('the state map is not started');
    return snapshot;
  }

  /** Operations commit in the order of their epochs, but their callers may be resumed in another. */
  function advance(epoch: number): void {
    const current = started();
    if (epoch > current.epoch) snapshot = atEpoch(current, epoch);
  }

  const control = new EmbeddedControl({
    record: store,
    snapshot: started,
    apply(next) {
      snapshot = next;
      listeners.emit({ kind: 'snapshot' });
    },
    applyUser(user, versioned) {
      users.apply(user, versioned);
      listeners.emit({ kind: 'user', user });
    },
  });

  return {
    control,
    marks,
    get snapshot() {
      return started();
    },
    attachment: 'attached',

    async start() {
      const map = await store.createMap();
      logNotSeeded(log, (await store.seedCohorts(options.cohorts)).notSeeded);
      const open: [Change, Claims][] = [];
      for (const change of await store.changes.openChanges())
        open.push([change, await store.changes.claimsOf(change.id)]);
      const cohorts = await store.readCohorts();
      const epoch = Math.max(map.version, map.epoch);
      snapshot = createSnapshot({
        mapId: map.id,
        epoch,
        cohorts: cohorts.filter(({ deleted }) => !deleted).map(({ cohort }) => cohort),
        ...control.restore(open, epoch),
      });
      sweeping = setInterval(() => void marks.sweep(), SWEEP_MS).unref();
      log.info(
        { event: 'state_attached', map: map.id, epoch: snapshot.epoch },
        `state map in ${store.where}`,
      );
    },
    async close() {
      clearInterval(sweeping);
      await marks.close(0);
      users.reset();
    },

    cached: (user) => users.cached(user),
    async load(user) {
      assertUser(user);
      return (await users.load(user)).record;
    },

    async place(user: User, cohort: string): Promise<UserRecord> {
      assertUser(user);
      if (!started().cohortByName.has(cohort)) throw new RangeError(`there is no cohort ${cohort}`);
      try {
        const { stored, epoch } = await store.placeUser(started().mapId, user, cohort);
        users.learn(user, stored);
        if (epoch !== undefined) {
          advance(epoch);
          listeners.emit({ kind: 'user', user });
        }
        return users.known(user)?.record ?? stored.record;
      } catch (cause) {
        throw new TurnoutError('state_unknown', { cause });
      }
    },

    async putUser(user, record) {
      assertUser(user);
      assertRecord(record);
      const { mapId } = started();
      try {
        const epoch = await store.writeUser({ mapId, user, record, epochFrom: 'record' });
        users.learn(user, { record, version: epoch });
        advance(epoch);
        listeners.emit({ kind: 'user', user });
        return epoch;
      } catch (cause) {
        if (cause instanceof MapReplacedError) {
          throw new Error('another process has replaced the state map; this one has to be restarted', {
            cause,
          });
        }
        throw cause;
      }
    },

    onChange: (listener) => listeners.add(listener),
    status() {
      const { mapId, epoch } = started();
      return {
        kind: 'embedded',
        attachment: 'attached',
        detachedMs: 0,
        mapId,
        epoch,
        cachedUsers: users.size,
        cacheHits: users.hits,
        cacheMisses: users.misses,
        problem: undefined,
        marks: marks.status(),
      };
    },
  };
}
