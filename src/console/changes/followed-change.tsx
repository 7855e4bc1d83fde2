import { changeInWords } from '../../wording/change-in-words.ts';
import { isOver } from '../../wording/change-progress.ts';
import { Button } from '../ui/button.tsx';
import { Panel } from '../ui/page.tsx';
import { ChangeProgress } from './change-progress.tsx';
import { useChange } from './use-change.ts';

export interface FollowedChangeProps {
  readonly id: string;
  /** It is over: what it changed can be loaded. */
  readonly onOver: () => void;
  /** Takes it away once it is over. */
  readonly onDismiss?: () => void;
}

/** A panel with a change that is followed to its end. */
export function FollowedChange({ id, onOver, onDismiss }: FollowedChangeProps) {
  const followed = useChange(id, onOver);
  const { change } = followed;
  return (
    <Panel
      title={change === undefined ? 'Change' : `Change: ${changeInWords(change)}`}
      aside={
        change !== undefined && (
          <>
            <code>{change.id}</code>
            {isOver(change) && onDismiss !== undefined && (
              <Button look="quiet" onClick={onDismiss}>
                Close
              </Button>
            )}
          </>
        )
      }
    >
      <ChangeProgress {...followed} />
    </Panel>
  );
}
