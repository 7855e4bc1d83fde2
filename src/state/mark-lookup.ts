/**
 * Looks for the marks of one user that any gateway has made: first in the map, then in the record. A mark leaves the map
 * after it has come to the record, so whoever looks in that order misses none. docs/state-map.md has the reasons.
 *
 * Here a user is taken for one who wrote whenever that cannot be excluded: a mark too many costs an answer of the other
 * backend, and nothing else.
 */

import type { Writes } from '../cutover/write-marks.ts';
import type { Mark, MarkStore, UserMarks } from '../cutover/write-marks-store.ts';
import type { User } from '../model.ts';
import type { MarkSets } from './mark-sets.ts';
import type { MarkPlace } from './state-map.ts';
import { within } from './within.ts';

/** The map's part of a look. */
export interface MarkedMap {
  readonly sets: Pick<MarkSets, 'hasAny'>;
  /** Whether what is in Redis is still the map that this gateway follows. */
  isStillThere(): Promise<boolean>;
}

export interface MarkLookupOptions {
  readonly store: Pick<MarkStore, 'namedMarks'>;
  /** Bound on one statement of the record, milliseconds. */
  readonly recordMs: number;
  /** `record-only`: marks are nowhere else. `undefined`: the map cannot say. */
  readonly map: () => MarkedMap | 'record-only' | undefined;
}

/** Bound on one look, milliseconds: somebody waits for an answer. */
export const LOOK_MS = 500;
/** Users in one statement. */
const BATCH_MAX = 500;

interface Waiting {
  readonly user: User;
  readonly resolve: (marks: UserMarks) => void;
  readonly reject: (error: unknown) => void;
}

export class MarkLookup {
  readonly #options: MarkLookupOptions;
  #waiting: Waiting[] = [];
  #reading = false;

  constructor(options: MarkLookupOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async look(user: User, place: MarkPlace, cohorts: readonly MarkPlace[]): Promise<Writes> {
    try {
      return await within(this.#look(user, place, cohorts), LOOK_MS, 'a store');
    } catch {
      return 'unknown';
    }
  }

  async #look(user: User, place: MarkPlace, cohorts: readonly MarkPlace[]): Promise<Writes> {
    const map = this.#options.map();
    if (map === undefined) return 'unknown';
    if (map !== 'record-only') {
      // Asked in this order on one connection: a map that is there afterwards was not wiped before.
      const [found, isThere] = await Promise.all([
        map.sets.hasAny(marksThatCount(user, cohorts)),
        map.isStillThere(),
      ]);
      if (found) return 'some';
      if (!isThere) return 'unknown';
    }
    const { marks, changing } = await this.#recorded(user);
    if (marks.some((mark) => !isOver(mark, place))) return 'some';
    return changing ? 'unknown' : 'none';
  }

  /** All that ask while one statement runs share the next. */
  #recorded(user: User): Promise<UserMarks> {
    const { promise, resolve, reject } = Promise.withResolvers<UserMarks>();
    this.#waiting.push({ user, resolve, reject });
    if (!this.#reading) void this.#read();
    return promise;
  }

  async #read(): Promise<void> {
    const { store, recordMs } = this.#options;
    this.#reading = true;
    // A turn for those that come together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX);
      try {
        const users = [...new Set(batch.map(({ user }) => user))];
        const found = await within(store.namedMarks(users), recordMs, 'the record');
        for (const { user, resolve, reject } of batch) {
          const marks = found.get(user);
          if (marks === undefined) reject(new Error('the record did not say'));
          else resolve(marks);
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#reading = false;
  }
}

/** The marks that the user may have where anybody is marked now. Those of older eras have long been recorded. */
function marksThatCount(user: User, cohorts: readonly MarkPlace[]): readonly Mark[] {
  const places = cohorts.flatMap(({ name, era }) =>
    era === undefined ? [] : [{ user, cohort: name, era: era.number }],
  );
  return [...places, { user, cohort: undefined, era: 0 }].flatMap((place) => [
    { ...place, unplaced: false },
    { ...place, unplaced: true },
  ]);
}

/**
 * A mark of a member that its own cohort's present era has left behind. Of other cohorts all count, whatever their era: the
 * user may have come from there, or have been led there by its attributes.
 */
function isOver({ cohort, era, unplaced }: UserMarks['marks'][number], place: MarkPlace): boolean {
  return cohort === place.name && !unplaced && era < (place.era?.number ?? 0);
}
