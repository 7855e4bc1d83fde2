/**
 * The barrier's part of the embedded state map: in memory, applied to its snapshot. One process, so nothing
 * here outlives it; what a change had reached is in the record, and `restore` takes it from there.
 */
import type { Change } from '../cutover/change.ts';
import { ChangeRefusedError } from '../cutover/control.ts';
import {
  ChangeLostError,
  type Claims,
  type CohortSwitch,
  type ControlMap,
  type Lease,
  type UserSwitch,
} from '../cutover/stores.ts';
import type { Cohort, Hold, Snapshot, User } from '../model.ts';
import type { RecordStore } from '../storage/record-store.ts';
import { assertOver, claimable } from './claimable.ts';
import { OVER_MAX } from './control-scripts.ts';
import { reopenedChange } from './reopened-change.ts';
import { createSnapshot } from './snapshot.ts';
import type { Versioned } from './versioned.ts';

export interface EmbeddedControlOptions {
  readonly record: Pick<RecordStore, 'changes' | 'nextEpoch' | 'readCohorts'>;
  readonly snapshot: () => Snapshot;
  /** Puts a new snapshot in force and tells the listeners. */
  readonly apply: (snapshot: Snapshot) => void;
  /** Takes in a record that the record store has. */
  readonly applyUser: (user: User, versioned: Versioned) => void;
}

/** What is known of an open change, as in Redis. */
interface Known {
  token: number;
  attempt: number;
  moves: boolean;
  held: number;
  switched: number;
  released: number;
  /** What is held; nothing before the first hold. */
  what: Pick<Claims, 'held' | 'users'>;
}

const NOTHING = { held: [], users: [] };

interface Holds {
  readonly cohortHolds: ReadonlyMap<string, Hold>;
  readonly userHolds: ReadonlyMap<User, Hold>;
}

function withHold({ cohortHolds, userHolds }: Holds, { what }: Known, hold: Hold): Holds {
  return {
    cohortHolds: new Map([...cohortHolds, ...what.held.map((name) => [name, hold] as const)]),
    userHolds: new Map([...userHolds, ...what.users.map((user) => [user, hold] as const)]),
  };
}

function withoutHold({ cohortHolds, userHolds }: Holds, change: string): Holds {
  return {
    cohortHolds: new Map([...cohortHolds].filter(([, hold]) => hold.change !== change)),
    userHolds: new Map([...userHolds].filter(([, hold]) => hold.change !== change)),
  };
}

/** Epochs taken for one step, each overtaken by another change of the map. */
const EPOCHS_MAX = 100;

export class EmbeddedControl implements ControlMap {
  readonly #options: EmbeddedControlOptions;
  readonly #known = new Map<string, Known>();
  /** The latest changes that are over. */
  readonly #over = new Set<string>();
  readonly #leases = new Map<string, Lease>();

  constructor(options: EmbeddedControlOptions) {
    this.#options = options;
  }

  /** Takes up the changes that the record has open; the holds that the first snapshot has then. */
  restore(open: readonly (readonly [Change, Claims])[], epoch: number): Holds {
    let holds: Holds = { cohortHolds: new Map(), userHolds: new Map() };
    for (const [change, claims] of open) {
      const reopened = reopenedChange(change, epoch);
      if (reopened === undefined) continue;
      const known: Known = { ...reopened, what: reopened.held > 0 ? claims : NOTHING };
      this.#known.set(change.id, known);
      if (known.held > 0) holds = withHold(holds, known, { change: change.id, epoch });
    }
    return holds;
  }

  async claim(change: string, token: number): Promise<void> {
    const { movesTruth, restarts } = await claimable(this.#options.record.changes, change, token);
    const found = this.#known.get(change);
    if (this.#over.has(change) || (found !== undefined && found.token > token))
      throw new ChangeLostError(change);
    const fresh = { held: 0, switched: 0, released: 0, what: NOTHING };
    const known = found?.attempt === restarts ? found : fresh;
    this.#known.set(change, { ...known, attempt: restarts, token, moves: movesTruth });
  }

  async #claimed(change: string, token: number): Promise<Known> {
    const known = this.#known.get(change);
    if (known === undefined || known.token < token) await this.claim(change, token);
    return this.#checked(change, token);
  }

  #checked(change: string, token: number): Known {
    const known = this.#known.get(change);
    if (known === undefined || known.token !== token) throw new ChangeLostError(change);
    return known;
  }

  /**
   * Does a step in an epoch of its own. `done` is asked again once the epoch is known: everything may have
   * changed meanwhile. From then on nothing is waited for.
   * @param done the epoch of the step if it is done already
   */
  async #step(
    change: string,
    token: number,
    done: (known: Known, snapshot: Snapshot) => number | undefined,
    next: (known: Known, snapshot: Snapshot, epoch: number) => Partial<Snapshot>,
  ): Promise<number> {
    const { record, snapshot, apply } = this.#options;
    let known = await this.#claimed(change, token);
    for (let attempt = 0; attempt < EPOCHS_MAX; attempt++) {
      let reached = done(known, snapshot());
      if (reached !== undefined) return reached;
      const epoch = await record.nextEpoch(snapshot().mapId);
      known = this.#checked(change, token);
      reached = done(known, snapshot());
      if (reached !== undefined) return reached;
      // Overtaken: whoever has applied the snapshot's epoch would seem to have applied this one too.
      if (epoch <= snapshot().epoch) continue;
      apply(createSnapshot({ ...snapshot(), ...next(known, snapshot(), epoch), epoch }));
      return epoch;
    }
    throw new Error('the state map changes too fast: try again');
  }

  #isHeld({ what }: Known, snapshot: Snapshot, change: string): boolean {
    const mine = (hold: Hold | undefined): boolean => hold?.change === change;
    return (
      what.held.length + what.users.length > 0 &&
      what.held.every((name) => mine(snapshot.cohortHolds.get(name))) &&
      what.users.every((user) => mine(snapshot.userHolds.get(user)))
    );
  }

  hold(change: string, token: number, what: Pick<Claims, 'held' | 'users'>): Promise<number> {
    return this.#step(
      change,
      token,
      (known, snapshot) => {
        if (known.released > 0) throw new ChangeLostError(change);
        if (what.users.length === 0 && !what.held.some((name) => snapshot.cohortByName.has(name)))
          throw new Error(`there is no cohort ${what.held.join(', ')}`);
        return this.#isHeld(known, snapshot, change) ? known.held : undefined;
      },
      (known, snapshot, epoch) => {
        known.held = epoch;
        // One that is to be made is held when it is there.
        known.what = { ...what, held: what.held.filter((name) => snapshot.cohortByName.has(name)) };
        return withHold(snapshot, known, { change, epoch });
      },
    );
  }

  /** The epoch of a switch that was made; else it is looked whether it may be. */
  #switched(known: Known, snapshot: Snapshot, change: string): number | undefined {
    if (known.switched > 0) return known.switched;
    if (known.released > 0) throw new ChangeLostError(change);
    if (known.moves && !this.#isHeld(known, snapshot, change))
      throw new Error(`the state map has lost the hold of change ${change}: it has to be held again`);
    return undefined;
  }

  async putUsers(change: string, token: number, users: readonly UserSwitch[]): Promise<void> {
    await this.#step(
      change,
      token,
      (known, snapshot) => this.#switched(known, snapshot, change),
      () => {
        for (const { user, after, version } of users)
          this.#options.applyUser(user, { record: after, version });
        return {};
      },
    );
  }

  async switchTo(change: string, token: number, switched: readonly CohortSwitch[]): Promise<number> {
    const { record } = this.#options;
    const order = switched.length === 0 ? [] : await namesInOrder(record);
    const unknown = switched.find(({ cohort, deleted }) => !deleted && !order.includes(cohort.name));
    if (unknown !== undefined) throw new Error(`there is no cohort ${unknown.cohort.name}`);
    return this.#step(
      change,
      token,
      (known, snapshot) => {
        const epoch = this.#switched(known, snapshot, change);
        if (epoch !== undefined || switched.length > 0) return epoch;
        known.switched = snapshot.epoch;
        return known.switched;
      },
      (known, snapshot, epoch) => {
        known.switched = epoch;
        const cohorts = new Map(snapshot.cohortByName);
        const made: string[] = [];
        for (const { cohort, deleted } of switched) {
          if (!cohorts.has(cohort.name) && !deleted) made.push(cohort.name);
          if (deleted) cohorts.delete(cohort.name);
          else cohorts.set(cohort.name, cohort);
        }
        const held = known.moves ? made : [];
        known.what = { ...known.what, held: [...known.what.held, ...held] };
        return {
          cohorts: inOrder(cohorts, order),
          ...(known.moves ? withHold(snapshot, known, { change, epoch: known.held }) : {}),
        };
      },
    );
  }

  release(change: string, token: number): Promise<number> {
    return this.#step(
      change,
      token,
      (known, snapshot) => {
        if (known.released > 0) return known.released;
        const holds = [...snapshot.cohortHolds.values(), ...snapshot.userHolds.values()];
        if (holds.some((hold) => hold.change === change)) return undefined;
        known.released = snapshot.epoch;
        return known.released;
      },
      (known, snapshot, epoch) => {
        known.released = epoch;
        return withoutHold(snapshot, change);
      },
    );
  }

  async forget(change: string): Promise<void> {
    await assertOver(this.#options.record.changes, change);
    this.#known.delete(change);
    this.#over.add(change);
    for (const oldest of this.#over) {
      if (this.#over.size <= OVER_MAX) break;
      this.#over.delete(oldest);
    }
  }

  async leases(): Promise<readonly Lease[]> {
    return [...this.#leases.values()];
  }

  async renewLease(lease: Lease): Promise<number> {
    this.#leases.set(lease.gateway, lease);
    return this.#options.snapshot().epoch;
  }

  async dropLease(gateway: string): Promise<void> {
    this.#leases.delete(gateway);
  }

  async epoch(): Promise<number> {
    return this.#options.snapshot().epoch;
  }

  async rebuild(): Promise<never> {
    throw new ChangeRefusedError('the embedded state map is the record itself: there is nothing to rebuild');
  }

  close(): void {
    this.#leases.clear();
  }
}

async function namesInOrder(record: Pick<RecordStore, 'readCohorts'>): Promise<string[]> {
  return (await record.readCohorts()).filter(({ deleted }) => !deleted).map(({ cohort }) => cohort.name);
}

function inOrder(cohorts: ReadonlyMap<string, Cohort>, names: readonly string[]): Cohort[] {
  const places = new Map(names.map((name, place) => [name, place]));
  const place = ({ name }: Cohort): number => places.get(name) ?? Infinity;
  return [...cohorts.values()].toSorted((a, b) => place(a) - place(b) || 0);
}
