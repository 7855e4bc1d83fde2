import { ABSENT_RECORD, type UserRecord } from '../model.ts';

/** A user's record with the number of the change that wrote it. */
export interface Versioned {
  readonly record: UserRecord;
  /** Rises with each replacement of the record; 0 for a user whose record was never written. */
  readonly version: number;
}

export const ABSENT: Versioned = Object.freeze({ record: ABSENT_RECORD, version: 0 });

/**
 * Whether `a` is newer than `b`. A placement adds a membership and keeps the version, so of two records with
 * one version the one with a membership is newer; nothing takes a membership away without a new version.
 */
export function isNewer(a: Versioned, b: Versioned): boolean {
  if (a.version !== b.version) return a.version > b.version;
  return a.record.membership !== undefined && b.record.membership === undefined;
}

/** The newer of the two; `b` when neither is. */
export function newerOf(a: Versioned | undefined, b: Versioned): Versioned;
export function newerOf(a: Versioned | undefined, b: Versioned | undefined): Versioned | undefined;
export function newerOf(a: Versioned | undefined, b: Versioned | undefined): Versioned | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return isNewer(a, b) ? a : b;
}
