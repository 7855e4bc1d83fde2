/** What the record says of cohorts, trips and ramps, as a process last read it. */
import type { Logger } from 'pino';
import type { GuardStore, RampRow, TripRow, WatchedCohort } from './guard-store.ts';

/** What a process knows besides the record, so that it need not be asked all the time. */
export interface RecordHints {
  /** The epoch of the state map that this process follows; absent where it follows none. */
  readonly epoch?: () => number;
  /** Nobody else writes into this record. */
  readonly alone?: boolean;
}

export interface RecordWatchOptions extends RecordHints {
  readonly store: Pick<GuardStore, 'endQuietTrips' | 'openTrips' | 'openRamps' | 'guardCohorts'>;
  readonly cooldownMs: () => number;
  readonly log: Logger;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
}

/** Between two looks at trips and ramps that this process did not touch. */
const REFRESH_MS = 1_000;
const REFRESH_ALONE_MS = 5_000;
/** A change is noted as being in force a moment after the map has it. */
const SETTLES_MS = 1_000;

export class RecordWatch {
  readonly #options: RecordWatchOptions;
  cohorts: readonly WatchedCohort[] = [];
  /** What is open. */
  trips: readonly TripRow[] = [];
  /** Not over. */
  ramps: readonly RampRow[] = [];
  #refreshedMs = -Infinity;
  #epoch: number | undefined;
  #settlesUntilMs = -Infinity;

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
    const { store, cooldownMs, log, now, alone } = this.#options;
    const isDue = now() - this.#refreshedMs >= (alone === true ? REFRESH_ALONE_MS : REFRESH_MS);
    if (isDue) this.#refreshedMs = now();
    try {
      if (isDue) {
        if (this.trips.some(({ action }) => action !== 'rollback')) await store.endQuietTrips(cooldownMs());
        // One after the other: changes need the connections more. And before the cohorts: what a run is compared with
        // must not be older than the run.
        this.trips = await store.openTrips();
        this.ramps = await store.openRamps();
      }
      if (this.#mayHaveMoved() || isDue) this.cohorts = await store.guardCohorts();
    } catch (err) {
      this.changed();
      log.debug({ event: 'guard_without_record', err }, 'the record does not answer the guard');
    }
  }

  /** Whether a cohort may be another than when it was read. */
  #mayHaveMoved(): boolean {
    const { epoch, now } = this.#options;
    if (epoch === undefined) return true;
    const latest = epoch();
    if (latest !== this.#epoch) this.#settlesUntilMs = now() + SETTLES_MS;
    this.#epoch = latest;
    return now() < this.#settlesUntilMs;
  }
}
