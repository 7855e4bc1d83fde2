/** A change that is followed until it is over. */
import { useEffect, useState } from 'preact/hooks';
import type { ChangeInProgressDocument } from '../../admin/control-documents.ts';
import { isOver } from '../../wording/change-progress.ts';
import { type ApiProblem, getJson } from '../api.ts';
import { problemOf } from '../problem-of.ts';

/** A hold lasts seconds: steps that pass unseen would be no progress. */
const LOOK_EACH_MS = 300;
/** After a look that failed. */
const AGAIN_MS = 2_000;

export interface FollowedChange {
  /** The last that was known of it. */
  readonly change: ChangeInProgressDocument | undefined;
  readonly problem: ApiProblem | undefined;
}

/** Asks until it is over, then calls `onOver`, once; what does not answer meanwhile is asked again. */
export function useChange(id: string, onOver: () => void): FollowedChange {
  const [change, setChange] = useState<ChangeInProgressDocument>();
  const [problem, setProblem] = useState<ApiProblem>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isLeft = false;
    const look = async (): Promise<void> => {
      let waitMs = LOOK_EACH_MS;
      try {
        const found = await getJson<ChangeInProgressDocument>(`/api/v1/changes/${encodeURIComponent(id)}`);
        if (isLeft) return;
        setChange(found);
        setProblem(undefined);
        if (isOver(found)) {
          onOver();
          return;
        }
      } catch (error) {
        if (isLeft) return;
        setProblem(problemOf(error));
        waitMs = AGAIN_MS;
      }
      timer = setTimeout(() => void look(), waitMs);
    };
    setChange(undefined);
    void look();
    return () => {
      isLeft = true;
      clearTimeout(timer);
    };
  }, [id]);
  return { change, problem };
}
