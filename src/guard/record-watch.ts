/** What the record says of cohorts, trips and ramps, as a process last read it. */
import type { Logger } from 'pino';
import type { GuardStore, RampRow, TripRow, WatchedCohort } from './guard-store.ts';

export interface RecordWatchOptions {
  readonly store: Pick<GuardStore, 'endQuietTrips' | 'openTrips' | 'openRamps' | 'guardCohorts'>;
  readonly cooldownMs: () => number;
  readonly log: Logger;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
}

/** Between two looks at trips and ramps that this process did not touch. */
const REFRESH_MS = 1_000;

export class RecordWatch {
  readonly #options: RecordWatchOptions;
  cohorts: readonly WatchedCohort[] = [];
  /** What is open. */
  trips: readonly TripRow[] = [];
  /** Not over. */
  ramps: readonly RampRow[] = [];
  #refreshedMs = -Infinity;

  constructor(options: RecordWatchOptions) {
    this.#options = options;
  }

  /** The next look reads everything. */
  changed(): void {
    this.#refreshedMs = -Infinity;
  }

  tripsOf(cohort: string): readonly TripRow[] {
    return this.trips.filter((trip) => trip.cohort === cohort);
  }

  /** Reads what is due. While the record does not answer, what was last read stays. */
  async look(): Promise<void> {
    const { store, cooldownMs, log, now } = this.#options;
    const isDue = now() - this.#refreshedMs >= REFRESH_MS;
    if (isDue) this.#refreshedMs = now();
    try {
      if (isDue) {
        await store.endQuietTrips(cooldownMs());
        // Before the cohorts: what a run is compared with must not be older than the run.
        [this.trips, this.ramps] = await Promise.all([store.openTrips(), store.openRamps()]);
      }
      this.cohorts = await store.guardCohorts();
    } catch (err) {
      if (isDue) this.changed();
      log.debug({ event: 'guard_without_record', err }, 'the record does not answer the guard');
    }
  }
}
