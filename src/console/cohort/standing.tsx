import type { ChangeDocument, CohortDocument } from '../../admin/control-documents.ts';
import { formatRamp } from '../format.ts';
import { rampShare } from '../ramp-share.ts';
import { Badge } from '../ui/badge.tsx';
import { Panel } from '../ui/page.tsx';
import { STAGE_LOOKS } from '../ui/stage.ts';
import { StageBadge } from '../ui/stage-badge.tsx';
import { Track } from '../ui/track.tsx';

export interface StandingProps {
  readonly cohort: CohortDocument;
  /** The change that is under way. */
  readonly goal: ChangeDocument | undefined;
}

/** Where a cohort stands, and who belongs to it. */
export function Standing({ cohort, goal }: StandingProps) {
  const { stage, ramp, held, rule, default: isDefault, migration, mirror } = cohort;
  const who = isDefault
    ? 'everybody whom no other cohort takes'
    : rule === null
      ? 'users who were added by hand'
      : 'users whom its rule matches, and those who were added';
  return (
    <Panel
      title="Where it stands"
      aside={
        <>
          {held && <Badge tone="warn">writes wait</Badge>}
          <StageBadge stage={stage} />
          <span>{formatRamp(ramp)}</span>
        </>
      }
    >
      <div class="stack">
        <Track
          stage={stage}
          ramp={formatRamp(ramp)}
          share={rampShare(formatRamp(ramp).replaceAll(',', ''))}
          isHeld={held}
          goal={goal?.to?.stage}
        />
        <p class="unit">{STAGE_LOOKS[stage].meaning} Those outside the ramp have the stage before it.</p>
        <dl class="facts">
          <dt>Users</dt>
          <dd>{who}</dd>
          {rule !== null && (
            <>
              <dt>Rule</dt>
              <dd>
                <code>{JSON.stringify(rule)}</code>
              </dd>
            </>
          )}
          <dt>Migration</dt>
          <dd>{migration === 'per-user' ? 'each user when its own data was moved' : 'all at once'}</dd>
          <dt>Mirrored writes</dt>
          <dd>{mirror ? 'where a route asks for it' : 'none'}</dd>
        </dl>
      </div>
    </Panel>
  );
}
