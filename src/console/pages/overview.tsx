/** Where every cohort stands. */
import { formatRamp } from '../format.ts';
import { useLive } from '../live.ts';
import { hashOf } from '../router.ts';
import { Page, Panel } from '../ui/page.tsx';
import { StageBadge } from '../ui/stage-badge.tsx';
import { Empty, Loading } from '../ui/states.tsx';
import { Track } from '../ui/track.tsx';

export function Overview() {
  const { status } = useLive();
  if (status === undefined) return <Loading what="the cohorts" />;
  return (
    <Page title="Overview">
      {status.cohorts.length === 0 && (
        <Empty title="There are no cohorts yet">
          Make one with <code>turnout cohort create</code>.
        </Empty>
      )}
      {status.cohorts.map(({ name, stage, ramp, held }) => (
        <Panel
          key={name}
          title={<a href={hashOf(['cohorts', name])}>{name}</a>}
          aside={<StageBadge stage={stage} />}
        >
          <Track stage={stage} ramp={formatRamp(ramp)} share={undefined} isHeld={held} />
        </Panel>
      ))}
    </Page>
  );
}
