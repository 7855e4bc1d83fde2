/** One step in the life of a group, with who and until when where it needs that, and a note. */
import { useState } from 'preact/hooks';
import type { GroupDocument } from '../../admin/report-documents.ts';
import { type ApiProblem, sendJson } from '../api.ts';
import { problemOf } from '../problem-of.ts';
import { useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Select } from '../ui/select.tsx';

export type GroupAction = 'acknowledge' | 'assign' | 'ignore' | 'resolve' | 'reopen';

interface ActionLook {
  readonly label: string;
  readonly key: string;
  readonly says: string;
}

export const GROUP_ACTIONS: Readonly<Record<GroupAction, ActionLook>> = {
  acknowledge: { label: 'Acknowledge', key: 'a', says: 'Somebody looks at it.' },
  assign: { label: 'Assign', key: 's', says: 'Somebody is to look after it. Without a name, nobody is.' },
  ignore: { label: 'Ignore', key: 'i', says: 'It is open again when the time is over.' },
  resolve: {
    label: 'Resolve',
    key: 'r',
    says: 'It is fixed. A confirmed difference that comes later opens it again.',
  },
  reopen: { label: 'Reopen', key: 'e', says: 'It is open again.' },
};

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PERIODS = [
  { value: '1', label: '1 day', ms: DAY_MS },
  { value: '7', label: '7 days', ms: 7 * DAY_MS },
  { value: '14', label: '14 days', ms: 14 * DAY_MS },
  { value: '30', label: '30 days', ms: 30 * DAY_MS },
  { value: '90', label: '90 days', ms: 90 * DAY_MS },
  { value: 'until', label: 'until …', ms: undefined },
] as const;
type Period = (typeof PERIODS)[number]['value'];

const OWNER_CHARS_MAX = 256;
const NOTE_CHARS_MAX = 1_000;

export interface GroupActionDialogProps {
  readonly action: GroupAction;
  readonly group: GroupDocument;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export function GroupActionDialog({ action, group, onClose, onDone }: GroupActionDialogProps) {
  const { name } = useSession();
  const [owner, setOwner] = useState(group.owner ?? (action === 'acknowledge' ? name : ''));
  const [note, setNote] = useState('');
  const [period, setPeriod] = useState<Period>('7');
  const [until, setUntil] = useState('');
  const [problem, setProblem] = useState<ApiProblem>();
  const [isBusy, setBusy] = useState(false);
  const { label, says } = GROUP_ACTIONS[action];
  const ignoredUntil = untilOf(period, until);
  const isReady = action !== 'ignore' || ignoredUntil !== undefined;

  const submit = (event: Event): void => {
    event.preventDefault();
    if (isBusy || !isReady) return;
    setBusy(true);
    setProblem(undefined);
    const body = bodyOf(action, owner.trim(), note.trim(), ignoredUntil);
    sendJson('POST', `/api/v1/mismatches/${encodeURIComponent(group.id)}/${action}`, body).then(
      () => {
        onDone();
        onClose();
      },
      (error: unknown) => {
        setProblem(problemOf(error));
        setBusy(false);
      },
    );
  };
  const hasOwner = action === 'acknowledge' || action === 'assign';
  return (
    <Dialog title={label} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <p>{says}</p>
        {hasOwner && (
          <Field label="Owner" value={owner} onInput={setOwner} charsMax={OWNER_CHARS_MAX} isFocused />
        )}
        {action === 'ignore' && <Select label="For" value={period} options={PERIODS} onChange={setPeriod} />}
        {action === 'ignore' && period === 'until' && (
          <Field
            label="Until"
            type="datetime-local"
            value={until}
            onInput={setUntil}
            hint="In your time zone."
            error={until !== '' && ignoredUntil === undefined ? 'This moment is over.' : undefined}
          />
        )}
        <Field
          label="Note"
          value={note}
          onInput={setNote}
          rows={2}
          charsMax={NOTE_CHARS_MAX}
          hint="Kept with the group and in its audit. May be left empty."
          isFocused={!hasOwner}
        />
        {problem !== undefined && <ProblemNote problem={problem} />}
        <div class="actions">
          <Button onClick={onClose} isDisabled={isBusy}>
            Cancel
          </Button>
          <Button type="submit" look="primary" isBusy={isBusy} isDisabled={!isReady}>
            {label}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function untilOf(period: Period, until: string): string | undefined {
  const ms = PERIODS.find(({ value }) => value === period)?.ms;
  const at = ms === undefined ? Date.parse(until) : Date.now() + ms;
  return at > Date.now() ? new Date(at).toISOString() : undefined;
}

function bodyOf(action: GroupAction, owner: string, note: string, until: string | undefined) {
  const noted = note === '' ? {} : { note };
  switch (action) {
    case 'acknowledge':
      return owner === '' ? noted : { ...noted, owner };
    case 'assign':
      return { ...noted, owner: owner === '' ? null : owner };
    case 'ignore':
      return { ...noted, until };
    case 'resolve':
    case 'reopen':
      return noted;
    default:
      return action satisfies never;
  }
}
