/** Sends a cohort back to legacy. It first says whose writes would be stranded. */
import { useState } from 'preact/hooks';
import type { CohortDocument, PreviewDocument } from '../../admin/control-documents.ts';
import { printable } from '../../wording/printable.ts';
import { counted, formatCount } from '../format.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { ReasonForm } from '../ui/reason-form.tsx';
import { Loading } from '../ui/states.tsx';
import { useLoad } from '../use-load.ts';
import { beginRollback, type DirtyPolicy, previewRollback } from './cohort-api.ts';
import { DirtyChoice } from './dirty-choice.tsx';
import { useRequestKey } from './stage-dialog.tsx';

const NAMED_MAX = 20;

export interface RollbackDialogProps {
  readonly cohort: CohortDocument;
  readonly onBegun: (change: string) => void;
  readonly onClose: () => void;
}

export function RollbackDialog({ cohort, onBegun, onClose }: RollbackDialogProps) {
  const { data, problem, reload } = useLoad(() => previewRollback(cohort.name), [cohort.name]);
  if (data !== undefined) return <Ready preview={data} onBegun={onBegun} onClose={onClose} />;
  return (
    <Dialog title={`Roll back ${cohort.name}`} onClose={onClose}>
      <div class="stack">
        {problem === undefined ? (
          <Loading what="who would go back" />
        ) : (
          <ProblemNote problem={problem} onRetry={reload} />
        )}
        <div class="actions">
          <Button onClick={onClose}>Close</Button>
        </div>
      </div>
    </Dialog>
  );
}

interface ReadyProps extends Omit<RollbackDialogProps, 'cohort'> {
  readonly preview: PreviewDocument;
}

function Ready({ preview, onBegun, onClose }: ReadyProps) {
  const { cohort, tracked } = preview;
  const [dirtyUsers, setDirtyUsers] = useState<DirtyPolicy>(tracked ? 'drain' : 'force');
  const key = useRequestKey();
  const submit = async (reason: string): Promise<void> => {
    const body = { reason, dirtyUsers };
    onBegun(await beginRollback(cohort, body, key(body)));
  };
  return (
    <ReasonForm
      title={`Roll back ${cohort}`}
      action="Roll back"
      look="danger"
      onSubmit={submit}
      onClose={onClose}
      isWide
    >
      <Counts preview={preview} />
      <DirtyChoice value={dirtyUsers} onChange={setDirtyUsers} isForceOnly={!tracked} />
      <p class="note note-warn">{outcomeInWords(preview, dirtyUsers)}</p>
    </ReasonForm>
  );
}

function Counts({ preview }: { readonly preview: PreviewDocument }) {
  const { stage, to, tracked, clean, dirty, dirtyCount } = preview;
  const names = dirty.slice(0, NAMED_MAX).map(printable).join(', ');
  const more = dirtyCount > NAMED_MAX ? ` and ${formatCount(dirtyCount - NAMED_MAX)} more` : '';
  return (
    <dl class="facts">
      <dt>Stage</dt>
      <dd>
        {stage} to {to}
      </dd>
      <dt>Clean</dt>
      <dd>
        {counted(clean, 'user')} that the record knows {clean === 1 ? 'loses' : 'lose'} nothing
      </dd>
      <dt>Dirty</dt>
      <dd>
        {tracked
          ? `${counted(dirtyCount, 'user')} wrote to new since the switch${names === '' ? '' : `: ${names}${more}`}`
          : 'Not known: the cohort has been complete, where writes are not tracked. Only force goes back.'}
      </dd>
    </dl>
  );
}

function outcomeInWords({ clean, dirtyCount, tracked }: PreviewDocument, policy: DirtyPolicy): string {
  const move = 'Reads and writes move from new to legacy';
  if (policy === 'force') {
    const lost = tracked ? `the writes of ${counted(dirtyCount, 'user')}` : 'whatever was written to new';
    return dirtyCount === 0 && tracked
      ? `${move}. Nothing is stranded.`
      : `${move}, and ${lost} will be missing there.`;
  }
  if (dirtyCount === 0) return `${move}. Nothing is stranded.`;
  const who = clean === 0 ? 'whoever did not write' : 'clean users';
  return `${move} for ${who}; ${counted(dirtyCount, 'user')} with writes in new stay there, pinned, unless the writes are mirrored in time.`;
}
