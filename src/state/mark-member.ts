/**
 * A mark as a member of a set in Redis: `1` for a user without a membership or `0`, the era, `:`, the name of the
 * cohort (empty for a pinned user), a NUL, the user. No cohort has a NUL in its name; a user may.
 */
import type { Mark } from '../cutover/write-marks-store.ts';
import { RecordCodecError } from './record-codec.ts';

export function markMember({ user, cohort, era, unplaced }: Mark): string {
  return `${unplaced ? 1 : 0}${era}:${cohort ?? ''}\0${user}`;
}

const MEMBER = /^([01])(\d{1,15}):([^\0]*)\0(.+)$/s;

/** @throws RecordCodecError for what is no mark */
export function parseMarkMember(member: string): Mark {
  const [, unplaced, era, cohort, user] = MEMBER.exec(member) ?? [];
  if (era === undefined || user === undefined) {
    throw new RecordCodecError(`a mark in Redis is not valid: ${JSON.stringify(member.slice(0, 80))}`);
  }
  return { user, cohort: cohort === '' ? undefined : cohort, era: Number(era), unplaced: unplaced === '1' };
}
