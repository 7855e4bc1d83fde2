/** What a gateway may say of the epochs it has applied. No I/O. */
import type { Snapshot, User } from '../model.ts';

/** How many writes are in flight. */
export interface WritesInFlight {
  readonly unplaced: number;
  ofCohort(cohort: string): number;
  /** Of both, those whose user is not marked for good as somebody who wrote to `new`. */
  readonly unsettledUnplaced: number;
  unsettledOf(cohort: string): number;
  ofUser(user: string): number;
}

export type Undrained =
  | {
      readonly cohort: string;
      /** It also waits for every write whose user has no membership yet. */
      readonly unplacedToo: boolean;
      readonly writes: number;
      /** Of those, without a mark. */
      readonly unsettled: number;
    }
  | { readonly user: User; readonly writes: number };

export interface Acknowledgement {
  /** The latest epoch that is in the snapshot. */
  readonly applied: number;
  /** The latest epoch before which no write was decided that is in flight for a held subject. */
  readonly drained: number;
  /** The same for writes whose user is not marked: enough for a change that leaves those who are where they are. */
  readonly settled: number;
  readonly undrained: readonly Undrained[];
}

/**
 * Works out what may be acknowledged. While a cohort is held nobody joins its writes in flight, so all there
 * are were decided before its hold, and the epoch of the hold has not drained before they are gone.
 *
 * Which epoch that is cannot be taken from the hold alone: a map that was rebuilt has the same hold at a later one,
 * while its controller waits for the first. So what was applied before a change's hold was first seen is what may be
 * said until its cohort has drained.
 *
 * A user without a membership may have been sent by another cohort, as the attributes of that request had it.
 * So the hold of a cohort that users fall into by attributes waits for the writes of all such users.
 * While it lasts everybody is placed before anything is sent, so that no more of them come.
 */
export class Acknowledger {
  #applied: number;
  /** By held subject and change, what was applied before its hold. */
  #before = new Map<string, number>();

  /** @param snapshot the first one; no write was decided before it */
  constructor(snapshot: Snapshot) {
    this.#applied = snapshot.epoch;
  }

  /** To be called for every snapshot, in the turn in which it is applied, and whenever writes have ended. */
  look(snapshot: Snapshot, writes: WritesInFlight): Acknowledgement {
    const before = new Map<string, number>();
    const undrained: Undrained[] = [];
    let drained = snapshot.epoch;
    let settled = snapshot.epoch;
    const limit = (
      subject: string,
      change: string,
      epoch: number,
      inFlight: number,
      unsettled: number,
    ): void => {
      const key = `${subject} ${change}`;
      const known = this.#before.get(key) ?? Math.min(this.#applied, epoch - 1);
      before.set(key, known);
      if (inFlight > 0) drained = Math.min(drained, known);
      if (unsettled > 0) settled = Math.min(settled, known);
    };
    const byAttributes = snapshot.cohorts.some(({ rule }) => rule !== undefined);
    for (const [name, { change, epoch }] of snapshot.cohortHolds) {
      const cohort = snapshot.cohortByName.get(name);
      const unplacedToo =
        byAttributes && cohort !== undefined && (cohort.rule !== undefined || cohort.isDefault);
      const count = Math.max(writes.ofCohort(name), unplacedToo ? writes.unplaced : 0);
      const unsettled = Math.max(writes.unsettledOf(name), unplacedToo ? writes.unsettledUnplaced : 0);
      limit('cohort', change, epoch, count, unsettled);
      if (count > 0) undrained.push({ cohort: name, unplacedToo, writes: count, unsettled });
    }
    for (const [user, { change, epoch }] of snapshot.userHolds) {
      const count = writes.ofUser(user);
      limit(`user ${user}`, change, epoch, count, count);
      if (count > 0) undrained.push({ user, writes: count });
    }
    this.#before = before;
    this.#applied = snapshot.epoch;
    return { applied: snapshot.epoch, drained, settled, undrained };
  }
}
