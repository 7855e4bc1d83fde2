/**
 * Reads the marks for a controller. Gateways note marks in the map first and in the record a little later, so each
 * answer begins by collecting into the record what only the map has; then the record has everything.
 */
import { isFull } from '../decision/ramp.ts';
import { STAGE_TABLE } from '../decision/stages.ts';
import type { Cohort, User, UserRecord } from '../model.ts';
import { isTracked } from './era.ts';
import { isIn, isOnNew, leadsTo, marksFor, scopeOf, strayedFrom, wasOnNew, writesOf } from './mark-places.ts';
import { ownersOf } from './owners.ts';
import type { UserRecords } from './stores.ts';
import type { DirtyUsers, UserMove, WriteMarks, Writes } from './write-marks.ts';
import type { Mark, MarkedCohort, MarkStore, StoredMark } from './write-marks-store.ts';

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
    const cohorts = (await readCohorts()).filter(isOnNew);
    const wanted = cohorts.filter(({ cohort }) => names.includes(cohort.name));
    // A change that leads to `new` asks too, while writes wait.
    if (wanted.length === 0) return { users: [], more: false };
    await collect();
    const members = wanted.map(({ number }) => number);
    // Of users without a membership only those matter whose attributes may lead here.
    const query = { members, withoutToo: wanted.some(leadsTo), limit };
    const [inside, outside] = await Promise.all([
      store.markedUsers(wanted.map(scopeOf), query),
      // They may have written in another cohort, before their attributes led here.
      store.strayedUsers(query),
    ]);
    const found = new Map([...inside, ...outside].map((marked) => [marked.user, marked]));
    const users = [...found.values()].sort((a, b) => inKeyOrder(a.user, b.user));
    return { users: users.slice(0, limit), more: users.length > limit };
  }

  async writesOf(
    users: readonly { readonly user: User; readonly record: UserRecord }[],
  ): Promise<ReadonlyMap<User, Writes>> {
    const { store, readCohorts, collect } = this.#options;
    await collect();
    const cohorts = (await readCohorts()).filter(isOnNew);
    const marks = byUser(await store.marksOf(users.map(({ user }) => user)));
    return new Map(users.map(({ user, record }) => [user, writesOf(record, marks.get(user) ?? [], cohorts)]));
  }

  async cleanMembers(cohort: Cohort): Promise<number> {
    const { store, readCohorts, collect } = this.#options;
    await collect();
    const found = (await readCohorts()).find((each) => isOnNew(each) && each.cohort.name === cohort.name);
    if (found === undefined || !isTracked(found.cohort)) return 0;
    const { ramp, stage, migration } = found.cohort;
    const migratedOnly = migration === 'per-user';
    const rampMatters = STAGE_TABLE[STAGE_TABLE[stage].before].target === 'legacy' && !isFull(ramp);
    if (rampMatters && ramp.kind === 'percent') return this.#cleanOnRamp(found);
    const ordinalBelow = rampMatters && ramp.kind === 'count' ? ramp.count : undefined;
    return store.unmarkedMembers(scopeOf(found), { migratedOnly, ordinalBelow });
  }

  async #cleanOnRamp(found: MarkedCohort): Promise<number> {
    const { store, users } = this.#options;
    const { number, cohort } = found;
    const scope = scopeOf(found);
    let seen = 0;
    let clean = 0;
    for (let after: User | undefined; seen < SAMPLE_MAX; ) {
      const page = await users.membersOf(cohort.name, after, PAGE);
      const onNew = page.filter(({ user, record }) => movesWith(user, record, cohort));
      const marks = byUser(await store.marksOf(onNew.map(({ user }) => user)));
      clean += onNew.filter(({ user, record: { membership } }) =>
        (marks.get(user) ?? []).every(
          (mark) => !isIn(mark, scope) && (membership?.by === 'explicit' || !strayedFrom(mark, number)),
        ),
      ).length;
      seen += page.length;
      after = page.at(-1)?.user;
      if (page.length < PAGE) return clean;
    }
    // Of the rest as large a share as of these. An era 0 has no marks.
    return Math.round((clean / seen) * (await store.unmarkedMembers({ number, era: 0 }, ALL_MEMBERS)));
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
      if (writesOf(before, marks.get(user) ?? [], cohorts.filter(wasOnNew)) !== 'none') {
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

/** Whether the user is in `new` because of the cohort. */
function movesWith(user: User, record: UserRecord, cohort: Cohort): boolean {
  return record.pin === undefined && ownersOf(user, record, [cohort]).has('new');
}

/** @param options of the stores that the controller uses */
export function createWriteMarks(options: WriteMarksOptions): WriteMarks {
  return new RecordedMarks(options);
}
