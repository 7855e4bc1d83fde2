import { USER_BYTES_MAX, type User, type UserRecord } from '../model.ts';

/** Bound on the id of a user in the new system, bytes of UTF-8. */
export const NEW_ID_BYTES_MAX = 256;

/** @throws RangeError for what is no user key: empty, over 256 bytes, or not well-formed Unicode. */
export function assertUser(user: User): void {
  const bytes = Buffer.byteLength(user, 'utf8');
  if (bytes === 0 || bytes > USER_BYTES_MAX) throw new RangeError(`a user has 1 to ${USER_BYTES_MAX} bytes`);
  // Two different malformed strings would become the same bytes, and two users one.
  if (!user.isWellFormed()) throw new RangeError('a user has to be well-formed Unicode');
}

/** @throws RangeError for a record that the stores cannot keep as it is. */
export function assertRecord(record: UserRecord): void {
  const { membership, newId } = record;
  if (newId !== undefined) {
    const bytes = Buffer.byteLength(newId, 'utf8');
    if (bytes === 0 || bytes > NEW_ID_BYTES_MAX || !newId.isWellFormed() || newId.includes('\0')) {
      throw new RangeError(`a new id has 1 to ${NEW_ID_BYTES_MAX} bytes of well-formed Unicode without NUL`);
    }
  }
  if (membership?.ordinal === undefined) return;
  if (membership.by === 'rule') throw new RangeError('a membership by rule has no ordinal');
  if (!Number.isSafeInteger(membership.ordinal) || membership.ordinal < 0) {
    throw new RangeError('an ordinal is a whole number from 0');
  }
}
