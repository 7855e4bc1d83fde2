/** Who is in the cohort: look one up, leaf through them, send a file, fetch a file. */

import type { Static } from '@sinclair/typebox';
import { useState } from 'preact/hooks';
import type { CohortDocument } from '../../admin/control-documents.ts';
import type { MemberDocument, UserSchema } from '../../admin/user-documents.ts';
import { printable } from '../../wording/printable.ts';
import { type ApiProblem, getJson } from '../api.ts';
import { formatCount } from '../format.ts';
import { problemOf } from '../problem-of.ts';
import { hashOf } from '../router.ts';
import { useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { DataTable } from '../ui/data-table.tsx';
import { Field } from '../ui/field.tsx';
import { Panel } from '../ui/page.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Empty, Loading } from '../ui/states.tsx';
import { useLoad } from '../use-load.ts';
import { cohortPath, downloadMembers } from './cohort-api.ts';
import { UploadDialog } from './upload-dialog.tsx';

const PAGE = 20;

interface MembersPage {
  readonly items: readonly MemberDocument[];
  readonly next: string | null;
}

export function MembersPanel({ cohort }: { readonly cohort: CohortDocument }) {
  const { mayAct } = useSession();
  /** The cursors of the pages before this one. */
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const [action, setAction] = useState<'add' | 'remove'>();
  const cursor = cursors.at(-1);
  const query = new URLSearchParams({ limit: String(PAGE), ...(cursor === undefined ? {} : { cursor }) });
  const { data, problem, reload } = useLoad(
    () => getJson<MembersPage>(`${cohortPath(cohort.name)}/members?${query.toString()}`),
    [cohort.name, cursor],
  );
  return (
    <Panel
      title="Members"
      aside={
        <>
          {mayAct() && <Button onClick={() => setAction('add')}>Add from a file …</Button>}
          {mayAct() && <Button onClick={() => setAction('remove')}>Take out from a file …</Button>}
          <Download name={cohort.name} />
        </>
      }
    >
      <div class="stack">
        <MemberSearch cohort={cohort.name} />
        {problem !== undefined && <ProblemNote problem={problem} onRetry={reload} />}
        {data === undefined && problem === undefined && <Loading what="the members" />}
        {data !== undefined && <MemberTable cohort={cohort} page={data} isFirst={cursor === undefined} />}
        {data !== undefined && (cursor !== undefined || data.next !== null) && (
          <div class="actions">
            <Button isDisabled={cursor === undefined} onClick={() => setCursors(cursors.slice(0, -1))}>
              Before
            </Button>
            <Button
              isDisabled={data.next === null}
              onClick={() => data.next !== null && setCursors([...cursors, data.next])}
            >
              Further
            </Button>
          </div>
        )}
      </div>
      {action !== undefined && (
        <UploadDialog
          cohort={cohort}
          action={action}
          onChanged={reload}
          onClose={() => setAction(undefined)}
        />
      )}
    </Panel>
  );
}

interface MemberTableProps {
  readonly cohort: CohortDocument;
  readonly page: MembersPage;
  readonly isFirst: boolean;
}

function MemberTable({ cohort, page: { items }, isFirst }: MemberTableProps) {
  if (items.length === 0) {
    const why =
      cohort.byRule || cohort.default
        ? 'Its users are placed by their requests, and known from then on.'
        : 'Add some from a file with one user a line.';
    return <Empty title={isFirst ? 'The record knows no member yet' : 'There are no more'}>{why}</Empty>;
  }
  return (
    <DataTable
      caption="Members that the record knows, in the order of their keys"
      rows={items}
      rowKey={({ user }) => user}
      columns={[
        {
          key: 'user',
          title: 'User',
          render: ({ user }) => <a href={hashOf(['users', user])}>{printable(user)}</a>,
        },
        {
          key: 'by',
          title: 'By',
          render: ({ by, ordinal }) => (by === 'rule' ? 'a rule' : `a person, as number ${place(ordinal)}`),
        },
        { key: 'state', title: 'Data', render: ({ state }) => state ?? '–' },
        { key: 'pin', title: 'Pinned to', render: ({ pin }) => pin ?? '–' },
      ]}
    />
  );
}

function place(ordinal: number | null): string {
  return ordinal === null ? '–' : formatCount(ordinal + 1);
}

type Found = Static<typeof UserSchema>;

/** A user's key is looked up as it is: the record has no other order than that of the keys. */
function MemberSearch({ cohort }: { readonly cohort: string }) {
  const [text, setText] = useState('');
  const [found, setFound] = useState<Found>();
  const [problem, setProblem] = useState<ApiProblem>();
  const search = (event: Event): void => {
    event.preventDefault();
    const user = text.trim();
    if (user === '') return;
    setFound(undefined);
    setProblem(undefined);
    getJson<Found>(`/api/v1/users/${encodeURIComponent(user)}`).then(setFound, (error: unknown) =>
      setProblem(problemOf(error)),
    );
  };
  return (
    <form class="search" onSubmit={search} role="search">
      <Field label="Look for a user, by its key" type="search" value={text} onInput={setText} />
      <Button type="submit">Look up</Button>
      <div role="status" class="search-found">
        {found !== undefined && <FoundUser cohort={cohort} found={found} />}
        {problem !== undefined && <ProblemNote problem={problem} />}
      </div>
    </form>
  );
}

function FoundUser({ cohort, found: { user, record } }: { readonly cohort: string; readonly found: Found }) {
  const of = record.membership;
  const where =
    of === null
      ? 'is in no cohort yet'
      : of.cohort === cohort
        ? `is in this cohort, by ${of.by === 'rule' ? 'a rule' : 'a person'}`
        : `is in cohort ${printable(of.cohort)}`;
  return (
    <p>
      <a href={hashOf(['users', user])}>{printable(user)}</a> {where}
      {record.pin !== null && `, pinned to ${record.pin}`}.
    </p>
  );
}

/** The list is fetched with the session, then given to the browser as a file. */
function Download({ name }: { readonly name: string }) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem>();
  const download = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      const address = URL.createObjectURL(await downloadMembers(name));
      const link = document.createElement('a');
      link.href = address;
      link.download = `${name.replaceAll(/[^\w.-]+/gu, '_')}-members.txt`;
      link.click();
      URL.revokeObjectURL(address);
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button onClick={() => void download()} isBusy={isBusy}>
        Download
      </Button>
      {problem !== undefined && <ProblemNote problem={problem} />}
    </>
  );
}
