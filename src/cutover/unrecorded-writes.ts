import type { User } from '../model.ts';
import type { UnrecordedPlacements, WriteMarker } from '../state/state-map.ts';
import type { WritesInFlight } from './acknowledgement.ts';

/** What the drain of a hold asks of a gateway's marks. */
export type UnrecordedMarks = Pick<
  WriteMarker,
  'unrecorded' | 'unrecordedOf' | 'unrecordedUnplaced' | 'recorded'
>;

const NO_PLACEMENTS: Pick<UnrecordedPlacements, 'unrecorded'> = { unrecorded: 0 };

/**
 * Writes in flight, and besides them those whose marks only Redis has. A hold has drained when the record knows of
 * every write that this gateway has sent: so no failover of Redis can hide one from whoever asks then.
 *
 * Of users whom attributes lead, it also waits for placements that only Redis has: whoever moves such users reads from the
 * record where each of them is, and would keep one in `new` who has written to `legacy` since, on the strength of one.
 */
export class UnrecordedWrites implements WritesInFlight {
  readonly #writes: WritesInFlight;
  readonly #marks: UnrecordedMarks;
  readonly #placements: Pick<UnrecordedPlacements, 'unrecorded'>;

  constructor(
    writes: WritesInFlight,
    marks: UnrecordedMarks,
    placements: Pick<UnrecordedPlacements, 'unrecorded'> = NO_PLACEMENTS,
  ) {
    this.#writes = writes;
    this.#marks = marks;
    this.#placements = placements;
  }

  get unplaced(): number {
    return this.#writes.unplaced + this.#marks.unrecordedUnplaced + this.#placements.unrecorded;
  }

  get unsettledUnplaced(): number {
    return this.#writes.unsettledUnplaced + this.#marks.unrecordedUnplaced + this.#placements.unrecorded;
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
