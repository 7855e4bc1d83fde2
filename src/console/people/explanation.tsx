/** Where a request goes, and the whole chain of reasons. */
import type { ExplanationDocument } from '../../admin/admin-source.ts';
import { hashOf } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { Count } from '../ui/figures.tsx';
import { Panel } from '../ui/page.tsx';
import { StageBadge } from '../ui/stage-badge.tsx';

export interface ExplanationProps {
  readonly explanation: ExplanationDocument;
  /** Link to the user's page: not on that page itself. */
  readonly linksUser?: boolean;
}

export function Explanation({ explanation, linksUser = false }: ExplanationProps) {
  const { method, path, route, class: kind, user, identity, decision, sentences, epoch } = explanation;
  const { target, shadow, mirror, held, ownerUnknown, cohort, stage } = decision;
  return (
    <Panel
      title={
        <>
          <code>
            {method} {path}
          </code>{' '}
          goes to <span class={`text-${target}`}>{target}</span>
        </>
      }
      aside={
        <span>
          at epoch <Count value={epoch} />
        </span>
      }
    >
      <div class="stack">
        {ownerUnknown && (
          <p class="note note-warn">
            Nobody knows who owns this user's data: writes wait, reads are refused meanwhile.
          </p>
        )}
        <ol class="reasons" aria-label="Reasons, in the order in which they were reached">
          {[...identity, ...sentences].map((sentence, place) => (
            <li key={`${place}${sentence}`}>{sentence}</li>
          ))}
        </ol>
        <dl class="facts">
          <dt>Route</dt>
          <dd>
            {route} <span class="unit">as a {kind}</span>
          </dd>
          <dt>User</dt>
          <dd>{user === null ? 'none' : linksUser ? <a href={hashOf(['users', user])}>{user}</a> : user}</dd>
          <dt>Cohort</dt>
          <dd>{cohort === undefined ? 'none' : <a href={hashOf(['cohorts', cohort])}>{cohort}</a>}</dd>
          <dt>Stage in effect</dt>
          <dd>{stage === undefined ? 'none' : <StageBadge stage={stage} />}</dd>
          <dt>Compared with</dt>
          <dd>{shadow ?? 'nothing'}</dd>
          <dt>Mirrored to</dt>
          <dd>{mirror ?? 'nothing'}</dd>
          <dt>Held</dt>
          <dd>{held ? <Badge tone="warn">its writes wait for a change</Badge> : 'no'}</dd>
        </dl>
      </div>
    </Panel>
  );
}
