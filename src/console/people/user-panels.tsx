/** What is known of one user. */
import type { UserDocument } from '../../admin/user-documents.ts';
import { printable } from '../../wording/printable.ts';
import { hashOf } from '../router.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { Count, Time } from '../ui/figures.tsx';
import { Panel } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';

type State = NonNullable<UserDocument['record']['state']>;
const TONES: Readonly<Record<State, Tone>> = { migrating: 'warn', migrated: 'good', failed: 'bad' };

export function RecordPanel({ user: { record, dirty } }: { readonly user: UserDocument }) {
  const { membership, pin, state, newId } = record;
  return (
    <Panel title="Record">
      <dl class="facts">
        <dt>Cohort</dt>
        <dd>
          {membership === null ? (
            'nobody has placed this user yet'
          ) : (
            <>
              <a href={hashOf(['cohorts', membership.cohort])}>{membership.cohort}</a>{' '}
              <span class="unit">
                {membership.by === 'rule' ? 'placed by its rule' : 'added'}
                {membership.ordinal !== null && (
                  <>
                    , number <Count value={membership.ordinal + 1} />
                  </>
                )}
              </span>
            </>
          )}
        </dd>
        <dt>Pin</dt>
        <dd>{pin === null ? 'none' : <Badge tone="info">pinned to {pin}</Badge>}</dd>
        <dt>Data</dt>
        <dd>{state === null ? 'nothing was told' : <Badge tone={TONES[state]}>{state}</Badge>}</dd>
        <dt>Id in new</dt>
        <dd>{newId === null ? 'not known' : <code>{newId}</code>}</dd>
        <dt>Writes in new only</dt>
        <dd>{dirty ? <Badge tone="warn">yes</Badge> : 'none known'}</dd>
      </dl>
    </Panel>
  );
}

type Entry = UserDocument['history'][number];

const HISTORY: readonly Column<Entry>[] = [
  { key: 'at', title: 'When', render: ({ at }) => <Time at={at} /> },
  { key: 'kind', title: 'What', render: ({ kind }) => kind },
  { key: 'actor', title: 'Who', render: ({ actor }) => printable(actor) },
  { key: 'reason', title: 'Why', render: ({ reason }) => <span class="words">{printable(reason)}</span> },
  { key: 'epoch', title: 'Epoch', align: 'end', render: ({ epoch }) => <Count value={epoch} /> },
];

export function HistoryPanel({ user: { history } }: { readonly user: UserDocument }) {
  return (
    <Panel title="Recent changes">
      {history.length === 0 ? (
        <Empty title="Nothing was changed for this user alone">
          What happened to a whole cohort is in the <a href={hashOf(['audit'])}>audit</a>.
        </Empty>
      ) : (
        <DataTable
          caption="Recent changes of this user, the newest first"
          columns={HISTORY}
          rows={history}
          rowKey={(entry) => `${entry.at} ${entry.kind} ${entry.epoch ?? ''}`}
        />
      )}
    </Panel>
  );
}
