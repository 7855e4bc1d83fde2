/**
 * Reads the marks for a controller. Gateways note marks in the map first and in the record a little later, so each
 * answer begins by collecting into the record what only the map has; then the record has everything.
 */
import { isFull } from '../decision/ramp.ts';
import { STAGE_TABLE } from '../decision/stages.ts';
import type { Cohort, User, UserRecord } from '../model.ts';
import { hasUsersOnNew, isTracked } from './era.ts';
import { ownersOf } from './owners.ts';
import type { UserRecords } from './stores.ts';
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
  readonly users: Pick<UserRecords, 'membersOf'>;
  /** As the record has them, deleted ones included. */
  readonly readCohorts: () => Promise<readonly MarkedCohort[]>;
  /** Brings into the record what only the map has; a map that keeps no marks has nothing to bring. */
  readonly collect: () => Promise<void>;
}

/** What `MarkStore.addMarks` takes at a time. */
const ADD_MAX = 1_000;
/** Members who are looked at one by one, where only the hash of a user tells whether it is on `new`. */
const SAMPLE_MAX = 100_000;
const PAGE = 5_000;
const ALL_MEMBERS = { migratedOnly: false, ordinalBelow: undefined };

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
    // Of users without a membership only those matter whose attributes may lead here.
    const query = { members, withoutToo: wanted.some(leadsTo), limit };
    const inside = await store.markedUsers({ ...query, scopes: wanted.map(scopeOf), unplacedOnly: false });
    // They may have written in another cohort, before their attributes led here.
    const others = cohorts.filter((each) => !wanted.includes(each)).map(scopeOf);
    const outside = await store.markedUsers({ ...query, scopes: others, unplacedOnly: true });
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

  async cleanMembers(cohort: Cohort): Promise<number> {
    const { store, readCohorts, collect } = this.#options;
    await collect();
    const cohorts = (await readCohorts()).filter(counts);
    const found = cohorts.find((each) => !each.deleted && each.cohort.name === cohort.name);
    if (found === undefined || !isTracked(found.cohort)) return 0;
    const others = cohorts.filter((each) => each !== found).map(scopeOf);
    const { ramp, stage, migration } = found.cohort;
    const migratedOnly = migration === 'per-user';
    const rampMatters = STAGE_TABLE[STAGE_TABLE[stage].before].target === 'legacy' && !isFull(ramp);
    if (rampMatters && ramp.kind === 'percent') return this.#cleanOnRamp(found, others);
    const ordinalBelow = rampMatters && ramp.kind === 'count' ? ramp.count : undefined;
    return store.unmarkedMembers(scopeOf(found), others, { migratedOnly, ordinalBelow });
  }

  async #cleanOnRamp({ number, cohort }: MarkedCohort, others: readonly MarkScope[]): Promise<number> {
    const { store, users } = this.#options;
    let seen = 0;
    let clean = 0;
    for (let after: User | undefined; seen < SAMPLE_MAX; ) {
      const page = await users.membersOf(cohort.name, after, PAGE);
      const onNew = page.filter(({ user, record }) => isOnNew(user, record, cohort));
      const marks = byUser(await store.marksOf(onNew.map(({ user }) => user)));
      const scope = scopeOf({ number, cohort, deleted: false });
      clean += onNew.filter(({ user, record }) =>
        (marks.get(user) ?? []).every((mark) => !saysDirty(mark, record, scope, others)),
      ).length;
      seen += page.length;
      after = page.at(-1)?.user;
      if (page.length < PAGE) return clean;
    }
    const scope: MarkScope = { number, era: 0 };
    // Of the rest as large a share as of these. An era 0 has no marks, so this counts everybody.
    return Math.round((clean / seen) * (await store.unmarkedMembers(scope, [], ALL_MEMBERS)));
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

/** Whether this mark, of a member of the cohort with that scope, is one of writes that would be lost. */
function saysDirty(
  mark: StoredMark,
  { membership }: UserRecord,
  scope: MarkScope,
  others: readonly MarkScope[],
): boolean {
  if (isIn(mark, scope)) return true;
  return membership?.by === 'rule' && mark.unplaced && others.some((other) => isIn(mark, other));
}

function isOnNew(user: User, record: UserRecord, cohort: Cohort): boolean {
  return record.pin === undefined && ownersOf(user, record, [cohort]).has('new');
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
  if (marks.some((mark) => possible.some((each) => isIn(mark, scopeOf(each))))) return 'some';
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
  return possible.flatMap(({ cohort }) =>
    cohort.era === undefined || !hasUsersOnNew(cohort)
      ? []
      : [{ user, cohort: cohort.name, era: cohort.era.number, unplaced }],
  );
}

/** @param options of the stores that the controller uses */
export function createWriteMarks(options: WriteMarksOptions): WriteMarks {
  return new RecordedMarks(options);
}
