import type { Backend, Membership, User, UserState } from '../model.ts';
import { flag, integer, integerOrNone, text, textOrNone, utf8 } from './columns.ts';
import type { StoredUser, UserRow } from './record-store.ts';
import type { Row } from './sql.ts';

/** The columns that `storedUser` reads, from `users u LEFT JOIN cohorts c`. */
export const USER_COLUMNS =
  'u.key, u.state, u.pin, c.name AS cohort, u.ordinal, u.membership_by, u.new_id, u.version, u.epoch IS NOT NULL AS in_force';
export const USER_TABLES = 'users u LEFT JOIN cohorts c ON c.number = u.cohort';

/** The primary key of a user: its UTF-8. */
export function userKey(user: User): Uint8Array {
  if (!user.isWellFormed()) throw new RangeError('a user has to be well-formed Unicode');
  return Buffer.from(user, 'utf8');
}

function stateOf(row: Row): UserState | undefined {
  const state = textOrNone(row, 'state');
  switch (state) {
    case undefined:
    case 'migrating':
    case 'migrated':
    case 'failed':
      return state;
    default:
      throw new TypeError(`users.state is ${state}`);
  }
}

function pinOf(row: Row): Backend | undefined {
  const pin = textOrNone(row, 'pin');
  if (pin === undefined || pin === 'legacy' || pin === 'new') return pin;
  throw new TypeError(`users.pin is ${pin}`);
}

function membershipOf(row: Row): Membership | undefined {
  const cohort = textOrNone(row, 'cohort');
  if (cohort === undefined) return undefined;
  const by = text(row, 'membership_by');
  if (by !== 'explicit' && by !== 'rule') throw new TypeError(`users.membership_by is ${by}`);
  return { cohort, ordinal: integerOrNone(row, 'ordinal'), by };
}

export function storedUser(row: Row): StoredUser {
  return {
    record: {
      state: stateOf(row),
      pin: pinOf(row),
      membership: membershipOf(row),
      newId: textOrNone(row, 'new_id'),
    },
    version: integer(row, 'version'),
    inForce: flag(row, 'in_force'),
  };
}

export function userRow(row: Row): UserRow {
  return { user: utf8(row, 'key'), ...storedUser(row) };
}
