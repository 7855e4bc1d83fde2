/** The record's and the map's part of the cutover in memory, with the promises of `src/cutover/stores.ts`. */
import { type Change, isOver, type Phase } from '../../src/cutover/change.ts';
import {
  ChangeConflictError,
  ChangeLostError,
  type ChangePatch,
  type ChangeStore,
  type ControlMap,
  type Lease,
  type NewChange,
  type RegisteredGateway,
} from '../../src/cutover/stores.ts';
import type { Cohort, Hold, Snapshot } from '../../src/model.ts';
import { createSnapshot } from '../../src/state/snapshot.ts';

export class MemoryChanges implements ChangeStore {
  readonly cohorts: Map<string, Cohort>;
  readonly rows: Change[] = [];
  readonly gateways = new Map<string, RegisteredGateway>();

  constructor(cohorts: readonly Cohort[]) {
    this.cohorts = new Map(cohorts.map((each) => [each.name, each]));
  }

  async openChange(wanted: NewChange): Promise<Change> {
    const known = this.rows.find(
      ({ idempotencyKey }) => idempotencyKey !== undefined && idempotencyKey === wanted.idempotencyKey,
    );
    if (known !== undefined) return known;
    const before = this.cohorts.get(wanted.cohort);
    if (before === undefined) throw new Error(`there is no cohort ${wanted.cohort}`);
    const open = this.rows.find(({ cohort, phase }) => cohort === wanted.cohort && !isOver(phase));
    if (open !== undefined) throw new ChangeConflictError(open.id);
    const change: Change = {
      ...wanted,
      before,
      phase: 'pending',
      token: 1,
      heartbeat: 0,
      holdEpoch: undefined,
      switchEpoch: undefined,
      releaseEpoch: undefined,
      note: undefined,
      createdAt: new Date(),
      endedAt: undefined,
    };
    this.rows.push(change);
    return change;
  }

  #at(id: string): number {
    return this.rows.findIndex((row) => row.id === id);
  }

  #update(id: string, token: number, from: Phase | undefined, next: Partial<Change>): Change {
    const at = this.#at(id);
    const row = this.rows[at];
    if (row === undefined || row.token !== token || (from !== undefined && row.phase !== from)) {
      throw new ChangeLostError(id);
    }
    const changed = { ...row, ...next, heartbeat: row.heartbeat + 1 };
    this.rows[at] = changed;
    return changed;
  }

  async moveChange(
    id: string,
    token: number,
    from: Phase,
    to: Phase,
    patch: ChangePatch = {},
  ): Promise<Change> {
    const ended = isOver(to) ? { endedAt: new Date() } : {};
    const moved = this.#update(id, token, from, { ...patch, ...ended, phase: to });
    if (to === 'switching') this.cohorts.set(moved.cohort, moved.after);
    return moved;
  }

  async beatChange(id: string, token: number, patch: ChangePatch = {}): Promise<void> {
    this.#update(id, token, undefined, patch);
  }

  async takeChange(id: string, heartbeat: number): Promise<Change | undefined> {
    const row = this.rows[this.#at(id)];
    if (row === undefined || row.heartbeat !== heartbeat || isOver(row.phase)) return undefined;
    return this.#update(id, row.token, undefined, { token: row.token + 1 });
  }

  async readChange(id: string): Promise<Change | undefined> {
    return this.rows[this.#at(id)];
  }

  async openChanges(): Promise<readonly Change[]> {
    return this.rows.filter(({ phase }) => !isOver(phase));
  }

  async listChanges(before: string | undefined, limit: number, cohort?: string): Promise<readonly Change[]> {
    const newestFirst = this.rows.toReversed();
    const from = before === undefined ? 0 : newestFirst.findIndex(({ id }) => id === before) + 1;
    return newestFirst
      .slice(from)
      .filter((row) => cohort === undefined || row.cohort === cohort)
      .slice(0, limit);
  }

  async registerGateway(id: string, where: string): Promise<void> {
    this.gateways.set(id, { id, where, registeredAt: new Date() });
  }

  async deregisterGateway(id: string): Promise<void> {
    this.gateways.delete(id);
  }

  async registeredGateways(): Promise<readonly RegisteredGateway[]> {
    return [...this.gateways.values()];
  }
}

interface Known {
  token: number;
  held?: number;
  switched?: number;
  released?: number;
}

export class MemoryControlMap implements ControlMap {
  readonly current = new Map<string, Lease>();
  /** Called with each new snapshot. */
  onSnapshot: (snapshot: Snapshot) => void = () => {};
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

  #put(cohorts: readonly Cohort[], cohortHolds: ReadonlyMap<string, Hold>): number {
    const epoch = this.snapshot.epoch + 1;
    this.snapshot = createSnapshot({ mapId: 'memory', epoch, cohorts, cohortHolds });
    this.onSnapshot(this.snapshot);
    return epoch;
  }

  async claim(change: string, token: number): Promise<void> {
    this.#mine(change, token);
  }

  async hold(change: string, token: number, cohort: string): Promise<number> {
    const known = this.#mine(change, token);
    const epoch = this.snapshot.epoch + 1;
    known.held ??= this.#put(
      this.snapshot.cohorts,
      new Map([...this.snapshot.cohortHolds, [cohort, { change, epoch }]]),
    );
    return known.held;
  }

  async switchCohort(change: string, token: number, cohort: Cohort): Promise<number> {
    const known = this.#mine(change, token);
    known.switched ??= this.#put(
      this.snapshot.cohorts.map((each) => (each.name === cohort.name ? cohort : each)),
      this.snapshot.cohortHolds,
    );
    return known.switched;
  }

  async release(change: string, token: number): Promise<number> {
    const known = this.#mine(change, token);
    const left = [...this.snapshot.cohortHolds].filter(([, hold]) => hold.change !== change);
    if (left.length === this.snapshot.cohortHolds.size) return known.released ?? this.snapshot.epoch;
    known.released = this.#put(this.snapshot.cohorts, new Map(left));
    return known.released;
  }

  async forget(change: string): Promise<void> {
    this.#known.delete(change);
    this.#over.add(change);
  }

  async leases(): Promise<readonly Lease[]> {
    return [...this.current.values()];
  }

  async renewLease(lease: Lease): Promise<void> {
    this.current.set(lease.gateway, lease);
  }

  async dropLease(gateway: string): Promise<void> {
    this.current.delete(gateway);
  }

  async epoch(): Promise<number> {
    return this.snapshot.epoch;
  }
}
