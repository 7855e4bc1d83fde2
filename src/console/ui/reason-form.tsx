import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiProblem } from '../api.ts';
import { problemOf } from '../problem-of.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { Field } from './field.tsx';
import { ProblemNote } from './problem-note.tsx';

export interface ReasonFormProps {
  readonly title: string;
  /** What the button says: the action, as in `Roll back`. */
  readonly action: string;
  readonly look?: 'primary' | 'danger';
  /** Does it. The dialog shows what it throws, and stays. */
  readonly onSubmit: (reason: string) => Promise<void>;
  readonly onClose: () => void;
  /** What will happen, and further fields. */
  readonly children?: ComponentChildren;
  /** Something else is still missing. */
  readonly isDisabled?: boolean;
  readonly isWide?: boolean;
}

const REASON_CHARS_MAX = 500;

/** An action that the audit wants a reason for. */
export function ReasonForm(props: ReasonFormProps) {
  const { title, action, look = 'primary', onSubmit, onClose, children, isDisabled, isWide } = props;
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<ApiProblem>();
  const [isBusy, setBusy] = useState(false);
  const isReady = reason.trim() !== '' && isDisabled !== true;
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!isReady || isBusy) return;
    setBusy(true);
    setProblem(undefined);
    onSubmit(reason.trim()).then(onClose, (error: unknown) => {
      setProblem(problemOf(error));
      setBusy(false);
    });
  };
  return (
    <Dialog title={title} onClose={onClose} isWide={isWide ?? false}>
      <form onSubmit={submit} class="stack">
        {children}
        <Field
          label="Reason"
          value={reason}
          onInput={setReason}
          rows={2}
          charsMax={REASON_CHARS_MAX}
          hint="Required. It stands in the audit, for whoever asks later why."
          isRequired
          isFocused
        />
        {problem !== undefined && <ProblemNote problem={problem} />}
        <div class="actions">
          <Button onClick={onClose} isDisabled={isBusy}>
            Cancel
          </Button>
          <Button type="submit" look={look} isBusy={isBusy} isDisabled={!isReady}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
