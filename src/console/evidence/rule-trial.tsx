/** What rules on trial would do: to this group, to others, and what would appear. */
import type { GroupDocument } from '../../admin/report-documents.ts';
import type { TrialDocument } from '../../admin/rules-routes.ts';
import { counted } from '../format.ts';
import { hashOf, useRoute } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { trialTone } from './group-words.ts';
import { ShownText } from './shown-text.tsx';

type TriedGroup = TrialDocument['groups'][number];

export interface RuleTrialProps {
  readonly trial: TrialDocument;
  readonly group: GroupDocument;
}

export function RuleTrial({ trial, group }: RuleTrialProps) {
  const { query } = useRoute();
  const own = trial.groups.find(({ id }) => id === group.id);
  const others = trial.groups.filter(({ id, verdict }) => id !== group.id && verdict !== 'stays');
  const silenced = others.filter(({ verdict }) => verdict === 'gone' || verdict === 'partly');
  const untold = others.length - silenced.length;
  const stay = trial.groups.filter(({ id, verdict }) => id !== group.id && verdict === 'stays').length;
  return (
    <div class="stack" role="status">
      <p>
        Tried on {counted(trial.samples, 'stored sample')} of the route. This group:{' '}
        <Badge tone={trialTone(own?.verdict ?? 'unknown')}>{ownInWords(own)}</Badge>
      </p>
      {silenced.length === 0 ? (
        <p>It silences nothing else.</p>
      ) : (
        <>
          <h3>It would silence {counted(silenced.length, 'other group')} as well</h3>
          <DataTable
            caption="Other groups that the rules would silence"
            rows={silenced}
            rowKey={({ id }) => id}
            columns={columnsFor(query)}
          />
        </>
      )}
      <p class="unit">
        {counted(stay, 'other group')} would stay
        {untold > 0 && `; of ${counted(untold, 'group')} the stored samples cannot tell`}.
      </p>
      {trial.appear.length > 0 && (
        <>
          <h3>Would appear: the rules in force cover it, these do not</h3>
          <ul>
            {trial.appear.map(({ where, kind, samples }) => (
              <li key={`${kind} ${where}`}>
                <code>
                  <ShownText text={where} charactersMax={160} />
                </code>{' '}
                {kind}, in {counted(samples, 'sample')}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function ownInWords(own: TriedGroup | undefined): string {
  switch (own?.verdict) {
    case 'gone':
      return `vanishes from ${counted(own.gone, 'sample')}`;
    case 'partly':
      return `vanishes from ${own.gone} of ${counted(own.gone + own.stays + own.unknown, 'sample')}`;
    case 'stays':
      return 'stays';
    default:
      return 'cannot be told: what differs was hidden or left out when it was stored';
  }
}

function columnsFor(query: URLSearchParams): readonly Column<TriedGroup>[] {
  return [
    {
      key: 'where',
      title: 'Place',
      render: ({ id, where }) => (
        <a class="monospaced" href={hashOf(['mismatches', id], query)}>
          <ShownText text={where} charactersMax={160} />
        </a>
      ),
    },
    { key: 'kind', title: 'Kind', render: ({ kind }) => kind },
    { key: 'status', title: 'Status', render: ({ status }) => status },
    {
      key: 'verdict',
      title: 'Would',
      render: ({ verdict, gone, stays, unknown }) => (
        <Badge tone="warn">
          {verdict === 'gone'
            ? 'vanish'
            : `vanish from ${gone} of ${counted(gone + stays + unknown, 'sample')}`}
        </Badge>
      ),
    },
  ];
}
