import { hashOf } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { DataTable } from '../ui/data-table.tsx';
import { Time } from '../ui/figures.tsx';
import { Panel } from '../ui/page.tsx';
import { Empty, Loading } from '../ui/states.tsx';
import type { HistoryEntry } from './history-entries.ts';

export interface HistoryPanelProps {
  readonly cohort: string;
  /** `undefined` while they are not known. */
  readonly entries: readonly HistoryEntry[] | undefined;
  /** There are older ones. */
  readonly isCut: boolean;
  /** Shows older ones; `undefined` when that was done: the audit has the rest. */
  readonly onOlder: (() => void) | undefined;
}

/** Every change and every trip, the newest first. */
export function HistoryPanel({ cohort, entries, isCut, onOlder }: HistoryPanelProps) {
  return (
    <Panel
      title="Changes and trips"
      aside={entries !== undefined && isCut && <span>the newest {entries.length}</span>}
    >
      <div class="stack">
        {entries === undefined ? <Loading what="what happened" /> : <Entries entries={entries} />}
        {isCut && (
          <div class="row">
            {onOlder !== undefined && <Button onClick={onOlder}>Older changes and trips</Button>}
            <a href={hashOf(['audit'], { cohort })}>All changes are in the audit</a>
          </div>
        )}
      </div>
    </Panel>
  );
}

function Entries({ entries }: { readonly entries: readonly HistoryEntry[] }) {
  if (entries.length === 0) {
    return (
      <Empty title="Nothing has happened to this cohort yet">
        Changes of its stage, ramp, rule and members stand here, and whatever the guard does.
      </Empty>
    );
  }
  return (
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
