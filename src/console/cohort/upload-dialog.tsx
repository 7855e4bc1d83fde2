/** Adds the users of a file to a cohort, or takes them out, and shows how far it is. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CohortDocument } from '../../admin/control-documents.ts';
import { ownerInWords } from '../../wording/movement.ts';
import { printable } from '../../wording/printable.ts';
import type { ApiProblem } from '../api.ts';
import { counted, formatBytes, formatCount } from '../format.ts';
import { problemOf } from '../problem-of.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { type DirtyPolicy, sendMembers } from './cohort-api.ts';
import { DirtyChoice } from './dirty-choice.tsx';
import { type UploadProgress, uploadBeginning, uploadMembers } from './upload-members.ts';

export interface UploadDialogProps {
  readonly cohort: CohortDocument;
  readonly action: 'add' | 'remove';
  /** Members have changed. */
  readonly onChanged: () => void;
  readonly onClose: () => void;
}

const TITLES = { add: 'Add members to', remove: 'Take members out of' } as const;

export function UploadDialog({ cohort, action, onChanged, onClose }: UploadDialogProps) {
  const [file, setFile] = useState<File>();
  const [reason, setReason] = useState('');
  const [dirtyUsers, setDirtyUsers] = useState<DirtyPolicy>('drain');
  const job = useUpload(onChanged);
  const { progress, isRunning, problem } = job;
  const isDone =
    progress !== undefined && !isRunning && progress.bytesDone === progress.bytes && problem === undefined;
  const isReady = file !== undefined && reason.trim() !== '' && !isRunning && !isDone;
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!isReady) return;
    const { name } = cohort;
    job.run(file, (piece, fromLine, stop) =>
      sendMembers({ name, action, reason: reason.trim(), dirtyUsers, stop }, piece, fromLine),
    );
  };
  const close = (): void => {
    job.stop();
    onClose();
  };
  return (
    <Dialog title={`${TITLES[action]} ${cohort.name}`} onClose={close} isWide>
      <form class="stack" onSubmit={submit}>
        <p class="note note-warn">{consequence(action, cohort)}</p>
        <FileField isDisabled={isRunning || progress !== undefined} onFile={setFile} />
        <Field label="Reason" value={reason} onInput={setReason} rows={2} isDisabled={isRunning} isRequired />
        <DirtyChoice value={dirtyUsers} onChange={setDirtyUsers} />
        {progress !== undefined && <Progress progress={progress} action={action} isDone={isDone} />}
        {problem !== undefined && progress !== undefined && (
          <ProblemNote problem={problem}>
            <p>
              {progress.line === 0
                ? 'Nothing is known to be in force.'
                : `Everything up to line ${formatCount(progress.line)} is in force. Going on begins after it.`}
            </p>
          </ProblemNote>
        )}
        <div class="actions">
          <Button onClick={close}>{isDone ? 'Close' : 'Cancel'}</Button>
          {isRunning && <Button onClick={job.stop}>Stop</Button>}
          {!isDone && (
            <Button type="submit" look="primary" isBusy={isRunning} isDisabled={!isReady}>
              {progress === undefined ? 'Send' : 'Go on'}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

type Send = (piece: Blob, fromLine: number, stop: AbortSignal) => ReturnType<typeof sendMembers>;

/** One upload, which can be stopped and gone on with. */
function useUpload(onChanged: () => void) {
  const [progress, setProgress] = useState<UploadProgress>();
  const [isRunning, setRunning] = useState(false);
  const [problem, setProblem] = useState<ApiProblem>();
  const stopper = useRef<AbortController>(undefined);
  useEffect(() => () => stopper.current?.abort(), []);
  const run = (file: File, send: Send): void => {
    const controller = new AbortController();
    stopper.current = controller;
    setRunning(true);
    setProblem(undefined);
    const from = progress ?? uploadBeginning(file.size);
    setProgress(from);
    uploadMembers({
      file,
      from,
      send: (piece, fromLine) => send(piece, fromLine, controller.signal),
      onProgress: setProgress,
    })
      .catch((error: unknown) => {
        if (!controller.signal.aborted) setProblem(problemOf(error));
      })
      .finally(() => {
        setRunning(false);
        onChanged();
      });
  };
  return { progress, isRunning, problem, run, stop: () => stopper.current?.abort() };
}

function consequence(action: 'add' | 'remove', cohort: CohortDocument): string {
  if (action === 'add') {
    return `The users join at ${cohort.stage}: ${ownerInWords(cohort)}. Each batch goes through the barrier.`;
  }
  return (
    'The users leave: their next requests are placed by the rules, and reads and writes of those whose owner changes ' +
    'by that move with them. Each batch goes through the barrier.'
  );
}

interface FileFieldProps {
  readonly isDisabled: boolean;
  readonly onFile: (file: File | undefined) => void;
}

function FileField({ isDisabled, onFile }: FileFieldProps) {
  return (
    <label class="field">
      <strong>File, one user a line, in UTF-8</strong>
      <input
        type="file"
        accept=".txt,.csv,text/plain"
        disabled={isDisabled}
        onChange={({ currentTarget }) => onFile(currentTarget.files?.[0])}
      />
    </label>
  );
}

interface ProgressProps {
  readonly progress: UploadProgress;
  readonly action: 'add' | 'remove';
  readonly isDone: boolean;
}

function Progress({ progress, action, isDone }: ProgressProps) {
  const { bytes, bytesDone, line, changed, unchanged, refused, refusals, epoch } = progress;
  return (
    <div class="stack">
      <progress class="wide" value={bytesDone} max={Math.max(1, bytes)} aria-label="Upload" />
      <p role="status">
        {isDone ? 'Done: ' : `${formatBytes(bytesDone)} of ${formatBytes(bytes)}; `}
        {counted(line, 'line')}, {counted(changed, 'user')} {action === 'add' ? 'added' : 'taken out'},{' '}
        {formatCount(unchanged)} so already, {formatCount(refused)} refused
        {epoch !== null && `; on every gateway since epoch ${epoch}`}.
      </p>
      {refusals.length > 0 && (
        <details>
          <summary>{counted(refused, 'refused line')}</summary>
          <ul class="plain-list refusals">
            {refusals.map(({ line: at, user, reason }) => (
              <li key={at}>
                line {formatCount(at)}: <code>{printable(user)}</code> {printable(reason)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
