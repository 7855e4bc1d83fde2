/** One cohort: where it stands, what happened to it, and what can be done with it. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ChangeDocument, CohortDocument } from '../../admin/control-documents.ts';
import type { CohortReportDocument } from '../../admin/evidence-documents.ts';
import type { TripDocument } from '../../admin/guard-documents.ts';
import type { RampRunDocument } from '../../admin/ramp-documents.ts';
import { getJson } from '../api.ts';
import { FollowedChange } from '../changes/followed-change.tsx';
import { BackendsPanel } from '../cohort/backends-panel.tsx';
import { type CohortAtEpoch, cohortPath } from '../cohort/cohort-api.ts';
import { cutAlike, historyEntries, historyMarks, type Newest } from '../cohort/history-entries.ts';
import { HistoryPanel } from '../cohort/history-panel.tsx';
import { MembersPanel } from '../cohort/members-panel.tsx';
import { PreconditionList, PreconditionSum } from '../cohort/precondition-list.tsx';
import { type Evidence, preconditions, thresholdsOf } from '../cohort/preconditions.ts';
import { RampPanel } from '../cohort/ramp-panel.tsx';
import { RollbackDialog } from '../cohort/rollback-dialog.tsx';
import { StageDialog } from '../cohort/stage-dialog.tsx';
import { Standing } from '../cohort/standing.tsx';
import { useLive } from '../live.ts';
import type { PageProps } from '../pages.tsx';
import { hashOf } from '../router.ts';
import { useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { STAGE_LOOKS } from '../ui/stage.ts';
import { Empty, Loading } from '../ui/states.tsx';
import { useLoad } from '../use-load.ts';

/** Entries of each kind in the history: at first, and when somebody wants older ones. */
const HISTORY = 50;
const OLDER_HISTORY = 500;
/** Evidence grows, and members are added, without anything that is told live. */
const RELOAD_MS = 15_000;

export function CohortPage({ rest }: PageProps) {
  const [name] = rest;
  if (name === undefined) {
    return (
      <Empty title="Which cohort?">
        <a href={hashOf([])}>The overview</a> has all of them.
      </Empty>
    );
  }
  return <NamedCohort key={name} name={name} />;
}

/** What is not told live is loaded again when the cohort moves, and now and then. */
function useCohort(name: string, historySize: number) {
  const { status, guard } = useLive();
  const now = status?.cohorts.find((each) => each.name === name);
  const open = status?.changes?.filter((each) => each.cohort === name) ?? [];
  // Not the epoch of the map: users who are placed by their requests raise it all the time.
  const moved = JSON.stringify([now, open.map(({ id, phase }) => [id, phase])]);
  const trips = guard?.cohorts.find(({ cohort }) => cohort === name)?.trip?.id ?? '';
  const query = `?cohort=${encodeURIComponent(name)}&limit=${historySize}`;
  const cohort = useLoad(() => getJson<CohortAtEpoch>(cohortPath(name)), [name]);
  const report = useLoad(() => getJson<CohortReportDocument>(`${cohortPath(name)}/report`), [name]);
  const history = useLoad(async () => {
    const [changes, tripped, ramps] = await Promise.all([
      getJson<Newest<ChangeDocument>>(`/api/v1/changes${query}`),
      getJson<Newest<TripDocument>>(`/api/v1/guard/trips${query}`),
      getJson<Newest<RampRunDocument>>(`${cohortPath(name)}/ramp?limit=1`),
    ]);
    return { ...cutAlike(changes, tripped), run: ramps.items[0] ?? null };
  }, [name, historySize]);
  useEffect(() => {
    cohort.reload();
    history.reload();
  }, [moved, trips]);
  useEffect(() => {
    const timer = setInterval(() => {
      cohort.reload();
      history.reload();
      report.reload();
    }, RELOAD_MS);
    return () => clearInterval(timer);
  }, [name]);
  return { cohort, report, history, status, guard };
}

function NamedCohort({ name }: { readonly name: string }) {
  const [historySize, setHistorySize] = useState(HISTORY);
  const { cohort: found, report, history, status, guard: guards } = useCohort(name, historySize);
  const [dialog, setDialog] = useState<'stage' | 'rollback'>();
  const [begun, setBegun] = useState<string>();
  const guard = guards?.cohorts.find(({ cohort }) => cohort === name);
  const entries = useMemo(
    () => historyEntries(history.data?.changes ?? [], history.data?.trips ?? []),
    [history.data],
  );
  const marks = useMemo(() => historyMarks(entries), [entries]);
  const cohort = found.data?.cohort;
  if (cohort === undefined) {
    return (
      <Page title={name} above={<a href={hashOf([])}>Overview</a>}>
        {found.problem === undefined ? (
          <Loading what="the cohort" />
        ) : (
          <ProblemNote problem={found.problem} onRetry={found.reload}>
            <a href={hashOf([])}>All cohorts</a>
          </ProblemNote>
        )}
      </Page>
    );
  }
  const run = guard?.ramp ?? history.data?.run ?? null;
  const plans = guards?.plans ?? {};
  const evidence: Evidence = {
    cohort,
    report: report.data,
    guard,
    gateways: status?.registry ?? undefined,
  };
  const thresholds = thresholdsOf(plans, run);
  // One that is under way takes the place of one that was followed to its end: the guard may have begun it.
  const shown = cohort.change ?? begun;
  const follow = (change: string): void => setBegun(change);
  const checks = preconditions(evidence, thresholds, true);
  return (
    <Page
      title={name}
      above={<a href={hashOf([])}>Overview</a>}
      actions={<Actions cohort={cohort} onOpen={setDialog} />}
    >
      <Standing cohort={cohort} goal={status?.changes?.find(({ id }) => id === shown)} />
      {shown !== undefined && (
        <FollowedChange
          key={shown}
          id={shown}
          onOver={() => {
            setBegun(shown);
            found.reload();
            history.reload();
          }}
          onDismiss={() => setBegun(undefined)}
        />
      )}
      <BackendsPanel guard={guard} marks={marks} />
      <Panel title="Ready for more users in new?" aside={<PreconditionSum items={checks} />}>
        {report.problem !== undefined && <ProblemNote problem={report.problem} onRetry={report.reload} />}
        <PreconditionList items={checks} />
      </Panel>
      <RampPanel cohort={name} run={run} guard={guard} plans={plans} onChanged={history.reload} />
      {history.problem !== undefined && <ProblemNote problem={history.problem} onRetry={history.reload} />}
      {(history.data !== undefined || history.problem === undefined) && (
        <HistoryPanel
          cohort={name}
          entries={history.data === undefined ? undefined : entries}
          isCut={history.data?.isCut === true}
          onOlder={historySize === HISTORY ? () => setHistorySize(OLDER_HISTORY) : undefined}
        />
      )}
      <MembersPanel cohort={cohort} />
      {dialog === 'stage' && (
        <StageDialog
          cohort={cohort}
          evidence={evidence}
          thresholds={thresholds}
          onBegun={follow}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog === 'rollback' && (
        <RollbackDialog cohort={cohort} onBegun={follow} onClose={() => setDialog(undefined)} />
      )}
    </Page>
  );
}

interface ActionsProps {
  readonly cohort: CohortDocument;
  readonly onOpen: (dialog: 'stage' | 'rollback') => void;
}

function Actions({ cohort, onOpen }: ActionsProps) {
  const { mayAct } = useSession();
  if (!mayAct()) return null;
  const isAtLegacy = STAGE_LOOKS[cohort.stage].truth === 'legacy';
  return (
    <>
      <Button look="primary" onClick={() => onOpen('stage')}>
        Change stage or ramp …
      </Button>
      <Button
        look="danger"
        onClick={() => onOpen('rollback')}
        isDisabled={isAtLegacy}
        title={isAtLegacy ? 'Its users are with legacy already.' : undefined}
      >
        Roll back …
      </Button>
    </>
  );
}
