import type { NotSeeded } from '../cutover/judge-seeds.ts';
import type { ChangeStore, UserRecords } from '../cutover/stores.ts';
import type { MarkStore } from '../cutover/write-marks-store.ts';
import type { GuardStore } from '../guard/guard-store.ts';
import type { RecordedSlots } from '../guard/recorded-slots.ts';
import type { Cohort, User, UserRecord } from '../model.ts';
import type { ReportStore } from '../reports/report-store.ts';

/** A user's record and the number of the change that wrote it: of two records of a user, the higher is newer. */
export interface StoredUser {
  readonly record: UserRecord;
  /** 0 for a user who was only ever placed by a rule. */
  readonly version: number;
  /** Whether the change is known to be in force in the state map. Its writer may have died before that. */
  readonly inForce: boolean;
}

export interface UserRow extends StoredUser {
  readonly user: User;
}

export interface StoredCohort {
  /** Never used again, not even after the cohort was deleted. */
  readonly number: number;
  /** Of two cohorts, the rule of the one with the lower position is tried first. */
  readonly position: number;
  readonly cohort: Cohort;
  /** Kept so that records which name it can still be read. */
  readonly deleted: boolean;
}

export interface MapRow {
  readonly id: string;
  readonly version: number;
  readonly epoch: number;
}

export interface Placement {
  readonly user: User;
  readonly cohort: string;
  /** The version of the record that the membership was added to. */
  readonly version: number;
  readonly epoch: number;
}

export interface Seeded {
  /** All that there are now, as `readCohorts`. */
  readonly cohorts: readonly StoredCohort[];
  readonly notSeeded: readonly NotSeeded[];
}

/** A placement that the record has not taken. */
export interface NotPlaced {
  readonly user: User;
  /** What the record has of the user; `undefined`: nothing, and the cohort of the placement is gone. */
  readonly stored: StoredUser | undefined;
}

export interface WriteUser {
  /** The write is refused with `MapReplacedError` when this is no longer the current map. */
  readonly mapId: string;
  readonly user: User;
  readonly record: UserRecord;
  /**
   * `record`: the record's own number is the epoch, and the change is in force at once (the embedded state
   * map). `map`: the state map gives the epoch; `confirmUser` tells the record.
   */
  readonly epochFrom: 'record' | 'map';
  readonly actor?: string;
  readonly reason?: string;
}

/** The state map that the writer belongs to was replaced by another one. */
export class MapReplacedError extends Error {
  constructor(mapId: string) {
    super(`the state map ${mapId} is not the current one any more`);
    this.name = 'MapReplacedError';
  }
}

/** Postgres, or its embedded twin: what is remembered for good. */
export interface RecordStore {
  readonly kind: 'embedded' | 'postgres';
  /** For people, without a password. */
  readonly where: string;

  /** The current map, or `undefined` in a record that never had one. */
  readMap(): Promise<MapRow | undefined>;
  /** Whether `mapId` was the current map once and was replaced. */
  isRetired(mapId: string): Promise<boolean>;
  /** Gives the record its first map; returns the current one when it has one already. */
  createMap(): Promise<MapRow>;
  /**
   * Retires the map `mapId` and begins a new one, whose first epoch is above every one of the old map and above
   * `epochSeen`. `undefined` when `mapId` is not current: another was faster.
   */
  replaceMap(mapId: string, epochSeen: number): Promise<MapRow | undefined>;

  /** In the order of their rules; deleted ones included. */
  readCohorts(): Promise<readonly StoredCohort[]>;
  /** Creates the cohorts whose names are not there, after the existing ones, as far as that moves nobody's truth. */
  seedCohorts(cohorts: readonly Cohort[]): Promise<Seeded>;

  /** `undefined` for a user the record knows nothing of. */
  readUser(user: User): Promise<StoredUser | undefined>;
  /**
   * Replaces the user's record and adds the change to the audit.
   * @returns the version of the record.
   */
  writeUser(write: WriteUser): Promise<number>;
  /** Notes that the write with that version is in force since `epoch`. */
  confirmUser(user: User, version: number, epoch: number): Promise<void>;
  /** Writes that were never confirmed, oldest first: their writer died before the state map had them. */
  unconfirmedUsers(limit: number): Promise<readonly UserRow[]>;
  /**
   * Sets a membership by rule if the user has none. For the embedded state map.
   * @returns what is in force, and the epoch of the change if this call made one.
   */
  placeUser(
    mapId: string,
    user: User,
    cohort: string,
  ): Promise<{ readonly stored: StoredUser; readonly epoch: number | undefined }>;
  /**
   * Notes memberships that the state map has already accepted; one transaction. At most 1,000 at a time.
   * @returns those whom the record knows otherwise: it decides
   * @throws MapReplacedError
   */
  placeUsers(mapId: string, placements: readonly Placement[]): Promise<readonly NotPlaced[]>;
  /** Up to `limit` users in key order, from the one after `after`. */
  scanUsers(after: User | undefined, limit: number): Promise<readonly UserRow[]>;
  /**
   * Takes the next epoch in the record's own numbering: a change of the embedded state map that is no user's.
   * @throws MapReplacedError
   */
  nextEpoch(mapId: string): Promise<number>;
  /** The changes of cohorts and users, and the registry of gateways. */
  readonly changes: ChangeStore;
  readonly users: UserRecords;
  /** Who wrote to `new` since its truth moved there. */
  readonly marks: MarkStore;
  /** Mismatch groups, samples, counts of what was compared, rules. */
  readonly reports: ReportStore;
  /** Trips, runs of ramps, and what people are to be told. */
  readonly guard: GuardStore;
  /** What gateways counted, for two weeks. */
  readonly slots: RecordedSlots;
  /**
   * Runs `work` while no other process on this record runs anything under the same lock. `work` must not call
   * `createMap`, `seedCohorts` or `exclusive`: a process takes one lock at a time.
   */
  exclusive<T>(lock: string, work: () => Promise<T>): Promise<T>;

  close(): Promise<void>;
}
