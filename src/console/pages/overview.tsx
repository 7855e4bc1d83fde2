/** Where every cohort stands: the page that people look at every day. */
import { useMemo, useState } from 'preact/hooks';
import type { ChangeDocument } from '../../admin/control-documents.ts';
import type { CohortGuardDocument, GuardDocument } from '../../admin/guard-documents.ts';
import type { FullStatusDocument } from '../../admin/status-document.ts';
import { changeOfWhom } from '../../wording/change-in-words.ts';
import { ChangeProgress } from '../changes/change-progress.tsx';
import { useChange } from '../changes/use-change.ts';
import { useLive } from '../live.ts';
import { hashOf } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { Time } from '../ui/figures.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { Select } from '../ui/select.tsx';
import { Empty, Loading } from '../ui/states.tsx';
import { CohortPanel } from './cohort-panel.tsx';

const RANGES = [
  { value: '120', label: 'last 2 minutes' },
  { value: '300', label: 'last 5 minutes' },
  { value: '900', label: 'last 15 minutes' },
] as const;
type Range = (typeof RANGES)[number]['value'];

/** With more cohorts than these, charts wait until they are asked for. */
const CHARTED_MAX = 6;

export function Overview() {
  const { status, guard, clockLead, knownFrom } = useLive();
  const [range, setRange] = useState<Range>('300');
  const guards = useMemo(() => new Map(guard?.cohorts.map((each) => [each.cohort, each])), [guard]);
  if (status === undefined) return <Loading what="the cohorts" />;
  // A second may still grow while it is the newest.
  const until = Math.floor(Date.now() / 1_000 + (clockLead ?? 0)) - 1;
  const { cohorts } = status;
  return (
    <Page
      title="Overview"
      actions={<Select label="Charts show the" value={range} options={RANGES} onChange={setRange} />}
    >
      <Attention status={status} guard={guard} />
      {cohorts.length === 0 && (
        <Empty title="There are no cohorts">
          <p>
            Write them under <code>cohorts</code> in the configuration, or make one:{' '}
            <code>turnout cohort create</code>.
          </p>
        </Empty>
      )}
      {cohorts.map((cohort) => (
        <CohortPanel
          key={cohort.name}
          cohort={cohort}
          guard={guards.get(cohort.name)}
          goal={status.changes?.find((change) => change.cohort === cohort.name)?.to?.stage}
          range={{ until, seconds: Number(range), step: range === '900' ? 10 : 2, knownFrom }}
          isOpen={cohorts.length <= CHARTED_MAX}
        />
      ))}
    </Page>
  );
}

/** What somebody should look at now: changes on their way, trips, stores and gateways that do not answer. */
function Attention({
  status,
  guard,
}: {
  readonly status: FullStatusDocument;
  readonly guard: GuardDocument | undefined;
}) {
  const { changes, registry, stores } = status;
  const tripped = guard?.cohorts.filter(({ phase }) => phase === 'tripped') ?? [];
  const away = registry?.filter(({ state }) => state !== 'live') ?? [];
  const state = stores.state;
  return (
    <>
      {tripped.map((cohort) => (
        <Tripped key={cohort.cohort} guard={cohort} />
      ))}
      {state !== null && state.attachment !== 'attached' && (
        <div class="note note-problem" role="alert">
          <p class="note-title">The gateway is {state.attachment} from the state map</p>
          <p>It serves what it knew last. {state.problem ?? ''}</p>
        </div>
      )}
      {changes === null && (
        <div class="note note-warn">
          <p class="note-title">The record does not answer</p>
          <p>Users are served as before; nothing can be changed until it answers.</p>
        </div>
      )}
      {away.length > 0 && (
        <div class="note note-warn">
          <p class="note-title">
            {away.length === 1 ? 'A gateway is' : `${away.length} gateways are`} silent: changes wait for{' '}
            {away.map(({ where }) => where).join(', ')}
          </p>
          <a href={hashOf(['gateways'])}>Look at the gateways</a>
        </div>
      )}
      {changes !== null && changes.length > 0 && (
        <Panel title="On its way" aside={changes.length > 1 ? `${changes.length} changes` : undefined}>
          <div class="stack">
            {changes.map((change) => (
              <OnItsWay key={change.id} change={change} />
            ))}
          </div>
        </Panel>
      )}
    </>
  );
}

function OnItsWay({ change }: { readonly change: ChangeDocument }) {
  // When it is over the live view takes it away.
  const followed = useChange(change.id, () => {});
  return (
    <section class="stack">
      <h3>
        <a href={hashOf(['audit', change.id])}>{changeOfWhom(change)}</a>
      </h3>
      <ChangeProgress {...followed} />
    </section>
  );
}

function Tripped({ guard: { cohort, trip } }: { readonly guard: CohortGuardDocument }) {
  return (
    <div class="note note-problem" role="alert">
      <p class="note-title">
        <Badge tone="bad">guard tripped</Badge> <a href={hashOf(['cohorts', cohort])}>{cohort}</a>
        {trip !== null && (
          <>
            {' '}
            at <Time at={trip.trippedAt} />
          </>
        )}
      </p>
      {trip?.sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <p class="note-fine">It goes nowhere until somebody clears it.</p>
    </div>
  );
}
