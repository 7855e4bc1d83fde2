/** The record's and the map's part of the cutover in memory, with the promises of `src/cutover/stores.ts`. */
import { type Change, isOver, isUserChange, type Phase } from '../../src/cutover/change.ts';
import { recordAfter } from '../../src/cutover/going-back.ts';
import {
  type Author,
  ChangeConflictError,
  ChangeLostError,
  type ChangePatch,
  type ChangeStore,
  type Claims,
  type CohortSwitch,
  type NewChange,
  type RegisteredGateway,
  type Stranding,
  type UserEvent,
  type UserRecords,
  type UserSwitch,
} from '../../src/cutover/stores.ts';
import type { WriteMarks, Writes } from '../../src/cutover/write-marks.ts';
import { ABSENT_RECORD, type Cohort, type Membership, type User, type UserRecord } from '../../src/model.ts';

export { MemoryControlMap } from './memory-control-map.ts';

const NO_CLAIMS: Claims = { held: [], own: [], shared: [], users: [] };
const NOBODY: Stranding = { pinned: [], leftOut: [], stranded: [] };

export class MemoryChanges implements ChangeStore, UserRecords {
  readonly cohorts: Map<string, Cohort>;
  readonly deleted = new Map<string, Cohort>();
  readonly records = new Map<User, UserRecord>();
  readonly rows: Change[] = [];
  readonly wishes = new Map<string, NewChange>();
  readonly claims = new Map<string, Claims>();
  readonly switches = new Map<string, readonly UserSwitch[]>();
  readonly dirty = new Map<string, readonly User[]>();
  readonly gateways = new Map<string, RegisteredGateway>();
  readonly actions: string[] = [];
  #version = 0;

  constructor(cohorts: readonly Cohort[]) {
    this.cohorts = new Map(cohorts.map((each) => [each.name, each]));
  }

  async openChange(wanted: NewChange): Promise<Change> {
    const known = await this.changeOfKey(wanted.idempotencyKey ?? '');
    if (known !== undefined) return known;
    const { claims, judged: _judged, others: _others, order: _order, ...rest } = wanted;
    const before = wanted.cohort === undefined ? undefined : this.cohorts.get(wanted.cohort);
    if (wanted.cohort !== undefined && (before === undefined) !== (wanted.kind === 'cohort-create'))
      throw new Error(`there is no cohort ${wanted.cohort}`);
    for (const [id, theirs] of this.claims) {
      const mine = [...claims.held, ...claims.own];
      const exclusive = [...theirs.held, ...theirs.own];
      const clash =
        mine.some((name) => exclusive.includes(name) || theirs.shared.includes(name)) ||
        claims.shared.some((name) => exclusive.includes(name)) ||
        claims.users.some((user) => theirs.users.includes(user));
      if (clash) throw new ChangeConflictError(id, this.rows[this.#at(id)]?.job);
    }
    this.wishes.set(wanted.id, wanted);
    this.claims.set(wanted.id, claims);
    const change: Change = {
      ...rest,
      before: isUserChange(wanted) ? undefined : before,
      after: wanted.after,
      user: wanted.user,
      pin: wanted.pin,
      job: wanted.job,
      users: claims.users.length,
      dirty: 0,
      restarts: 0,
      phase: 'pending',
      token: 1,
      heartbeat: 0,
      holdEpoch: undefined,
      switchEpoch: undefined,
      releaseEpoch: undefined,
      note: undefined,
      createdAt: new Date(),
      endedAt: undefined,
    };
    this.rows.push(change);
    return change;
  }

  #at(id: string): number {
    return this.rows.findIndex((row) => row.id === id);
  }

  #update(id: string, token: number, from: Phase | undefined, next: Partial<Change>): Change {
    const at = this.#at(id);
    const row = this.rows[at];
    if (row === undefined || row.token !== token || (from !== undefined && row.phase !== from)) {
      throw new ChangeLostError(id);
    }
    const changed = { ...row, ...next, heartbeat: row.heartbeat + 1 };
    this.rows[at] = changed;
    return changed;
  }

  async moveChange(
    id: string,
    token: number,
    from: Phase,
    to: Phase,
    patch: ChangePatch = {},
    stranding: Stranding = NOBODY,
  ): Promise<Change> {
    const ended = isOver(to) ? { endedAt: new Date() } : {};
    const row = this.rows[this.#at(id)];
    const again = to === 'pending' ? { token: token + 1, restarts: (row?.restarts ?? 0) + 1 } : {};
    const moved = this.#update(id, token, from, { ...patch, ...ended, ...again, phase: to });
    if (isOver(to)) this.claims.delete(id);
    return to === 'switching' ? this.#switch(moved, stranding) : moved;
  }

  #switch(change: Change, { pinned, leftOut, stranded }: Stranding): Change {
    const { id, kind, cohort, after } = change;
    const wish = this.wishes.get(id);
    if (kind === 'cohort-delete' && cohort !== undefined) {
      const gone = this.cohorts.get(cohort);
      if (gone !== undefined) this.deleted.set(cohort, gone);
      this.cohorts.delete(cohort);
    }
    for (const each of [...(after === undefined ? [] : [after]), ...(wish?.others ?? [])])
      this.cohorts.set(each.name, each);
    this.#version += 1;
    const mine = (this.claims.get(id)?.users ?? []).filter((user) => !leftOut.includes(user));
    const edits: [User, UserRecord][] = [
      ...mine.map((user): [User, UserRecord] => [user, recordAfter(change, this.#record(user))]),
      ...pinned.map((user): [User, UserRecord] => [user, { ...this.#record(user), pin: 'new' }]),
    ];
    const switches = edits.map(([user, record]) => {
      const before = this.#record(user);
      this.records.set(user, record);
      return { user, before, after: record, version: this.#version };
    });
    this.switches.set(
      id,
      switches.sort((a, b) => (a.user < b.user ? -1 : 1)),
    );
    const dirty = [...pinned, ...leftOut, ...stranded];
    this.dirty.set(id, dirty);
    const next = { ...change, users: switches.length, dirty: dirty.length };
    this.rows[this.#at(id)] = next;
    return next;
  }

  #record(user: User): UserRecord {
    return this.records.get(user) ?? ABSENT_RECORD;
  }

  async claimsOf(id: string): Promise<Claims> {
    return this.claims.get(id) ?? NO_CLAIMS;
  }

  async definitionsOf(id: string): Promise<readonly CohortSwitch[]> {
    const { held, own } = this.claims.get(id) ?? NO_CLAIMS;
    return [...held, ...own].flatMap((name): CohortSwitch[] => {
      const cohort = this.cohorts.get(name);
      if (cohort !== undefined) return [{ cohort, deleted: false }];
      const gone = this.deleted.get(name);
      return gone === undefined ? [] : [{ cohort: gone, deleted: true }];
    });
  }

  async usersOf(id: string, after: User | undefined, limit: number): Promise<readonly UserSwitch[]> {
    const all = this.switches.get(id) ?? [];
    return all.filter(({ user }) => after === undefined || user > after).slice(0, limit);
  }

  async dirtyOf(id: string, after: User | undefined, limit: number): Promise<readonly User[]> {
    const all = this.dirty.get(id) ?? [];
    return all.filter((user) => after === undefined || user > after).slice(0, limit);
  }

  async beatChange(id: string, token: number, patch: ChangePatch = {}): Promise<void> {
    this.#update(id, token, undefined, patch);
  }

  async takeChange(id: string, heartbeat: number): Promise<Change | undefined> {
    const row = this.rows[this.#at(id)];
    if (row === undefined || row.heartbeat !== heartbeat || isOver(row.phase)) return undefined;
    return this.#update(id, row.token, undefined, { token: row.token + 1 });
  }

  async readChange(id: string): Promise<Change | undefined> {
    return this.rows[this.#at(id)];
  }

  async changeOfKey(key: string): Promise<Change | undefined> {
    return this.rows.find(({ idempotencyKey }) => idempotencyKey === key);
  }

  async openChanges(): Promise<readonly Change[]> {
    return this.rows.filter(({ phase }) => !isOver(phase));
  }

  async listChanges(before: string | undefined, limit: number, cohort?: string): Promise<readonly Change[]> {
    const newestFirst = this.rows.toReversed();
    const from = before === undefined ? 0 : newestFirst.findIndex(({ id }) => id === before) + 1;
    return newestFirst
      .slice(from)
      .filter((row) => cohort === undefined || row.cohort === cohort)
      .slice(0, limit);
  }

  async registerGateway(id: string, where: string): Promise<void> {
    this.gateways.set(id, { id, where, registeredAt: new Date() });
  }

  async deregisterGateway(id: string): Promise<void> {
    this.gateways.delete(id);
  }

  async noteAction(action: 'rebuild' | 'evict', subject: string, { actor, reason }: Author): Promise<void> {
    this.actions.push(`${action} ${subject} by ${actor}: ${reason}`);
  }

  async registeredGateways(): Promise<readonly RegisteredGateway[]> {
    return [...this.gateways.values()];
  }

  async readUsers(users: readonly User[]): Promise<ReadonlyMap<User, UserRecord>> {
    return new Map([...this.records].filter(([user]) => users.includes(user)));
  }

  async membersOf(cohort: string, after: User | undefined, limit: number, by?: Membership['by']) {
    return [...this.records]
      .map(([user, record]) => ({ user, record }))
      .filter(({ record: { membership } }) => membership?.cohort === cohort)
      .filter(({ record: { membership } }) => by === undefined || membership?.by === by)
      .filter(({ user }) => after === undefined || user > after)
      .sort((a, b) => (a.user < b.user ? -1 : 1))
      .slice(0, limit);
  }

  async historyOf(user: User, limit: number): Promise<readonly UserEvent[]> {
    return this.rows
      .filter(({ id }) => this.switches.get(id)?.some((each) => each.user === user) === true)
      .toReversed()
      .slice(0, limit)
      .map(({ createdAt: at, actor, reason, kind, switchEpoch: epoch }) => ({
        at,
        actor,
        reason,
        kind,
        epoch,
      }));
  }
}

/** Marks that a test sets. */
export class MemoryMarks implements WriteMarks {
  readonly marked = new Set<User>();
  readonly carried: User[] = [];
  /** Every call fails with it. */
  failure: Error | undefined;
  readonly #store: MemoryChanges;

  constructor(store: MemoryChanges) {
    this.#store = store;
  }

  async dirtyOf(_cohorts: readonly string[], limit: number) {
    if (this.failure !== undefined) throw this.failure;
    const users = [...this.marked]
      .sort()
      .map((user) => ({ user, record: this.#store.records.get(user) ?? ABSENT_RECORD }));
    return { users: users.slice(0, limit), more: users.length > limit };
  }

  async writesOf(users: readonly { readonly user: User }[]): Promise<ReadonlyMap<User, Writes>> {
    if (this.failure !== undefined) throw this.failure;
    return new Map(users.map(({ user }) => [user, this.marked.has(user) ? 'some' : 'none']));
  }

  async cleanMembers(cohort: Cohort): Promise<number> {
    const all = await this.#store.membersOf(cohort.name, undefined, Infinity);
    return all.filter(({ user }) => !this.marked.has(user)).length;
  }

  async carry(moves: readonly { readonly user: User }[]): Promise<void> {
    for (const { user } of moves) this.carried.push(user);
  }
}
