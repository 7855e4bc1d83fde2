import type { Cohort, Hold, Snapshot, User } from '../model.ts';

export interface SnapshotParts {
  readonly mapId: string;
  readonly epoch: number;
  /** In the order in which their rules are tried, deleted ones left out. */
  readonly cohorts: readonly Cohort[];
  readonly cohortHolds?: ReadonlyMap<string, Hold>;
  readonly userHolds?: ReadonlyMap<User, Hold>;
}

/** A new snapshot. Of several default cohorts the first counts. */
export function createSnapshot(parts: SnapshotParts): Snapshot {
  const { mapId, epoch, cohorts, cohortHolds = new Map(), userHolds = new Map() } = parts;
  return Object.freeze({
    mapId,
    epoch,
    cohorts: Object.freeze([...cohorts]),
    cohortByName: new Map(cohorts.map((cohort) => [cohort.name, cohort])),
    defaultCohort: cohorts.find(({ isDefault }) => isDefault),
    cohortHolds,
    userHolds,
  });
}

/** The same cohorts and holds at another epoch: a change to a user. */
export function atEpoch(snapshot: Snapshot, epoch: number): Snapshot {
  return Object.freeze({ ...snapshot, epoch });
}
