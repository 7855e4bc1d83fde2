/**
 * The barrier's part of the embedded state map: in memory, applied to its snapshot. One process, so nothing
 * here outlives it; what a change had reached is in the record, and `restore` takes it from there.
 */
import type { Change } from '../cutover/change.ts';
import { ChangeLostError, type ControlMap, type Lease } from '../cutover/stores.ts';
import type { Cohort, Hold, Snapshot } from '../model.ts';
import type { RecordStore } from '../storage/record-store.ts';
import { assertOver, claimable } from './claimable.ts';
import { OVER_MAX } from './control-scripts.ts';
import { reopenedChange } from './reopened-change.ts';
import { createSnapshot } from './snapshot.ts';

export interface EmbeddedControlOptions {
  readonly record: Pick<RecordStore, 'changes' | 'nextEpoch'>;
  readonly snapshot: () => Snapshot;
  /** Puts a new snapshot in force and tells the listeners. */
  readonly apply: (snapshot: Snapshot) => void;
}

/** What is known of an open change, as in Redis. */
interface Known {
  token: number;
  moves: boolean;
  held: number;
  switched: number;
  released: number;
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
  restore(open: readonly Change[], epoch: number): ReadonlyMap<string, Hold> {
    const holds = new Map<string, Hold>();
    for (const change of open) {
      const known = reopenedChange(change, epoch);
      if (known === undefined) continue;
      this.#known.set(change.id, { ...known });
      if (known.held > 0) holds.set(change.cohort, { change: change.id, epoch });
    }
    return holds;
  }

  async claim(change: string, token: number): Promise<void> {
    const { movesTruth } = await claimable(this.#options.record.changes, change, token);
    const known = this.#known.get(change);
    if (this.#over.has(change) || (known !== undefined && known.token > token))
      throw new ChangeLostError(change);
    this.#known.set(change, {
      ...(known ?? { held: 0, switched: 0, released: 0 }),
      token,
      moves: movesTruth,
    });
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

  #holds(snapshot: Snapshot, change: string): string | undefined {
    for (const [cohort, hold] of snapshot.cohortHolds) if (hold.change === change) return cohort;
    return undefined;
  }

  hold(change: string, token: number, cohort: string): Promise<number> {
    return this.#step(
      change,
      token,
      (known, snapshot) => {
        if (known.released > 0) throw new ChangeLostError(change);
        if (!snapshot.cohortByName.has(cohort)) throw new Error(`there is no cohort ${cohort}`);
        return this.#holds(snapshot, change) === undefined ? undefined : known.held;
      },
      (known, { cohortHolds }, epoch) => {
        known.held = epoch;
        return { cohortHolds: new Map([...cohortHolds, [cohort, { change, epoch }]]) };
      },
    );
  }

  switchCohort(change: string, token: number, cohort: Cohort): Promise<number> {
    return this.#step(
      change,
      token,
      (known, snapshot) => {
        if (known.switched > 0) return known.switched;
        if (known.released > 0) throw new ChangeLostError(change);
        if (!snapshot.cohortByName.has(cohort.name)) throw new Error(`there is no cohort ${cohort.name}`);
        if (known.moves && this.#holds(snapshot, change) === undefined)
          throw new Error(`the state map has lost the hold of change ${change}: it has to be held again`);
        return undefined;
      },
      (known, { cohorts }, epoch) => {
        known.switched = epoch;
        return { cohorts: cohorts.map((each) => (each.name === cohort.name ? cohort : each)) };
      },
    );
  }

  release(change: string, token: number): Promise<number> {
    return this.#step(
      change,
      token,
      (known, snapshot) => {
        if (known.released > 0) return known.released;
        if (this.#holds(snapshot, change) !== undefined) return undefined;
        known.released = snapshot.epoch;
        return known.released;
      },
      (known, { cohortHolds }, epoch) => {
        known.released = epoch;
        return { cohortHolds: new Map([...cohortHolds].filter(([, hold]) => hold.change !== change)) };
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

  async renewLease(lease: Lease): Promise<void> {
    this.#leases.set(lease.gateway, lease);
  }

  async dropLease(gateway: string): Promise<void> {
    this.#leases.delete(gateway);
  }

  async epoch(): Promise<number> {
    return this.#options.snapshot().epoch;
  }

  close(): void {
    this.#leases.clear();
  }
}
