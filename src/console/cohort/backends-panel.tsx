import { useMemo, useState } from 'preact/hooks';
import type { CohortGuardDocument } from '../../admin/guard-documents.ts';
import { formatDuration, formatRate, formatShare } from '../format.ts';
import { useLive } from '../live.ts';
import {
  type CohortSeries,
  hasRequests,
  type SeriesRange,
  type SideSeries,
  seriesOf,
} from '../side-series.ts';
import { Chart, type ChartMarker, type ChartSeries } from '../ui/chart.tsx';
import { Time } from '../ui/figures.tsx';
import { Panel } from '../ui/page.tsx';
import { Select } from '../ui/select.tsx';
import { Empty, Loading } from '../ui/states.tsx';
import type { HistoryMark } from './history-entries.ts';

/** The list of all of them is further down. */
const LEGEND_MAX = 8;

const COLORS = { good: '--good', warn: '--warn', bad: '--bad', calm: '--ink-soft' } as const;

const RANGES = [
  { value: '120', label: 'last 2 minutes' },
  { value: '300', label: 'last 5 minutes' },
  { value: '900', label: 'last 15 minutes' },
] as const;
type Range = (typeof RANGES)[number]['value'];

export interface BackendsPanelProps {
  readonly guard: CohortGuardDocument | undefined;
  readonly marks: readonly HistoryMark[];
}

export function BackendsPanel({ guard, marks }: BackendsPanelProps) {
  const { clockLead, knownFrom } = useLive();
  const [range, setRange] = useState<Range>('300');
  // A second may still grow while it is the newest.
  const until = Math.floor(Date.now() / 1_000 + (clockLead ?? 0)) - 1;
  return (
    <Panel
      title="Both backends, with changes and trips"
      aside={<Select label="Charts show the" value={range} options={RANGES} onChange={setRange} />}
    >
      {guard === undefined ? (
        <Loading what="the rates" />
      ) : (
        <RateCharts
          guard={guard}
          marks={marks}
          range={{ until, seconds: Number(range), step: range === '900' ? 10 : 2, knownFrom }}
        />
      )}
    </Panel>
  );
}

interface RateChartsProps {
  readonly guard: CohortGuardDocument;
  readonly marks: readonly HistoryMark[];
  readonly range: SeriesRange;
}

/** Requests, failures and latency of both backends, with what happened to the cohort meanwhile. */
function RateCharts({ guard, marks, range: { until, seconds, step, knownFrom } }: RateChartsProps) {
  const drawn = useMemo(
    () => seriesOf(guard, { until, seconds, step, knownFrom }),
    [guard, until, seconds, step, knownFrom],
  );
  const markers = useMemo(
    (): ChartMarker[] =>
      marks.map(({ at, number, tone }) => ({ at, label: String(number), color: COLORS[tone] })),
    [marks],
  );
  if (!hasRequests(drawn)) {
    return (
      <Empty title="No requests in this time">
        As soon as users of this cohort send some, both backends are drawn here.
      </Empty>
    );
  }
  const common = { times: drawn.times, markers, group: `cohort-${guard.cohort}` };
  return (
    <div class="stack">
      <div class="columns">
        <Chart {...common} title="Requests a second" series={both(drawn, 'rate')} format={formatRate} />
        <Chart {...common} title="Failed share" series={both(drawn, 'failedShare')} format={formatShare} />
        <Chart {...common} title="p99 latency" series={both(drawn, 'p99Ms')} format={formatDuration} />
      </div>
      <Legend marks={marks} since={until - seconds} />
    </div>
  );
}

/** What the numbers in the charts mean. */
function Legend({ marks, since }: { readonly marks: readonly HistoryMark[]; readonly since: number }) {
  const seen = marks.filter(({ at }) => at >= since).slice(-LEGEND_MAX);
  if (seen.length === 0) return <p class="unit">No change and no trip in this time.</p>;
  return (
    <ul class="marks" aria-label="Changes and trips in this time">
      {seen.map(({ at, number, label }) => (
        <li key={number}>
          <strong>{number}</strong> <Time at={at * 1_000} /> {label}
        </li>
      ))}
    </ul>
  );
}

function both(drawn: CohortSeries, of: keyof SideSeries): ChartSeries[] {
  return [
    { label: 'legacy', color: '--legacy', values: drawn.legacy[of], isDashed: true },
    { label: 'new', color: '--new', values: drawn.new[of] },
  ];
}
