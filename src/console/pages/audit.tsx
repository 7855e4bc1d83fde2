/** The audit: every change that went through the barrier, and one of them with all that is known. */
import type { ChangeDocument, ChangeInProgressDocument } from '../../admin/control-documents.ts';
import { changeOfWhom } from '../../wording/change-in-words.ts';
import { printable } from '../../wording/printable.ts';
import { getJson } from '../api.ts';
import { FollowedChange } from '../changes/followed-change.tsx';
import type { PageProps } from '../pages.tsx';
import { auditSearch, type ChangeKind, KINDS } from '../people/audit-search.ts';
import { go, hashOf, setQuery, useRoute } from '../router.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { Field } from '../ui/field.tsx';
import { Count, Duration, Time } from '../ui/figures.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Select } from '../ui/select.tsx';
import { Empty, Loading } from '../ui/states.tsx';
import { useLoad } from '../use-load.ts';
import '../styles/people.css';

export function Audit({ rest: [id] }: PageProps) {
  return id === undefined ? <AuditList /> : <ChangePage key={id} id={id} />;
}

function toneOf(phase: ChangeDocument['phase']): Tone {
  switch (phase) {
    case 'done':
      return 'good';
    case 'undoing':
    case 'undone':
      return 'bad';
    case 'pending':
    case 'holding':
    case 'switching':
    case 'releasing':
      return 'warn';
    default:
      return phase satisfies never;
  }
}

const COLUMNS: readonly Column<ChangeDocument>[] = [
  {
    key: 'what',
    title: 'What',
    render: (change) => <a href={hashOf(['audit', change.id])}>{changeOfWhom(change)}</a>,
  },
  { key: 'at', title: 'When', render: ({ createdAt }) => <Time at={createdAt} /> },
  {
    key: 'phase',
    title: 'Phase',
    render: ({ phase, note }) => (
      <Badge tone={toneOf(phase)} title={note ?? undefined}>
        {phase}
      </Badge>
    ),
  },
  { key: 'actor', title: 'Who', render: ({ actor }) => printable(actor) },
  { key: 'reason', title: 'Why', render: ({ reason }) => <span class="words">{printable(reason)}</span> },
  { key: 'epoch', title: 'Epoch', align: 'end', render: ({ epoch }) => <Count value={epoch} /> },
];

interface Changes {
  readonly items: readonly ChangeDocument[];
  readonly next: string | null;
}

function AuditList() {
  const { query } = useRoute();
  const search = auditSearch(query).toString();
  const { data, problem, isLoading, reload } = useLoad(
    () => getJson<Changes>(`/api/v1/changes?${search}`),
    [search],
  );
  const older = (cursor: string): void => go(hashOf(['audit'], { ...Object.fromEntries(query), cursor }));
  return (
    <Page
      title="Audit"
      actions={
        <Button onClick={reload} isBusy={isLoading && data !== undefined}>
          Load again
        </Button>
      }
    >
      <Filters query={query} />
      {problem !== undefined && <ProblemNote problem={problem} onRetry={reload} />}
      {data === undefined && problem === undefined && <Loading what="the audit" />}
      {data !== undefined && (
        <Panel title="Changes" aside="the newest first">
          <div class="stack">
            {data.items.length > 0 ? (
              <DataTable
                caption="Changes, the newest first"
                columns={COLUMNS}
                rows={data.items}
                rowKey={({ id }) => id}
                onOpen={({ id }) => go(hashOf(['audit', id]))}
              />
            ) : (
              <NoChanges hasMore={data.next !== null} />
            )}
            <div class="row">
              {query.has('cursor') && (
                <Button onClick={() => setQuery({ cursor: undefined })}>Newest changes</Button>
              )}
              {data.next !== null && <Button onClick={() => older(data.next ?? '')}>Older changes</Button>}
            </div>
          </div>
        </Panel>
      )}
    </Page>
  );
}

function NoChanges({ hasMore }: { readonly hasMore: boolean }) {
  return hasMore ? (
    <Empty title="None among those looked at">The search is bounded: go on with older changes.</Empty>
  ) : (
    <Empty title="No such change">
      Take a filter away. What moves users is listed here as soon as somebody asks for it.
    </Empty>
  );
}

const ANY = { value: '', label: 'any' } as const;
const KIND_OPTIONS = [ANY, ...KINDS.map((kind) => ({ value: kind, label: kind }))];
const OPEN_OPTIONS = [ANY, { value: 'true', label: 'in progress' }] as const;

/** In the address. A new filter begins at the newest change. */
function Filters({ query }: { readonly query: URLSearchParams }) {
  const kind = KINDS.find((known) => known === query.get('kind'));
  return (
    <div class="filters" role="search">
      <Field
        label="Cohort"
        type="search"
        value={query.get('cohort') ?? ''}
        onInput={(cohort) => setQuery({ cohort, cursor: undefined })}
      />
      <Field
        label="User (pins)"
        type="search"
        value={query.get('user') ?? ''}
        onInput={(user) => setQuery({ user, cursor: undefined })}
      />
      <Select<ChangeKind | ''>
        label="Kind"
        value={kind ?? ''}
        options={KIND_OPTIONS}
        onChange={(value) => setQuery({ kind: value, cursor: undefined })}
      />
      <Select<'' | 'true'>
        label="State"
        value={query.get('open') === 'true' ? 'true' : ''}
        options={OPEN_OPTIONS}
        onChange={(open) => setQuery({ open, cursor: undefined })}
      />
    </div>
  );
}

function ChangePage({ id }: { readonly id: string }) {
  const { data, problem, reload } = useLoad(
    () => getJson<ChangeInProgressDocument>(`/api/v1/changes/${encodeURIComponent(id)}`),
    [id],
  );
  return (
    <Page
      title={data === undefined ? 'Change' : changeOfWhom(data)}
      above={<a href={hashOf(['audit'])}>Audit</a>}
    >
      {problem !== undefined && <ProblemNote problem={problem} onRetry={reload} />}
      {data === undefined ? (
        problem === undefined && <Loading what="the change" />
      ) : (
        <>
          <FollowedChange id={id} onOver={data.endedAt === null ? reload : () => {}} />
          <Facts change={data} />
        </>
      )}
    </Page>
  );
}

function Facts({ change }: { readonly change: ChangeDocument }) {
  const { cohort, user, actor, reason, createdAt, endedAt, epochs, dirty, dirtyUsers, users } = change;
  return (
    <Panel title="What is known">
      <dl class="facts">
        <dt>Id</dt>
        <dd>
          <code>{change.id}</code>
        </dd>
        <dt>About</dt>
        <dd>
          {cohort !== null && <a href={hashOf(['cohorts', cohort])}>{printable(cohort)}</a>}
          {user !== null && <a href={hashOf(['users', user])}>{printable(user)}</a>}
          {cohort === null && user === null && 'users'}
        </dd>
        <dt>Who</dt>
        <dd>{printable(actor)}</dd>
        <dt>Why</dt>
        <dd class="words">{printable(reason)}</dd>
        <dt>Begun</dt>
        <dd>
          <Time at={createdAt} />
        </dd>
        <dt>Over</dt>
        <dd>
          {endedAt === null ? (
            'not yet'
          ) : (
            <>
              <Time at={endedAt} /> <span class="unit">after </span>
              <Duration ms={Date.parse(endedAt) - Date.parse(createdAt)} />
            </>
          )}
        </dd>
        <dt>Epochs</dt>
        <dd>
          hold <Count value={epochs.hold} />, switch <Count value={epochs.switch} />, release{' '}
          <Count value={epochs.release} />
        </dd>
        <dt>Moves truth</dt>
        <dd>{change.movesTruth ? 'yes' : 'no'}</dd>
        <dt>Records replaced</dt>
        <dd>
          <Count value={users} unit="users" />
        </dd>
        <dt>Writes in new only</dt>
        <dd>
          <Count value={dirty} unit="users" /> <span class="unit">({dirtyUsers})</span>
        </dd>
      </dl>
    </Panel>
  );
}
