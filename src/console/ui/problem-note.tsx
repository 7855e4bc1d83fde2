import type { ComponentChildren } from 'preact';
import type { ApiProblem } from '../api.ts';
import { Button } from './button.tsx';

export interface ProblemNoteProps {
  readonly problem: ApiProblem;
  readonly onRetry?: (() => void) | undefined;
  /** What else there is to say or do. */
  readonly children?: ComponentChildren;
}

/** What went wrong, in the API's words, with its code and the request to look for in the log. */
export function ProblemNote({ problem, onRetry, children }: ProblemNoteProps) {
  const { title, detail, code, status, members } = problem;
  const requestId = members['requestId'];
  return (
    <div class="note note-problem" role="alert">
      <p class="note-title">{title}</p>
      {detail !== '' && <p>{detail}</p>}
      {children}
      <p class="note-fine">
        <code>{code}</code>
        {status > 0 && ` · HTTP ${status}`}
        {typeof requestId === 'string' && (
          <>
            {' · request '}
            <code>{requestId}</code>
          </>
        )}
      </p>
      {onRetry !== undefined && <Button onClick={onRetry}>Try again</Button>}
    </div>
  );
}
