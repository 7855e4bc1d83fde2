/** The map's part of the cutover in memory, with the promises of `src/cutover/stores.ts`. */
import {
  ChangeLostError,
  type Claims,
  type CohortSwitch,
  type ControlMap,
  type Lease,
  type UserSwitch,
} from '../../src/cutover/stores.ts';
import type { Cohort, Hold, Snapshot, User, UserRecord } from '../../src/model.ts';
import { createSnapshot, type SnapshotParts } from '../../src/state/snapshot.ts';

interface Known {
  token: number;
  held?: number;
  switched?: number;
  released?: number;
}

export class MemoryControlMap implements ControlMap {
  readonly current = new Map<string, Lease>();
  /** What is in force. */
  readonly users = new Map<User, UserRecord>();
  /** Called with each new snapshot. */
  onSnapshot: (snapshot: Snapshot) => void = () => {};
  onUser: (user: User, record: UserRecord) => void = () => {};
  snapshot: Snapshot;
  readonly #known = new Map<string, Known>();
  readonly #over = new Set<string>();

  constructor(cohorts: readonly Cohort[]) {
    this.snapshot = createSnapshot({ mapId: 'memory', epoch: 1, cohorts });
  }

  #mine(change: string, token: number): Known {
    const known = this.#known.get(change) ?? { token };
    if (known.token > token || this.#over.has(change)) throw new ChangeLostError(change);
    known.token = token;
    this.#known.set(change, known);
    return known;
  }

  #put(parts: Partial<SnapshotParts>): number {
    const epoch = this.snapshot.epoch + 1;
    this.snapshot = createSnapshot({ ...this.snapshot, ...parts, epoch });
    this.onSnapshot(this.snapshot);
    return epoch;
  }

  async claim(change: string, token: number): Promise<void> {
    const known = this.#known.get(change);
    // A test's changes get a next token when they begin anew, or when they are taken over to be undone.
    if (known?.released !== undefined && known.token < token && known.switched === undefined)
      this.#known.set(change, { token });
    this.#mine(change, token);
  }

  /** The hold is lost, as by a failover. */
  loseHold(change: string): void {
    const { cohortHolds, userHolds } = this.snapshot;
    this.#put({ cohortHolds: without(cohortHolds, change), userHolds: without(userHolds, change) });
  }

  #isHeld(change: string): boolean {
    const { cohortHolds, userHolds } = this.snapshot;
    return [...cohortHolds.values(), ...userHolds.values()].some((hold) => hold.change === change);
  }

  async hold(change: string, token: number, what: Pick<Claims, 'held' | 'users'>): Promise<number> {
    const known = this.#mine(change, token);
    if (known.released !== undefined) throw new ChangeLostError(change);
    if (known.held !== undefined && this.#isHeld(change)) return known.held;
    const { epoch, cohortHolds, userHolds, cohortByName } = this.snapshot;
    const hold: Hold = { change, epoch: epoch + 1 };
    const held = what.held.filter((name) => cohortByName.has(name));
    known.held = this.#put({
      cohortHolds: new Map([...cohortHolds, ...held.map((name) => [name, hold] as const)]),
      userHolds: new Map([...userHolds, ...what.users.map((user) => [user, hold] as const)]),
    });
    return known.held;
  }

  async putUsers(change: string, token: number, users: readonly UserSwitch[]): Promise<void> {
    const known = this.#mine(change, token);
    if (known.switched !== undefined) return;
    for (const { user, after } of users) {
      this.users.set(user, after);
      this.onUser(user, after);
    }
    this.#put({});
  }

  async switchTo(change: string, token: number, cohorts: readonly CohortSwitch[]): Promise<number> {
    const known = this.#mine(change, token);
    if (cohorts.length === 0) known.switched ??= this.snapshot.epoch;
    if (known.switched !== undefined) return known.switched;
    const all = new Map(this.snapshot.cohortByName);
    const cohortHolds = new Map(this.snapshot.cohortHolds);
    for (const { cohort, deleted } of cohorts) {
      if (!all.has(cohort.name) && known.held !== undefined)
        cohortHolds.set(cohort.name, { change, epoch: known.held });
      if (deleted) all.delete(cohort.name);
      else all.set(cohort.name, cohort);
    }
    known.switched = this.#put({ cohorts: [...all.values()], cohortHolds });
    return known.switched;
  }

  async release(change: string, token: number): Promise<number> {
    const known = this.#mine(change, token);
    if (known.released !== undefined) return known.released;
    const { epoch, cohortHolds, userHolds } = this.snapshot;
    known.released = this.#isHeld(change)
      ? this.#put({ cohortHolds: without(cohortHolds, change), userHolds: without(userHolds, change) })
      : epoch;
    return known.released;
  }

  async forget(change: string): Promise<void> {
    this.#known.delete(change);
    this.#over.add(change);
  }

  async leases(): Promise<readonly Lease[]> {
    return [...this.current.values()];
  }

  async renewLease(lease: Lease): Promise<number> {
    this.current.set(lease.gateway, lease);
    return this.snapshot.epoch;
  }

  async dropLease(gateway: string): Promise<void> {
    this.current.delete(gateway);
  }

  async epoch(): Promise<number> {
    return this.snapshot.epoch;
  }

  async rebuild(): Promise<{ readonly mapId: string; readonly epoch: number }> {
    return { mapId: this.snapshot.mapId, epoch: this.#put({}) };
  }
}

function without<K>(holds: ReadonlyMap<K, Hold>, change: string): ReadonlyMap<K, Hold> {
  return new Map([...holds].filter(([, hold]) => hold.change !== change));
}
