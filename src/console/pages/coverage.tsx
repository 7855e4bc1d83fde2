/** What was compared how often, what was skipped and why, and what never was. */
import type { CoverageDocument } from '../../admin/evidence-documents.ts';
import { getJson } from '../api.ts';
import {
  type CoverageRow,
  coveragePath,
  DAYS,
  daysOf,
  skippedInWords,
  sortedRows,
} from '../evidence/coverage-rows.ts';
import { CohortSelect } from '../evidence/group-filters.tsx';
import { ShownText } from '../evidence/shown-text.tsx';
import { hashOf, setQuery, useRoute } from '../router.ts';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { Count, Share, Time } from '../ui/figures.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Select } from '../ui/select.tsx';
import { Empty, Loading } from '../ui/states.tsx';
import { useLoad } from '../use-load.ts';
import '../styles/evidence.css';

export function Coverage() {
  const { query } = useRoute();
  const days = daysOf(query.get('days'));
  const cohort = query.get('cohort') ?? undefined;
  const path = coveragePath(days, cohort);
  const { data, problem, reload } = useLoad(() => getJson<CoverageDocument>(path), [path]);
  return (
    <Page title="Coverage">
      <div class="filters" role="group" aria-label="Filters">
        <Select
          label="Looking back"
          value={days}
          options={DAYS}
          onChange={(chosen) => setQuery({ days: chosen === '7' ? undefined : chosen })}
        />
        <CohortSelect cohort={cohort} onChange={(chosen) => setQuery({ cohort: chosen })} />
      </div>
      {problem !== undefined && <ProblemNote problem={problem} onRetry={reload} />}
      {data === undefined && problem === undefined && <Loading what="the coverage" />}
      {data !== undefined && <Compared coverage={data} sort={query.get('sort') ?? 'route'} />}
    </Page>
  );
}

interface ComparedProps {
  readonly coverage: CoverageDocument;
  readonly sort: string;
}

function Compared({ coverage, sort }: ComparedProps) {
  const { from, to, rows, never, notShadowed } = coverage;
  return (
    <>
      {never.length > 0 && (
        <Panel title="Never compared">
          <p class="unit">Shadow reads are on for these routes, and none was compared in this time.</p>
          <Names names={never} />
        </Panel>
      )}
      <Panel
        title="Compared"
        aside={
          <span>
            <Time at={from} /> to <Time at={to} />
          </span>
        }
      >
        {rows.length === 0 ? (
          <Empty title="Nothing was compared or skipped in this time">
            Reads are compared in stages <code>shadow</code> and <code>live</code>, where a route allows it.
          </Empty>
        ) : (
          <DataTable
            caption="Reads that were compared, by route and cohort"
            columns={COLUMNS}
            rows={sortedRows(rows, sort)}
            rowKey={({ route, cohort }) => JSON.stringify([route, cohort])}
            sort={{ key: sort, isDescending: sort !== 'route' }}
            onSort={(key) => setQuery({ sort: key === 'route' ? undefined : key })}
          />
        )}
      </Panel>
      {notShadowed.length > 0 && (
        <Panel title="Not to be compared">
          <p class="unit">The configuration sends no shadow reads for these routes.</p>
          <Names names={notShadowed} />
        </Panel>
      )}
    </>
  );
}

function Names({ names }: { readonly names: readonly string[] }) {
  return (
    <ul class="names">
      {names.map((name) => (
        <li key={name}>
          <ShownText text={name} charactersMax={160} />
        </li>
      ))}
    </ul>
  );
}

const COLUMNS: readonly Column<CoverageRow>[] = [
  {
    key: 'route',
    title: 'Route',
    isSortable: true,
    render: ({ route }) => (
      <a href={hashOf(['mismatches'], { route })}>
        <ShownText text={route} charactersMax={120} />
      </a>
    ),
  },
  {
    key: 'cohort',
    title: 'Cohort',
    render: ({ cohort }) =>
      cohort === '' ? (
        'none'
      ) : (
        <a href={hashOf(['cohorts', cohort])}>
          <ShownText text={cohort} charactersMax={80} />
        </a>
      ),
  },
  {
    key: 'compared',
    title: 'Compared',
    align: 'end',
    isSortable: true,
    render: ({ compared }) => <Count value={compared} unit="reads" />,
  },
  {
    key: 'matched',
    title: 'Matched (95 % interval)',
    align: 'end',
    isSortable: true,
    render: ({ matched }) =>
      matched.total === 0 ? '–' : <Share value={matched.share} interval={[matched.low, matched.high]} />,
  },
  {
    key: 'confirmed',
    title: 'Confirmed to differ',
    align: 'end',
    isSortable: true,
    render: ({ confirmed }) => <Count value={confirmed} />,
  },
  {
    key: 'other',
    title: 'Not confirmed',
    align: 'end',
    render: ({ transient, flapping, unconfirmed }) => (
      <span title={`${transient} transient, ${flapping} flapping, ${unconfirmed} could not be read again`}>
        <Count value={transient + flapping + unconfirmed} />
      </span>
    ),
  },
  {
    key: 'noise',
    title: 'Repeated for noise',
    align: 'end',
    render: ({ noiseReads }) => <Count value={noiseReads} />,
  },
  {
    key: 'skipped',
    title: 'Skipped',
    align: 'end',
    isSortable: true,
    render: ({ skipped }) => <span class="skipped">{skippedInWords(skipped)}</span>,
  },
];
