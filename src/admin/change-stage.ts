/** One request for another stage: passed on under an idempotency key, and waited for within a bound. */
import { randomUUID } from 'node:crypto';
import { type Change, isOver } from '../cutover/change.ts';
import type { StageRequest } from '../cutover/control.ts';
import { AdminError } from './admin-error.ts';
import type { ControlAccess } from './control-access.ts';
import { sameRamp } from './ramp-form.ts';

export const WAIT_MAX_S = 10;

/** A change that was begun is among the newest of its cohort. */
const NEWEST = 20;

/** RFC 7240: `wait=N`, in seconds. More than we wait is what we wait; what is not a number is ignored. */
export function waitMsOf(prefer: string | undefined): number {
  const [, seconds] = /(?:^|[,\s])wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/iu.exec(prefer ?? '') ?? [];
  return Math.min(WAIT_MAX_S, seconds === undefined ? WAIT_MAX_S : Number(seconds)) * 1_000;
}

/** The key may have begun something else. */
function expectSame(change: Change, { cohort, stage, ramp, idempotencyKey }: StageRequest): void {
  const { after } = change;
  const same =
    change.cohort === cohort && after.stage === stage && (ramp === undefined || sameRamp(after.ramp, ramp));
  if (same) return;
  throw new AdminError(
    'idempotency_key_reused',
    `The key ${idempotencyKey} began change ${change.id}, which is another one. Use a new key.`,
    { members: { change: change.id } },
  );
}

/**
 * @param waitMs how long to wait for the change to be over
 * @returns the change as it is then
 * @throws AdminError; what the control service refuses with
 */
export async function changeStage(
  access: ControlAccess,
  wanted: StageRequest,
  waitMs: number,
): Promise<Change> {
  // With a key of our own the change can be found while the call that began it still waits.
  const request = { ...wanted, idempotencyKey: wanted.idempotencyKey ?? `api-${randomUUID()}` };
  const asked = access.ask((control) => control.changeStage(request));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), waitMs);
  });
  try {
    const change = await Promise.race([asked, late]);
    const found = change ?? (await begunBy(access, request)) ?? (await asked);
    expectSame(found, request);
    return found;
  } finally {
    clearTimeout(timer);
    // Nobody listens any more once it was found in the list.
    asked.catch(() => undefined);
  }
}

async function begunBy(access: ControlAccess, request: StageRequest): Promise<Change | undefined> {
  const newest = await access.ask((control) => control.changes(undefined, NEWEST, request.cohort));
  return newest.find(({ idempotencyKey }) => idempotencyKey === request.idempotencyKey);
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
