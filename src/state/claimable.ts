import { type Change, isOver } from '../cutover/change.ts';
import { ChangeLostError, type ChangeStore } from '../cutover/stores.ts';

/**
 * The change, if the record says that it is open and that `token` is its controller's.
 * @throws ChangeLostError
 */
export async function claimable(
  changes: Pick<ChangeStore, 'readChange'>,
  id: string,
  token: number,
): Promise<Change> {
  const change = await changes.readChange(id);
  if (change === undefined || isOver(change.phase) || change.token !== token) throw new ChangeLostError(id);
  return change;
}

/** @throws `Error` when the record says that the change is open: nobody may forget it then */
export async function assertOver(changes: Pick<ChangeStore, 'readChange'>, id: string): Promise<void> {
  const change = await changes.readChange(id);
  if (change !== undefined && !isOver(change.phase)) throw new Error(`change ${id} is not over`);
}
