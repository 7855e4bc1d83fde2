import type { User } from '../model.ts';
import type { WriteMarker } from '../state/state-map.ts';
import type { WritesInFlight } from './acknowledgement.ts';

/** What the drain of a hold asks of a gateway's marks. */
export type UnrecordedMarks = Pick<
  WriteMarker,
  'unrecorded' | 'unrecordedOf' | 'unrecordedUnplaced' | 'recorded'
>;

/**
 * Writes in flight, and besides them those whose marks only Redis has. A hold has drained when the record knows of
 * every write that this gateway has sent: so no failover of Redis can hide one from whoever asks then.
 */
export class UnrecordedWrites implements WritesInFlight {
  readonly #writes: WritesInFlight;
  readonly #marks: UnrecordedMarks;

  constructor(writes: WritesInFlight, marks: UnrecordedMarks) {
    this.#writes = writes;
    this.#marks = marks;
  }

  get unplaced(): number {
    return this.#writes.unplaced + this.#marks.unrecordedUnplaced;
  }

  get unsettledUnplaced(): number {
    return this.#writes.unsettledUnplaced + this.#marks.unrecordedUnplaced;
  }

  unsettledOf(cohort: string): number {
    return this.#writes.unsettledOf(cohort) + this.#marks.unrecorded(cohort);
  }

  ofCohort(cohort: string): number {
    return this.#writes.ofCohort(cohort) + this.#marks.unrecorded(cohort);
  }

  ofUser(user: User): number {
    return this.#writes.ofUser(user) + this.#marks.unrecordedOf(user);
  }
}
