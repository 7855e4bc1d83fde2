/** The fields of a route that differ, as a tree: where this group is among the others. */
import type { GroupDocument } from '../../admin/report-documents.ts';
import { getJson } from '../api.ts';
import { counted, formatShare } from '../format.ts';
import { hashOf, useRoute } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { Panel } from '../ui/page.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Loading } from '../ui/states.tsx';
import { useLoad } from '../use-load.ts';
import { type FieldNode, fieldTree } from './field-tree.ts';
import type { GroupsDocument } from './group-list.tsx';
import { JUDGEMENTS, listPath, STATUSES } from './group-query.ts';
import { statusTone } from './group-words.ts';
import { ShownText } from './shown-text.tsx';

const GROUPS_MAX = 200;

export function RouteFields({ group }: { readonly group: GroupDocument }) {
  const path = listPath(
    { statuses: STATUSES, judgements: JUDGEMENTS, route: group.route, cohort: undefined, sort: 'importance' },
    GROUPS_MAX,
  );
  const { data, problem, reload } = useLoad(() => getJson<GroupsDocument>(path), [path]);
  const groups = data?.items ?? [];
  const tree = fieldTree(groups, ({ where }) => where);
  return (
    <Panel title="Fields of this route" aside={data === undefined ? undefined : counted(data.total, 'group')}>
      {problem !== undefined && <ProblemNote problem={problem} onRetry={reload} />}
      {data === undefined && problem === undefined && <Loading what="the other groups of the route" />}
      <div class="field-tree">
        <Nodes nodes={tree} current={group.id} />
      </div>
      {data !== undefined && data.next !== null && (
        <p class="unit">The {counted(GROUPS_MAX, 'group')} that matter most are shown.</p>
      )}
    </Panel>
  );
}

interface NodesProps {
  readonly nodes: readonly FieldNode<GroupDocument>[];
  readonly current: string;
}

function Nodes({ nodes, current }: NodesProps) {
  return (
    <ul>
      {nodes.map(({ label, where, found, children, total }) => (
        <li key={where}>
          <span class="monospaced">
            <ShownText text={label.replace(/^\./u, '')} charactersMax={100} />
          </span>
          {found.length === 0 && <span class="unit"> {counted(total, 'group')}</span>}
          {found.map((group) => (
            <Finding key={group.id} group={group} isCurrent={group.id === current} />
          ))}
          {children.length > 0 && <Nodes nodes={children} current={current} />}
        </li>
      ))}
    </ul>
  );
}

interface FindingProps {
  readonly group: GroupDocument;
  readonly isCurrent: boolean;
}

function Finding({ group, isCurrent }: FindingProps) {
  const { query } = useRoute();
  const { id, kind, types, share, status, judgement } = group;
  const words = (
    <>
      {kind} <ShownText text={types} charactersMax={40} /> {share.total === 0 ? '' : formatShare(share.share)}
    </>
  );
  return (
    <span class={isCurrent ? 'finding finding-here' : 'finding'}>
      {isCurrent ? (
        <strong aria-current="true">{words}</strong>
      ) : (
        <a href={hashOf(['mismatches', id], query)}>{words}</a>
      )}
      {judgement.kind === 'reported' || judgement.kind === 'unproven' ? (
        <Badge tone={statusTone(status)}>{status}</Badge>
      ) : (
        <Badge tone="calm">{judgement.kind}</Badge>
      )}
    </span>
  );
}
