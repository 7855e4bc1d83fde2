/**
 * Takes a cohort back for a trip, whatever comes in between. ARCHITECTURE.md, section 'The guard', has the states. Every
 * step can be repeated by any process: the change has a key that is made of the trip, and each statement names what it
 * knows of the trip.
 */
import type { Logger } from 'pino';
import type { Change } from '../cutover/change.ts';
import {
  ChangeRefusedError,
  type Control,
  UnknownCohortError,
  WritesUnknownError,
} from '../cutover/control.ts';
import { ChangeConflictError } from '../cutover/stores.ts';
import type { GuardStore, TripRow } from './guard-store.ts';
import { tripInWords } from './trip-in-words.ts';

export interface TripKeeperOptions {
  readonly store: GuardStore;
  readonly control: Pick<Control, 'rollback'>;
  /** Whether people are to be told. */
  readonly tells: () => boolean;
  readonly log: Logger;
  /** Ends early when the engine is closed. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly isClosed: () => boolean;
  /** Something has changed in the record. */
  readonly changed: () => void;
}

/** Another change of the cohort is open: asked again after so long. Short, because users wait. */
const CONFLICT_MS = 50;
/** A store does not answer, or the change was undone: from this, doubled each time, to that. */
const RETRY_MS = 200;
const RETRY_MS_MAX = 5_000;

/** Whether it still has to be taken back. */
export function isGoing(trip: TripRow): boolean {
  return trip.action === 'rollback' && trip.inForceAt === undefined && trip.clearedAt === undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export class TripKeeper {
  readonly #options: TripKeeperOptions;
  readonly #going = new Map<string, Promise<void>>();

  constructor(options: TripKeeperOptions) {
    this.#options = options;
  }

  isAtWork(trip: string): boolean {
    return this.#going.has(trip);
  }

  /** Begins to work on it, unless this process does already. Goes on until it is in force, cleared, or all is closed. */
  go(trip: TripRow): void {
    if (this.#going.has(trip.id) || !isGoing(trip)) return;
    const work = this.#keep(trip).finally(() => this.#going.delete(trip.id));
    this.#going.set(trip.id, work);
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await Promise.all(this.#going.values());
  }

  async #keep(first: TripRow): Promise<void> {
    const { store, log, sleep, isClosed, changed } = this.#options;
    const { id } = first;
    let trip: TripRow | undefined = first;
    for (let failures = 0; trip !== undefined && isGoing(trip) && !isClosed(); ) {
      let waitMs: number;
      try {
        waitMs = await this.#attempt(trip);
        if (waitMs <= CONFLICT_MS) failures = 0;
      } catch (error) {
        failures += 1;
        const fields = { event: 'guard_delayed', trip: id, cohort: trip.cohort, err: error };
        log.error(fields, 'the guard could not take a cohort back yet; it is tried again');
        waitMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(failures, 8));
      }
      changed();
      if (waitMs > 0) await sleep(waitMs);
      trip = await store.readTrip(id).catch(() => trip);
    }
  }

  /** @returns how long to wait before the next one, milliseconds */
  async #attempt(trip: TripRow): Promise<number> {
    const { store, control } = this.#options;
    const { id, cohort, attempt } = trip;
    let change: Change;
    try {
      change = await control.rollback({
        cohort,
        dirtyUsers: 'drain',
        actor: 'guard',
        reason: tripInWords(trip.condition, trip.path, trip.figures),
        expectedEpoch: undefined,
        idempotencyKey: `guard-${id}-${attempt}`,
      });
    } catch (error) {
      return this.#refused(trip, error);
    }
    if (change.phase === 'done') return this.#settled(trip, change);
    if (change.phase === 'undone') {
      const note = `change ${change.id} was undone, and it is tried again: ${change.note ?? 'nobody said why'}`;
      await store.retryTrip(id, attempt, note);
      return Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(attempt, 8));
    }
    const note = `change ${change.id} is ${change.phase}${change.note === undefined ? '' : `: ${change.note}`}`;
    await store.noteTrip(id, attempt, { change: change.id, note });
    return 0;
  }

  async #settled(trip: TripRow, change: Change): Promise<number> {
    const { store, tells, log } = this.#options;
    const { id, cohort, attempt } = trip;
    await store.noteTrip(id, attempt, { change: change.id });
    const note = change.dirty > 0 ? change.note : undefined;
    if (await store.settleTrip(id, change.endedAt, note, tells())) {
      const afterMs = Number(change.endedAt ?? new Date()) - Number(trip.trippedAt);
      const fields = { event: 'guard_in_force', trip: id, cohort, change: change.id, afterMs };
      log.warn(fields, 'a cohort that the guard took back is on legacy everywhere');
    }
    return 0;
  }

  /** The change could not be opened. */
  async #refused(trip: TripRow, error: unknown): Promise<number> {
    const { store, tells } = this.#options;
    const { id, cohort, attempt } = trip;
    if (error instanceof ChangeConflictError) {
      const note = `waits for change ${error.openChange} of the same cohort`;
      if (trip.note !== note) await store.noteTrip(id, attempt, { note });
      return CONFLICT_MS;
    }
    if (error instanceof WritesUnknownError) {
      await store.holdInstead(id, `${messageOf(error)}: a person has to decide`);
      return 0;
    }
    if (error instanceof UnknownCohortError) {
      await store.settleTrip(id, undefined, 'the cohort does not exist any more', tells());
      return 0;
    }
    if (error instanceof ChangeRefusedError && !(await this.#isOnNew(cohort))) {
      await store.settleTrip(id, undefined, 'somebody else has taken the cohort back', tells());
      return 0;
    }
    throw error;
  }

  async #isOnNew(name: string): Promise<boolean> {
    const found = (await this.#options.store.guardCohorts()).find(({ cohort }) => cohort.name === name);
    return found !== undefined && ['live', 'rampdown', 'complete'].includes(found.cohort.stage);
  }
}
