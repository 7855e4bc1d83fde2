/** One cohort of the overview: its track, both backends side by side, and what the guard makes of it. */
import { useMemo, useState } from 'preact/hooks';
import type { CohortStatusDocument } from '../../admin/admin-source.ts';
import type { CohortGuardDocument } from '../../admin/guard-documents.ts';
import type { RampRunDocument } from '../../admin/ramp-documents.ts';
import type { Backend, Stage } from '../../model.ts';
import { countMembers } from '../count-members.ts';
import { formatCount, formatDuration, formatRate, formatShare } from '../format.ts';
import { type MemberCount, rampShare, shareAt } from '../ramp-share.ts';
import { hashOf } from '../router.ts';
import { hasRequests, nowOf, type SeriesRange, seriesOf } from '../side-series.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Chart } from '../ui/chart.tsx';
import { Count } from '../ui/figures.tsx';
import { GuardBadge } from '../ui/guard-badge.tsx';
import { Panel } from '../ui/page.tsx';
import { StageBadge } from '../ui/stage-badge.tsx';
import { Track } from '../ui/track.tsx';
import { useLoad } from '../use-load.ts';

/** What "now" means in figures, seconds. */
const NOW_SECONDS = 10;

export interface CohortPanelProps {
  readonly cohort: CohortStatusDocument;
  readonly guard: CohortGuardDocument | undefined;
  /** Where a change in progress leads. */
  readonly goal: Stage | undefined;
  readonly range: SeriesRange;
  /** Charts are drawn without being asked for. */
  readonly isOpen: boolean;
}

export function CohortPanel({ cohort, guard, goal, range, isOpen }: CohortPanelProps) {
  const { name, stage, ramp, held } = cohort;
  const [showsCharts, setShowsCharts] = useState(isOpen);
  const { data: members } = useLoad(() => countMembers(name), [name, stage, ramp]);
  const inside = rampShare(ramp, members);
  const backlog = guard?.mirrorBacklog ?? null;
  return (
    <Panel
      title={<a href={hashOf(['cohorts', name])}>{name}</a>}
      aside={
        <>
          {held && <Badge tone="warn">writes wait</Badge>}
          {backlog !== null && (
            <span>
              mirror backlog <Count value={backlog} unit="writes" />
            </span>
          )}
          {guard?.ramp !== null && guard?.ramp !== undefined && <RampRun run={guard.ramp} />}
          {guard !== undefined && <GuardBadge guard={guard} />}
          <span>ramp {ramp}</span>
          <StageBadge stage={stage} />
        </>
      }
    >
      <div class="cohort-panel">
        <div class="stack">
          <Track stage={stage} ramp={ramp} share={inside} isHeld={held} goal={goal} />
          <Sides cohort={cohort} guard={guard} inside={inside} members={members} until={range.until} />
        </div>
        {showsCharts ? (
          <Charts name={name} guard={guard} range={range} />
        ) : (
          <div>
            <Button onClick={() => setShowsCharts(true)} label={`Charts of ${name}`}>
              Charts
            </Button>
          </div>
        )}
      </div>
    </Panel>
  );
}

const RUN_TONES: Readonly<Record<RampRunDocument['status'], Tone>> = {
  baking: 'info',
  gated: 'warn',
  waiting: 'warn',
  stepping: 'info',
  paused: 'warn',
  done: 'good',
  aborted: 'calm',
};

/** How far the plan of its ramp is. One that is over is history, and told on the cohort's own page. */
function RampRun({ run: { status, step, plan, note } }: { readonly run: RampRunDocument }) {
  if (status === 'done' || status === 'aborted') return null;
  return (
    <Badge tone={RUN_TONES[status]} title={note ?? undefined}>
      plan {status}, step {step + 1} of {plan.steps.length}
    </Badge>
  );
}

interface SidesProps {
  readonly cohort: CohortStatusDocument;
  readonly guard: CohortGuardDocument | undefined;
  readonly inside: number | undefined;
  readonly members: MemberCount | undefined;
  readonly until: number;
}

function Sides({ cohort, guard, inside, members, until }: SidesProps) {
  return (
    <table class="sides">
      <caption class="unseen">
        {cohort.name}: both backends, last {NOW_SECONDS} seconds
      </caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">Backend</span>
          </th>
          <th scope="col">Users</th>
          <th scope="col">Requests</th>
          <th scope="col">Errors</th>
          <th scope="col">p99</th>
        </tr>
      </thead>
      <tbody>
        {(['legacy', 'new'] as const).map((side) => {
          const now = nowOf(guard?.[side].seconds ?? [], until, NOW_SECONDS);
          return (
            <tr key={side}>
              <th scope="row" class={`text-${side}`}>
                {side}
              </th>
              <td>
                <Users side={side} cohort={cohort} inside={inside} members={members} />
              </td>
              <td>{formatRate(now.rate)}</td>
              <td class={(now.failedShare ?? 0) > 0 ? 'text-bad' : undefined}>
                {formatShare(now.failedShare)}
              </td>
              <td>{formatDuration(now.p99Ms)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

interface UsersProps extends Pick<SidesProps, 'cohort' | 'inside' | 'members'> {
  readonly side: Backend;
}

/** Those that the record knows, split by the ramp: pins and users who were moved apart are not in it. */
function Users({ side, cohort, inside, members }: UsersProps) {
  const share = shareAt(side, cohort.stage, inside);
  if (share === undefined) return <span title="The ramp is a number of users.">–</span>;
  const words = formatShare(share);
  const isWhole = share === 0 || share === 1;
  if (cohort.migration === 'per-user') {
    return <span title="Each user moves when its own data has moved.">by user</span>;
  }
  if (members === undefined || members.count === 0) return <span>{words}</span>;
  if (members.isMore) return <span title={`More than ${formatCount(members.count)} users.`}>{words}</span>;
  const count = Math.round(members.count * share);
  const about = isWhole ? '' : '≈ ';
  return (
    <span title="Users that the record knows, split by the ramp; pins are not counted apart.">
      {about}
      {formatCount(count)} <span class="unit">({words})</span>
    </span>
  );
}

interface ChartsProps extends Pick<CohortPanelProps, 'guard' | 'range'> {
  readonly name: string;
}

function Charts({ name, guard, range }: ChartsProps) {
  const { until, seconds, step, knownFrom } = range;
  const drawn = useMemo(
    () => (guard === undefined ? undefined : seriesOf(guard, { until, seconds, step, knownFrom })),
    [guard, until, seconds, step, knownFrom],
  );
  if (drawn === undefined) return <p class="state">The guard does not tell what it counts yet.</p>;
  const { times, legacy, new: renewed } = drawn;
  if (!hasRequests(drawn)) {
    return <p class="state">No requests of {name} in this time.</p>;
  }
  const both = (of: 'rate' | 'failedShare' | 'p99Ms') => [
    { label: 'legacy', color: '--legacy', values: legacy[of], isDashed: true },
    { label: 'new', color: '--new', values: renewed[of] },
  ];
  const marked = guard?.trip === null || guard?.trip === undefined ? [] : [guard.trip];
  const markers = marked.map(({ trippedAt }) => ({
    at: new Date(trippedAt).getTime() / 1_000,
    label: 'guard',
    color: '--bad',
  }));
  const common = { times, markers, group: name, height: 110 };
  return (
    <div class="charts">
      <Chart {...common} title="Requests a second" series={both('rate')} format={formatRate} />
      <Chart
        {...common}
        title="Errors, share of requests"
        top={0.05}
        series={both('failedShare')}
        format={formatShare}
      />
      <Chart {...common} title="p99 of the answer" series={both('p99Ms')} format={formatDuration} />
    </div>
  );
}
