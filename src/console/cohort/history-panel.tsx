import { Badge } from '../ui/badge.tsx';
import { DataTable } from '../ui/data-table.tsx';
import { Time } from '../ui/figures.tsx';
import { Panel } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';
import type { HistoryEntry } from './history-entries.ts';

/** Every change and every trip, the newest first. */
export function HistoryPanel({ entries }: { readonly entries: readonly HistoryEntry[] }) {
  return (
    <Panel title="Changes and trips" aside={<span>the newest {entries.length}</span>}>
      {entries.length === 0 ? (
        <Empty title="Nothing has happened to this cohort yet">
          Changes of its stage, ramp, rule and members stand here, and whatever the guard does.
        </Empty>
      ) : (
        <DataTable
          caption="Changes and trips of the cohort, the newest first"
          rows={entries}
          rowKey={({ key }) => key}
          columns={[
            { key: 'number', title: 'No', render: ({ number }) => number },
            { key: 'at', title: 'When', render: ({ at }) => <Time at={at} /> },
            { key: 'what', title: 'What', render: (entry) => <What entry={entry} /> },
            {
              key: 'state',
              title: 'State',
              render: ({ state, tone }) => <Badge tone={tone}>{state}</Badge>,
            },
            { key: 'actor', title: 'Who', render: ({ actor }) => actor },
            { key: 'reason', title: 'Why', render: ({ reason }) => reason },
          ]}
        />
      )}
    </Panel>
  );
}

function What({ entry: { title, details } }: { readonly entry: HistoryEntry }) {
  if (details.length === 0) return <span>{title}</span>;
  return (
    <details>
      <summary>{title}</summary>
      {details.map((sentence) => (
        <p key={sentence} class="unit">
          {sentence}
        </p>
      ))}
    </details>
  );
}
