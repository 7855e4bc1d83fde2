/**
 * Reads the marks for a controller. Gateways note marks in the map first and in the record a little later, so each
 * answer begins by collecting into the record what only the map has; then the record has everything.
 */
import type { Cohort, User, UserRecord } from '../model.ts';
import { hasUsersOnNew, isTracked } from './era.ts';
import type { DirtyUsers, UserMove, WriteMarks, Writes } from './write-marks.ts';
import {
  type Mark,
  type MarkedCohort,
  type MarkScope,
  type MarkStore,
  PINNED_SCOPE,
  type StoredMark,
} from './write-marks-store.ts';

export interface WriteMarksOptions {
  readonly store: MarkStore;
  /** As the record has them, deleted ones included. */
  readonly readCohorts: () => Promise<readonly MarkedCohort[]>;
  /** Brings into the record what only the map has; a map that keeps no marks has nothing to bring. */
  readonly collect: () => Promise<void>;
}

/** What `MarkStore.addMarks` takes at a time. */
const ADD_MAX = 1_000;

class RecordedMarks implements WriteMarks {
  readonly #options: WriteMarksOptions;

  constructor(options: WriteMarksOptions) {
    this.#options = options;
  }

  async dirtyOf(names: readonly string[], limit: number): Promise<DirtyUsers> {
    const { store, readCohorts, collect } = this.#options;
    await collect();
    const cohorts = (await readCohorts()).filter(counts);
    const wanted = cohorts.filter(({ cohort, deleted }) => !deleted && names.includes(cohort.name));
    const members = wanted.map(({ number }) => number);
    const inside = await store.markedUsers(wanted.map(scopeOf), members, false, limit);
    // A user without a membership may have written in another cohort before its attributes led here.
    const others = cohorts.filter((each) => !wanted.includes(each)).map(scopeOf);
    const outside = await store.markedUsers(others, members, true, limit);
    const found = new Map([...inside, ...outside].map((marked) => [marked.user, marked]));
    const users = [...found.values()].sort((a, b) => inKeyOrder(a.user, b.user));
    return { users: users.slice(0, limit), more: users.length > limit };
  }

  async writesOf(
    users: readonly { readonly user: User; readonly record: UserRecord }[],
  ): Promise<ReadonlyMap<User, Writes>> {
    const { store, readCohorts, collect } = this.#options;
    await collect();
    const cohorts = await readCohorts();
    const marks = byUser(await store.marksOf(users.map(({ user }) => user)));
    return new Map(
      users.map(({ user, record }) => [
        user,
        writesOf(record, marks.get(user) ?? [], cohorts.filter(counts)),
      ]),
    );
  }

  async carry(moves: readonly UserMove[]): Promise<void> {
    const { store, readCohorts, collect } = this.#options;
    await collect();
    const cohorts = await readCohorts();
    const marks = byUser(await store.marksOf(moves.map(({ user }) => user)));
    const added: Mark[] = [];
    const unpinned: User[] = [];
    for (const { user, before, after } of moves) {
      // A cohort that the change has emptied counts too: it is its marks that are carried.
      if (writesOf(before, marks.get(user) ?? [], cohorts.filter(hadUsersOnNew)) !== 'none') {
        added.push(...marksFor(user, after, cohorts));
      }
      if (before.pin === 'new' && after.pin !== 'new') unpinned.push(user);
    }
    for (let i = 0; i < added.length; i += ADD_MAX) await store.addMarks(added.slice(i, i + ADD_MAX));
    await store.dropPinMarks(unpinned);
  }
}

function inKeyOrder(a: User, b: User): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

function byUser(marks: readonly StoredMark[]): ReadonlyMap<User, StoredMark[]> {
  const found = new Map<User, StoredMark[]>();
  for (const mark of marks) {
    const known = found.get(mark.user);
    if (known === undefined) found.set(mark.user, [mark]);
    else known.push(mark);
  }
  return found;
}

function scopeOf({ number, cohort }: MarkedCohort): MarkScope {
  return { number, era: cohort.era?.number ?? 0 };
}

/** Whether marks in the cohort may be of users that are in `new` now. */
function counts(each: MarkedCohort): boolean {
  return each.cohort.era !== undefined && (each.deleted || hasUsersOnNew(each.cohort));
}

function hadUsersOnNew({ cohort }: MarkedCohort): boolean {
  return cohort.era !== undefined;
}

function isIn(mark: StoredMark, { number, era }: MarkScope): boolean {
  return mark.number === number && mark.era === era;
}

function leadsTo({ cohort, deleted }: MarkedCohort): boolean {
  return !deleted && (cohort.isDefault || cohort.rule !== undefined);
}

/** What these marks say of a user with this record. */
function writesOf(
  { pin, membership }: UserRecord,
  marks: readonly StoredMark[],
  cohorts: readonly MarkedCohort[],
): Writes {
  if (pin === 'legacy') return 'none';
  if (pin === 'new') return marks.some((mark) => isIn(mark, PINNED_SCOPE)) ? 'some' : 'none';
  const own = cohorts.find(({ cohort, deleted }) => !deleted && cohort.name === membership?.cohort);
  const possible = membership === undefined ? cohorts.filter(leadsTo) : own === undefined ? [] : [own];
  if (possible.some(({ cohort }) => !isTracked(cohort))) return 'unknown';
  if (own !== undefined && marks.some((mark) => isIn(mark, scopeOf(own)))) return 'some';
  if (membership?.by === 'explicit') return 'none';
  // It had no membership when it wrote, and may have been in any cohort.
  const elsewhere = marks.some((mark) => mark.unplaced && cohorts.some((each) => isIn(mark, scopeOf(each))));
  return elsewhere ? 'some' : 'none';
}

/** The marks that keep a user dirty under this record, where that leaves it in `new`. */
function marksFor(
  user: User,
  { pin, membership }: UserRecord,
  cohorts: readonly MarkedCohort[],
): readonly Mark[] {
  if (pin === 'legacy') return [];
  if (pin === 'new') return [{ user, cohort: undefined, era: PINNED_SCOPE.era, unplaced: false }];
  const unplaced = membership === undefined;
  const possible = cohorts.filter((each) =>
    unplaced ? leadsTo(each) : !each.deleted && each.cohort.name === membership.cohort,
  );
  return possible
    .map(({ cohort }): Cohort => cohort)
    .flatMap(({ name, era, ...rest }) =>
      era === undefined || !hasUsersOnNew(rest) ? [] : [{ user, cohort: name, era: era.number, unplaced }],
    );
}

/** @param options of the stores that the controller uses */
export function createWriteMarks(options: WriteMarksOptions): WriteMarks {
  return new RecordedMarks(options);
}
