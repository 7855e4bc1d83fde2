/** What can be done with a group: buttons for those who may, keys for those who do it often. */
import { useState } from 'preact/hooks';
import type { GroupDocument, VerificationDocument } from '../../admin/report-documents.ts';
import { type ApiProblem, sendJson } from '../api.ts';
import { problemOf } from '../problem-of.ts';
import { useSession } from '../session.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { GROUP_ACTIONS, type GroupAction, GroupActionDialog } from './group-action-dialog.tsx';
import { sampleVerdict, verdictTone, watchInWords } from './group-words.ts';
import { ShownText } from './shown-text.tsx';
import { useKeys } from './use-keys.ts';

export interface GroupActionsProps {
  readonly group: GroupDocument;
  /** Something was done: what is shown is of before. */
  readonly onDone: () => void;
}

function actionsFor({ status }: GroupDocument): readonly GroupAction[] {
  switch (status) {
    case 'resolved':
    case 'ignored':
      return ['reopen', 'assign'];
    case 'acknowledged':
      return ['assign', 'ignore', 'resolve'];
    default:
      return ['acknowledge', 'assign', 'ignore', 'resolve'];
  }
}

export function GroupActions({ group, onDone }: GroupActionsProps) {
  const { mayAct } = useSession();
  const [action, setAction] = useState<GroupAction>();
  const [verification, setVerification] = useState<VerificationDocument>();
  const [problem, setProblem] = useState<ApiProblem>();
  const [isVerifying, setVerifying] = useState(false);
  const may = mayAct('operator');
  const possible = may ? actionsFor(group) : [];
  const verify = (): void => {
    if (isVerifying) return;
    setVerifying(true);
    setProblem(undefined);
    sendJson<VerificationDocument>('POST', `/api/v1/mismatches/${encodeURIComponent(group.id)}/verify`, {})
      .then(setVerification, (error: unknown) => setProblem(problemOf(error)))
      .finally(() => {
        setVerifying(false);
        onDone();
      });
  };
  const keys = possible.map((one) => [GROUP_ACTIONS[one].key, () => setAction(one)] as const);
  useKeys({ ...Object.fromEntries(keys), ...(may ? { v: verify } : {}) });
  if (!may) return null;
  return (
    <>
      {possible.map((one) => (
        <Button key={one} title={`Key: ${GROUP_ACTIONS[one].key}`} onClick={() => setAction(one)}>
          {GROUP_ACTIONS[one].label}
        </Button>
      ))}
      <Button
        look="primary"
        title="Asks both backends for its samples' reads again. Key: v"
        isBusy={isVerifying}
        onClick={verify}
      >
        Verify
      </Button>
      {action !== undefined && (
        <GroupActionDialog
          key={action}
          action={action}
          group={group}
          onClose={() => setAction(undefined)}
          onDone={onDone}
        />
      )}
      {problem !== undefined && (
        <Dialog title="It was not verified" onClose={() => setProblem(undefined)}>
          <ProblemNote problem={problem} onRetry={verify} />
        </Dialog>
      )}
      {verification !== undefined && (
        <VerificationDialog verification={verification} onClose={() => setVerification(undefined)} />
      )}
    </>
  );
}

const VERDICTS: Readonly<Record<string, string>> = {
  fixed: 'Fixed',
  still_there: 'Still there',
  waiting: 'Cannot be told yet: the next compared reads will tell',
};

interface VerificationDialogProps {
  readonly verification: VerificationDocument;
  readonly onClose: () => void;
}

function VerificationDialog({ verification, onClose }: VerificationDialogProps) {
  const { verdict, samples, watch } = verification;
  return (
    <Dialog title="Is it fixed?" onClose={onClose} isWide>
      <div class="stack">
        <p>
          <Badge tone={verdictTone(verdict)}>{VERDICTS[verdict] ?? verdict}</Badge>
        </p>
        {samples.length === 0 && <p>There is no sample whose read could be sent again.</p>}
        <ul class="plain-list">
          {samples.map((sample, at) => (
            <li key={at}>
              <Badge tone={verdictTone(sample.verdict)}>{sampleVerdict(sample)}</Badge>{' '}
              <ShownText text={sample.target} charactersMax={200} />
            </li>
          ))}
        </ul>
        {watch !== null && <p>{watchInWords(watch)}</p>}
      </div>
    </Dialog>
  );
}
