/**
 * What a map that is made anew from the record is told of the changes that are open: a wipe in the middle of a
 * flip must not let held writes go to a truth that has moved.
 */
import { type Change, isOver } from '../cutover/change.ts';

/** What the map knows of a change, as `control-scripts.ts` describes it. */
export interface KnownChange {
  readonly token: number;
  readonly attempt: number;
  readonly moves: boolean;
  readonly held: number;
  readonly switched: number;
  readonly released: number;
}

/**
 * Only what the record says counts. In `holding` and `switching` writes are held. In `releasing` they are not:
 * every gateway that counts had the new definition before that was committed, so nobody sends them to the old
 * truth; and a hold that came back after it was released would stay. A map that is made for `switching` has the
 * new definition already, but perhaps was read before that was committed: so the switch is done again.
 *
 * @param epoch of the new map
 * @returns `undefined` for a change that is over
 */
export function reopenedChange(
  { token, restarts, movesTruth, phase }: Change,
  epoch: number,
): KnownChange | undefined {
  if (isOver(phase)) return undefined;
  const isHeld = movesTruth && (phase === 'holding' || phase === 'switching');
  const isReleased = phase === 'releasing' || phase === 'undoing';
  return {
    token,
    attempt: restarts,
    moves: movesTruth,
    held: isHeld ? epoch : 0,
    switched: phase === 'releasing' ? epoch : 0,
    released: isReleased ? epoch : 0,
  };
}
