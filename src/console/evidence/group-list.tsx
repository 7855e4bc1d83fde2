/** Groups of differences as work: ordered, filtered by the address, walked through by keys. */
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { GroupDocument } from '../../admin/report-documents.ts';
import { getJson } from '../api.ts';
import { counted, formatShare } from '../format.ts';
import { problemOf } from '../problem-of.ts';
import { go, hashOf, setQuery, useRoute } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { Ago, Count } from '../ui/figures.tsx';
import { KeyHint } from '../ui/key-hint.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Empty, Loading } from '../ui/states.tsx';
import { useLoad } from '../use-load.ts';
import { GroupFiltersPanel } from './group-filters.tsx';
import { addressOf, filtersOf, listPath, SORTS } from './group-query.ts';
import { judgementMeans, readsInWords, statusTone, usersInWords } from './group-words.ts';
import { ShownText } from './shown-text.tsx';
import { useKeys } from './use-keys.ts';

export interface GroupsDocument {
  readonly items: readonly GroupDocument[];
  readonly next: string | null;
  readonly total: number;
  readonly judged: Readonly<Record<string, number>>;
}

const PAGE_SIZE = 50;
const AGAIN_MS = 10_000;

export function GroupList() {
  const { query } = useRoute();
  const filters = filtersOf(query);
  const path = listPath(filters, PAGE_SIZE);
  const first = useLoad(() => getJson<GroupsDocument>(path), [path]);
  useEffect(() => {
    const timer = setInterval(first.reload, AGAIN_MS);
    return () => clearInterval(timer);
  }, [first.reload]);
  const { data, problem } = first;
  return (
    <Page
      title="Mismatches"
      actions={
        <>
          <KeyHint keys={['j', 'k']} does="next, previous" />
          <KeyHint keys={['Enter']} does="open" />
        </>
      }
    >
      <GroupFiltersPanel
        filters={filters}
        judged={data?.judged}
        onChange={(changed) => setQuery(addressOf(changed))}
      />
      {problem !== undefined && <ProblemNote problem={problem} onRetry={first.reload} />}
      {data === undefined && problem === undefined && <Loading what="the groups" />}
      {data !== undefined && (
        <Groups key={path} first={data} morePath={(cursor) => listPath(filters, PAGE_SIZE, cursor)} />
      )}
    </Page>
  );
}

interface GroupsProps {
  readonly first: GroupsDocument;
  readonly morePath: (cursor: string) => string;
}

function Groups({ first, morePath }: GroupsProps) {
  const [pages, setPages] = useState<readonly GroupsDocument[]>([]);
  const [problem, setProblem] = useState<ReturnType<typeof problemOf>>();
  const [selected, setSelected] = useState<string>();
  const { query } = useRoute();
  const { sort } = filtersOf(query);
  const known = new Map([first, ...pages].flatMap(({ items }) => items).map((group) => [group.id, group]));
  const groups = [...known.values()];
  const next = (pages.at(-1) ?? first).next;
  const move = (by: number): void => {
    const at = groups.findIndex(({ id }) => id === selected);
    const to = groups[at < 0 ? 0 : Math.min(groups.length - 1, Math.max(0, at + by))];
    if (to !== undefined) setSelected(to.id);
  };
  const open = ({ id }: GroupDocument): void => go(hashOf(['mismatches', id], query));
  const openSelected = (): void => {
    const group = known.get(selected ?? '');
    if (group !== undefined) open(group);
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    o: openSelected,
    Enter: openSelected,
  });
  useLayoutEffect(() => {
    // The focus goes along, so that Enter opens it and a screen reader says what it is.
    const link = document.querySelector('tr.selected a');
    if (link instanceof HTMLElement) link.focus();
  }, [selected]);
  if (groups.length === 0) return <NoGroups judged={first.judged} />;
  const more = (cursor: string): void => {
    setProblem(undefined);
    getJson<GroupsDocument>(morePath(cursor)).then(
      (page) => setPages((before) => [...before, page]),
      (error: unknown) => setProblem(problemOf(error)),
    );
  };
  return (
    <Panel
      title={counted(first.total, 'group')}
      aside={`by ${SORTS.find((one) => one.sort === sort)?.label ?? sort}`}
    >
      <DataTable
        caption="Groups of differences"
        columns={columnsFor(query)}
        rows={groups}
        rowKey={({ id }) => id}
        onOpen={open}
        selected={selected}
        sort={{ key: sort, isDescending: true }}
        onSort={(key) => setQuery({ sort: key === 'importance' ? undefined : key })}
      />
      {problem !== undefined && <ProblemNote problem={problem} />}
      {next !== null && <Button onClick={() => more(next)}>Show more</Button>}
    </Panel>
  );
}

function NoGroups({ judged }: Pick<GroupsDocument, 'judged'>) {
  const hidden = Object.values(judged).reduce((sum, count) => sum + count, 0);
  return (
    <Empty title="No difference that these filters let through">
      {hidden > 0 && (
        <p>{counted(hidden, 'group')} of these statuses, all judgements together: see the filters above.</p>
      )}
      <p>
        <a href={hashOf(['coverage'])}>Coverage</a> says how much was compared, and what never was.
      </p>
    </Empty>
  );
}

function columnsFor(query: URLSearchParams): readonly Column<GroupDocument>[] {
  return [
    {
      key: 'importance',
      title: 'Difference',
      isSortable: true,
      render: ({ id, where, kind, types, route }) => (
        <div class="group-cell">
          <a class="monospaced" href={hashOf(['mismatches', id], query)}>
            <ShownText text={where} charactersMax={120} />
          </a>
          <div class="unit">
            {kind} · <ShownText text={types} charactersMax={60} /> ·{' '}
            <ShownText text={route} charactersMax={80} />
          </div>
        </div>
      ),
    },
    {
      key: 'weight',
      title: 'Weight',
      align: 'end',
      isSortable: true,
      render: ({ weight }) => <Count value={weight} />,
    },
    {
      key: 'share',
      title: 'Share of reads',
      align: 'end',
      isSortable: true,
      render: ({ share }) => (
        <span class="figure" title={`95 % interval ${formatShare(share.low)} to ${formatShare(share.high)}`}>
          {share.total === 0 ? '–' : formatShare(share.share)}
          <span class="unit cell-line">{readsInWords(share)}</span>
        </span>
      ),
    },
    {
      key: 'users',
      title: 'Users',
      align: 'end',
      isSortable: true,
      render: ({ users }) => (
        <span title={usersInWords(users)}>
          ~<Count value={users.estimate} />
        </span>
      ),
    },
    {
      key: 'last_seen',
      title: 'Last seen',
      align: 'end',
      isSortable: true,
      render: ({ lastSeen }) => <Ago at={lastSeen} />,
    },
    {
      key: 'first_seen',
      title: 'First seen',
      align: 'end',
      isSortable: true,
      render: ({ firstSeen }) => <Ago at={firstSeen} />,
    },
    {
      key: 'status',
      title: 'Status',
      render: ({ status, judgement, owner }) => (
        <div class="status-cell">
          <Badge tone={statusTone(status)}>{status}</Badge>
          {judgement.kind !== 'reported' && (
            <Badge tone="calm" title={judgementMeans(judgement.kind)}>
              {judgement.kind}
            </Badge>
          )}
          {owner !== null && (
            <span class="unit">
              <ShownText text={owner} charactersMax={40} />
            </span>
          )}
        </div>
      ),
    },
  ];
}
