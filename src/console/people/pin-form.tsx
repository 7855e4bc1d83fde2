/** Pinning a user to one backend, and taking the pin away. */
import { useState } from 'preact/hooks';
import type { ChangeDocument } from '../../admin/control-documents.ts';
import type { UserDocument } from '../../admin/user-documents.ts';
import type { Backend } from '../../model.ts';
import { newKey, sendJson } from '../api.ts';
import { plainText } from '../evidence/bounded-text.ts';
import { ReasonForm } from '../ui/reason-form.tsx';
import { Select } from '../ui/select.tsx';

/** A backend to pin to; `undefined` takes the pin away. */
export interface WantedPin {
  readonly backend: Backend | undefined;
}

const TITLE_CHARACTERS = 120;
const DIRTY = [
  { value: 'drain', label: 'wait until legacy has them, else refuse' },
  { value: 'keep', label: 'refuse at once: the user stays as it is' },
  { value: 'force', label: 'leave them behind in new' },
] as const;
type Dirty = (typeof DIRTY)[number]['value'];

export interface PinFormProps {
  readonly user: UserDocument;
  readonly wanted: WantedPin;
  /** The change has begun. */
  readonly onBegun: (change: string) => void;
  readonly onClose: () => void;
}

export function PinForm({ user: { user, record, dirty }, wanted: { backend }, ...props }: PinFormProps) {
  const [dirtyUsers, setDirtyUsers] = useState<Dirty>('drain');
  // Without the pin the cohort decides, and that may be legacy.
  const mayLose = dirty && backend !== 'new';
  const submit = async (reason: string): Promise<void> => {
    const path = `/api/v1/users/${encodeURIComponent(user)}/pin`;
    const body = { reason, ...(mayLose ? { dirtyUsers } : {}) };
    // The page shows how far it is: nobody has to wait for the answer.
    const headers = { prefer: 'wait=0', 'idempotency-key': newKey() };
    const { change } =
      backend === undefined
        ? await sendJson<{ change: ChangeDocument }>('DELETE', path, body, headers)
        : await sendJson<{ change: ChangeDocument }>('PUT', path, { ...body, backend }, headers);
    props.onBegun(change.id);
  };
  return (
    <ReasonForm
      title={
        backend === undefined
          ? `Unpin ${plainText(user, TITLE_CHARACTERS)}`
          : `Pin ${plainText(user, TITLE_CHARACTERS)} to ${backend}`
      }
      action={backend === undefined ? 'Unpin' : 'Pin'}
      look={mayLose && dirtyUsers === 'force' ? 'danger' : 'primary'}
      onSubmit={submit}
      onClose={props.onClose}
    >
      <p>
        {backend === undefined
          ? `The user is pinned to ${record.pin ?? 'nothing'}. Without the pin the cohort decides.`
          : `Everything of this user goes to ${backend}, whatever the cohort says, until the pin is taken away.`}
      </p>
      {mayLose && (
        <>
          <p class="note note-warn">This user has writes that are in new only.</p>
          <Select label="Those writes" value={dirtyUsers} options={DIRTY} onChange={setDirtyUsers} />
        </>
      )}
    </ReasonForm>
  );
}
