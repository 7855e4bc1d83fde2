/** When the changes came into force that may bear on a user. */
import type { Change, UserAtStart } from './history.ts';

/**
 * The orders in which the changes that may bear on a user can have come into force. The epoch of one that is about the user
 * alone says by when it did: one of its cohort that was under way too may have come before it or after it.
 *
 * @param changes done, in the order of their epochs
 */
export function ordersOf({ user }: UserAtStart, changes: readonly Change[]): readonly (readonly Change[])[] {
  const own = changes.filter((change) => change.kind === 'cohort' || namesUser(change, user));
  return [own, sooner(own, user), sooner(own.toReversed(), user).toReversed()];
}

/** Moves what is about the user alone before what is not, as far as both were under way at a time. */
function sooner(changes: readonly Change[], user: string): readonly Change[] {
  const order: Change[] = [];
  for (const change of changes) {
    let at = order.length;
    while (namesUser(change, user) && mayComeBefore(change, order[at - 1])) at -= 1;
    order.splice(at, 0, change);
  }
  return order;
}

function mayComeBefore(change: Change, other: Change | undefined): boolean {
  if (other?.kind !== 'cohort') return false;
  return change.requestedMs <= other.overMs && other.requestedMs <= change.overMs;
}

/** Whether it is about single users, and this one of them. */
function namesUser(change: Change, user: string): boolean {
  return change.kind === 'pin'
    ? change.user === user
    : change.kind === 'members' && change.users.includes(user);
}
