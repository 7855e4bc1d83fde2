/** A request for a change: passed on under an idempotency key, and waited for within a bound. */
import { randomUUID } from 'node:crypto';
import { type Change, isOver } from '../cutover/change.ts';
import type { ChangeAuthor } from '../cutover/control.ts';
import { AdminError } from './admin-error.ts';
import type { AdminControl, ControlAccess } from './control-access.ts';

export const WAIT_MAX_S = 10;

/** A change that was begun a moment ago is not over, or among the newest. */
const NEWEST = 100;

/** RFC 7240: `wait=N`, in seconds. More than we wait is what we wait; what is not a number is ignored. */
export function waitMsOf(prefer: string | undefined): number {
  const [, seconds] = /(?:^|[,\s])wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/iu.exec(prefer ?? '') ?? [];
  return Math.min(WAIT_MAX_S, seconds === undefined ? WAIT_MAX_S : Number(seconds)) * 1_000;
}

/** How one kind of change is asked for. */
export interface WantedChange<R extends ChangeAuthor> {
  readonly request: R;
  ask(control: AdminControl, request: R): Promise<Change>;
  /** Whether a change is what the request wants: its key may have begun something else. */
  isSame(change: Change): boolean;
}

/**
 * @param waitMs how long to wait for the change to be over
 * @returns the change as it is then
 * @throws AdminError; what the control service refuses with
 */
export async function beginChange<R extends ChangeAuthor>(
  access: ControlAccess,
  wanted: WantedChange<R>,
  waitMs: number,
): Promise<Change> {
  const begun = await tryChange(access, wanted, waitMs);
  return begun.change ?? begun.asked;
}

/** As `beginChange`, but a request that has not begun a change in time goes on by itself. */
export async function tryChange<R extends ChangeAuthor>(
  access: ControlAccess,
  wanted: WantedChange<R>,
  waitMs: number,
): Promise<{ readonly change: Change | undefined; readonly asked: Promise<Change> }> {
  // With a key of our own the change can be found while the call that began it still waits.
  const key = wanted.request.idempotencyKey ?? `api-${randomUUID()}`;
  const request = { ...wanted.request, idempotencyKey: key };
  const asked = access
    .ask((control) => wanted.ask(control, request))
    .then((change) => expectSame(change, key, wanted));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), waitMs);
  });
  try {
    const change = await Promise.race([asked, late]);
    if (change !== undefined) return { change, asked };
    const begun = await begunWith(access, key);
    return { change: begun === undefined ? undefined : expectSame(begun, key, wanted), asked };
  } finally {
    clearTimeout(timer);
    // Nobody listens any more once it was found in the list.
    asked.catch(() => undefined);
  }
}

/** The key may have begun something else. */
function expectSame<R extends ChangeAuthor>(change: Change, key: string, wanted: WantedChange<R>): Change {
  if (wanted.isSame(change)) return change;
  throw new AdminError(
    'idempotency_key_reused',
    `The key ${key} began change ${change.id}, which is another one. Use a new key.`,
    { members: { change: change.id } },
  );
}

async function begunWith(access: ControlAccess, key: string): Promise<Change | undefined> {
  const [open, newest] = await Promise.all([
    access.openChanges(),
    access.ask((control) => control.changes(undefined, NEWEST)),
  ]);
  return [...open, ...newest].find(({ idempotencyKey }) => idempotencyKey === key);
}

/**
 * The answer to a change that is over, or not yet.
 *
 * @throws AdminError `change_undone`
 */
export function outcomeOf(change: Change): 'done' | 'open' {
  if (change.phase === 'undone') {
    const why = change.note ?? 'it could not be finished';
    throw new AdminError('change_undone', `Change ${change.id} was undone, and nobody moved: ${why}`, {
      members: { change: change.id },
    });
  }
  return isOver(change.phase) ? 'done' : 'open';
}
