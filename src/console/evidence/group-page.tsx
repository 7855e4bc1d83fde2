/** One group of differences: what it is, pairs of answers, the rule that would silence it, and what was done with it. */
import type { GroupInFullDocument } from '../../admin/report-documents.ts';
import type { RouteRulesDocument } from '../../admin/rules-routes.ts';
import { getJson } from '../api.ts';
import { go, hashOf, useRoute } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { DataTable } from '../ui/data-table.tsx';
import { Share, Time } from '../ui/figures.tsx';
import { KeyHint } from '../ui/key-hint.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Loading } from '../ui/states.tsx';
import { useLoad } from '../use-load.ts';
import { plainText } from './bounded-text.ts';
import { GroupActions } from './group-actions.tsx';
import { judgementMeans, readsInWords, statusTone, usersInWords, watchInWords } from './group-words.ts';
import { RouteFields } from './route-fields.tsx';
import { RulePanel } from './rule-panel.tsx';
import { SamplesPanel } from './samples-panel.tsx';
import { ShownText } from './shown-text.tsx';
import { useKeys } from './use-keys.ts';

const TITLE_CHARACTERS = 80;

export function GroupPage({ id }: { readonly id: string }) {
  const { query } = useRoute();
  const back = hashOf(['mismatches'], query);
  const { data, problem, reload } = useLoad(
    () => getJson<GroupInFullDocument>(`/api/v1/mismatches/${encodeURIComponent(id)}`),
    [id],
  );
  const route = data?.group.route;
  const rules = useLoad(
    async () =>
      route === undefined
        ? undefined
        : await getJson<RouteRulesDocument>(`/api/v1/routes/${encodeURIComponent(route)}/rules`),
    [route],
  );
  useKeys({ u: () => go(back) });
  const above = (
    <>
      <a href={back}>All mismatches</a> <KeyHint keys={['u']} does="back" />
    </>
  );
  if (data === undefined) {
    return (
      <Page title="Mismatch" above={above}>
        {problem === undefined ? (
          <Loading what="the group" />
        ) : (
          <ProblemNote problem={problem} onRetry={reload} />
        )}
      </Page>
    );
  }
  const { group, samples, events } = data;
  return (
    <Page
      title={plainText(group.where, TITLE_CHARACTERS)}
      above={above}
      actions={<GroupActions group={group} onDone={reload} />}
    >
      {problem !== undefined && <ProblemNote problem={problem} onRetry={reload} />}
      <div class="columns">
        <Panel title="What differs" aside={<StatusBadges data={data} />}>
          <Facts data={data} />
        </Panel>
        <RouteFields group={group} />
      </div>
      <SamplesPanel group={group} samples={samples} rules={rules.data?.rules} />
      <RulePanel
        group={group}
        samples={samples}
        rules={rules.data}
        problem={rules.problem}
        onSaved={() => {
          rules.reload();
          reload();
        }}
      />
      {events.length > 0 && <Events events={events} />}
    </Page>
  );
}

function StatusBadges({ data: { group } }: { readonly data: GroupInFullDocument }) {
  const { status, judgement } = group;
  return (
    <>
      <Badge tone={statusTone(status)}>{status}</Badge>
      <Badge tone={judgement.kind === 'reported' ? 'info' : 'calm'} title={judgementMeans(judgement.kind)}>
        {judgement.kind}
      </Badge>
    </>
  );
}

function Facts({ data: { group, watch } }: { readonly data: GroupInFullDocument }) {
  const { share, noise, judgement } = group;
  return (
    <dl class="facts">
      <dt>Place</dt>
      <dd class="monospaced">
        <ShownText text={group.where} />
      </dd>
      <dt>Kind</dt>
      <dd>
        {group.kind} · <ShownText text={group.types} /> · weight {group.weight} of 100
      </dd>
      <dt>Route</dt>
      <dd>
        <ShownText text={group.route} />
      </dd>
      <dt>Judged</dt>
      <dd>
        {judgement.kind}: {judgement.because.replaceAll('_', ' ')}
      </dd>
      <dt>Share</dt>
      <dd>
        <Share value={share.total === 0 ? null : share.share} interval={[share.low, share.high]} /> ·{' '}
        {readsInWords(share)}
      </dd>
      <dt>Noise</dt>
      <dd>
        {noise.total === 0 ? (
          'no reads were repeated to tell'
        ) : (
          <>
            <Share value={noise.share} interval={[noise.low, noise.high]} /> · {readsInWords(noise)}
          </>
        )}
      </dd>
      <dt>Of these</dt>
      <dd>
        {group.confirmed} confirmed, {group.transient} transient, {group.flapping} flapping,{' '}
        {group.unconfirmed} unconfirmed
      </dd>
      <dt>Users</dt>
      <dd>{usersInWords(group.users)}</dd>
      <dt>Cohorts</dt>
      <dd>
        {group.cohorts.map(({ cohort, reads }, at) => (
          <span key={cohort}>
            {at > 0 && ', '}
            {cohort === '' ? 'none' : <a href={hashOf(['cohorts', cohort])}>{plainText(cohort, 60)}</a>}{' '}
            {reads}
          </span>
        ))}
      </dd>
      <dt>Seen</dt>
      <dd>
        <Time at={group.firstSeen} /> to <Time at={group.lastSeen} />, last confirmed{' '}
        {group.lastConfirmed === null ? 'never' : <Time at={group.lastConfirmed} />}
      </dd>
      <dt>Status</dt>
      <dd>
        {group.status} since <Time at={group.statusSince} />
        {group.ignoredUntil !== null && (
          <>
            , until <Time at={group.ignoredUntil} />
          </>
        )}
        {group.reopenedAt !== null && (
          <>
            , came back {group.reopened} times, last <Time at={group.reopenedAt} />
          </>
        )}
      </dd>
      <dt>Owner</dt>
      <dd>{group.owner === null ? 'nobody' : <ShownText text={group.owner} />}</dd>
      {group.note !== null && (
        <>
          <dt>Note</dt>
          <dd>
            <ShownText text={group.note} />
          </dd>
        </>
      )}
      {watch !== null && (
        <>
          <dt>Watch</dt>
          <dd>
            {watchInWords(watch)} Since <Time at={watch.armedAt} />, by <ShownText text={watch.actor} />.
          </dd>
        </>
      )}
    </dl>
  );
}

function Events({ events }: Pick<GroupInFullDocument, 'events'>) {
  const rows = events.map((event, at) => ({ ...event, key: String(at) }));
  return (
    <Panel title="What was done with it">
      <DataTable
        caption="What was done with this group, newest first"
        rows={rows}
        rowKey={({ key }) => key}
        columns={[
          { key: 'at', title: 'When', render: ({ at }) => <Time at={at} /> },
          { key: 'actor', title: 'Who', render: ({ actor }) => <ShownText text={actor} /> },
          { key: 'action', title: 'Did', render: ({ action }) => action },
          { key: 'to', title: 'Status', render: ({ from, to }) => (from === to ? to : `${from} → ${to}`) },
          { key: 'detail', title: 'Detail', render: ({ detail }) => <ShownText text={detail ?? ''} /> },
        ]}
      />
    </Panel>
  );
}
