/** A state map that lives in the test's memory: the cohorts of the configuration, and whatever is put. */
import { ABSENT_RECORD, type Cohort, type Snapshot, type User, type UserRecord } from '../../src/model.ts';
import { atEpoch, createSnapshot } from '../../src/state/snapshot.ts';
import type { Attachment, StateChange, StateMap, StateStatus } from '../../src/state/state-map.ts';

export class MemoryState implements StateMap {
  snapshot: Snapshot;
  attachment: Attachment = 'attached';
  readonly #users = new Map<User, UserRecord>();
  readonly #listeners = new Set<(change: StateChange) => void>();

  constructor(cohorts: readonly Cohort[]) {
    this.snapshot = createSnapshot({ mapId: 'memory', epoch: 1, cohorts });
  }

  async start(): Promise<void> {}

  async close(): Promise<void> {}

  cached(user: User): UserRecord {
    return this.#users.get(user) ?? ABSENT_RECORD;
  }

  async load(user: User): Promise<UserRecord> {
    return this.cached(user);
  }

  async place(user: User, cohort: string): Promise<UserRecord> {
    const record = this.cached(user);
    if (record.membership !== undefined) return record;
    const placed: UserRecord = { ...record, membership: { cohort, ordinal: undefined, by: 'rule' } };
    await this.putUser(user, placed);
    return placed;
  }

  async putUser(user: User, record: UserRecord): Promise<number> {
    this.#users.set(user, record);
    this.snapshot = atEpoch(this.snapshot, this.snapshot.epoch + 1);
    this.#announce({ kind: 'user', user });
    return this.snapshot.epoch;
  }

  /** Cohorts or holds become these. */
  replace(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.#announce({ kind: 'snapshot' });
  }

  attach(attachment: Attachment): void {
    this.attachment = attachment;
    this.#announce({ kind: 'attachment', attachment });
  }

  onChange(listener: (change: StateChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): StateStatus {
    return {
      kind: 'embedded',
      attachment: this.attachment,
      detachedMs: 0,
      mapId: this.snapshot.mapId,
      epoch: this.snapshot.epoch,
      cachedUsers: this.#users.size,
      cacheHits: 0,
      cacheMisses: 0,
      problem: undefined,
    };
  }

  #announce(change: StateChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
