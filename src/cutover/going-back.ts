/** Which of the users whose writes are in `new` only a change would move back to `legacy`. Pure. */

import type { Cohort, User, UserRecord } from '../model.ts';
import type { Change } from './change.ts';
import { ownersOf } from './owners.ts';

/** The cohorts as the change leaves them; their order is left as it is. */
export function cohortsAfter(change: Pick<Change, 'kind' | 'cohort' | 'after'>, cohorts: readonly Cohort[]) {
  const { kind, cohort, after } = change;
  if (kind === 'cohort-delete') return cohorts.filter(({ name }) => name !== cohort);
  if (after === undefined) return cohorts;
  const rest = cohorts.map((each) =>
    each.name === after.name ? after : after.isDefault ? { ...each, isDefault: false } : each,
  );
  return rest.some(({ name }) => name === after.name) ? rest : [...rest, after];
}

/** What a user change makes of a record; the ordinal of a new member is still to be given. */
export function recordAfter(
  { kind, cohort, pin }: Pick<Change, 'kind' | 'cohort' | 'pin'>,
  record: UserRecord,
): UserRecord {
  const { membership } = record;
  switch (kind) {
    case 'pin':
    case 'unpin':
      return { ...record, pin };
    case 'members-add': {
      if (cohort === undefined || (membership?.cohort === cohort && membership.by === 'explicit'))
        return record;
      return { ...record, membership: { cohort, ordinal: undefined, by: 'explicit' } };
    }
    case 'members-remove':
      return membership?.cohort === cohort ? { ...record, membership: undefined } : record;
    case 'reassign':
      return membership?.cohort === cohort && membership?.by === 'rule'
        ? { ...record, membership: undefined }
        : record;
    case 'stage':
    case 'rollback':
    case 'cohort-create':
    case 'cohort-edit':
    case 'cohort-delete':
      return record;
    default: {
      const unknown: never = kind;
      throw new Error(`unknown kind ${String(unknown)}`);
    }
  }
}

/**
 * Whether the change may move the user from `new` to `legacy`. Yes where it depends on the attributes of the user's
 * next request.
 *
 * @param cohorts before the change, in the order of their rules
 */
export function goesBack(
  change: Pick<Change, 'kind' | 'cohort' | 'after' | 'pin'>,
  user: User,
  record: UserRecord,
  cohorts: readonly Cohort[],
): boolean {
  const before = ownersOf(user, record, cohorts);
  if (!before.has('new')) return false;
  return ownersOf(user, recordAfter(change, record), cohortsAfter(change, cohorts)).has('legacy');
}
