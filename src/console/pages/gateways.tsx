/** Gateways and stores: who serves, at which epoch, and whether the stores answer. */
import { useState } from 'preact/hooks';
import type { GatewayStatus } from '../../admin/admin-source.ts';
import type { GatewayDocument } from '../../admin/control-documents.ts';
import type { FullStatusDocument } from '../../admin/status-document.ts';
import { sendJson } from '../api.ts';
import { formatCount, formatShare } from '../format.ts';
import { useLive } from '../live.ts';
import { useSession } from '../session.tsx';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { Count, Duration } from '../ui/figures.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { ReasonForm } from '../ui/reason-form.tsx';
import { Empty, Loading } from '../ui/states.tsx';

export function Gateways() {
  const { status } = useLive();
  const { mayAct } = useSession();
  const [isRebuilding, setRebuilding] = useState(false);
  const [evicted, setEvicted] = useState<GatewayDocument>();
  if (status === undefined) return <Loading what="the gateways" />;
  return (
    <Page
      title="Gateways and stores"
      actions={mayAct('admin') && <Button onClick={() => setRebuilding(true)}>Rebuild the state map</Button>}
    >
      <Registry status={status} onEvict={mayAct() ? setEvicted : undefined} />
      <div class="columns">
        <Stores status={status} />
        <Installation status={status} />
      </div>
      <Panel title="Workers of this listener">
        <DataTable
          caption="Workers"
          columns={WORKERS}
          rows={status.gateways}
          rowKey={({ worker }) => worker}
        />
      </Panel>
      {isRebuilding && <Rebuild onClose={() => setRebuilding(false)} />}
      {evicted !== undefined && <Evict gateway={evicted} onClose={() => setEvicted(undefined)} />}
    </Page>
  );
}

const TONES: Readonly<Record<GatewayDocument['state'], Tone>> = {
  live: 'good',
  silent: 'warn',
  fenced: 'bad',
};

interface RegistryProps {
  readonly status: FullStatusDocument;
  readonly onEvict: ((gateway: GatewayDocument) => void) | undefined;
}

/** All gateways, of whatever machine, that a change has to wait for. */
function Registry({ status: { registry, truthDigest, stores }, onEvict }: RegistryProps) {
  const epoch = stores.state?.epoch;
  const lag = (applied: number | null): string =>
    applied === null || epoch === undefined || applied >= epoch ? '' : ` (${epoch - applied} behind)`;
  const columns: readonly Column<GatewayDocument>[] = [
    { key: 'where', title: 'Gateway', render: ({ where, id }) => <span title={id}>{where}</span> },
    {
      key: 'state',
      title: 'State',
      render: ({ state, silentMs }) => (
        <>
          <Badge tone={TONES[state]}>{state}</Badge>
          {state !== 'live' && (
            <>
              {' '}
              for <Duration ms={silentMs} />
            </>
          )}
        </>
      ),
    },
    {
      key: 'applied',
      title: 'Applied epoch',
      align: 'end',
      render: ({ applied }) => (
        <>
          <Count value={applied} />
          {lag(applied)}
        </>
      ),
    },
    {
      key: 'drained',
      title: 'Drained epoch',
      align: 'end',
      render: ({ drained }) => <Count value={drained} />,
    },
    {
      key: 'digest',
      title: 'Configuration',
      render: ({ digest }) => <Digest digest={digest} own={truthDigest} />,
    },
    ...(onEvict === undefined
      ? []
      : [
          {
            key: 'act',
            title: 'Action',
            render: (gateway: GatewayDocument) =>
              gateway.state === 'live' ? (
                <span class="unit">–</span>
              ) : (
                <Button look="danger" label={`Evict ${gateway.where}`} onClick={() => onEvict(gateway)}>
                  Evict
                </Button>
              ),
          },
        ]),
  ];
  return (
    <Panel
      title="Gateways"
      aside={
        epoch !== undefined && (
          <span>
            map at epoch <Count value={epoch} />
          </span>
        )
      }
    >
      {registry === null ? (
        <Empty title="The stores do not say which gateways there are">
          Nothing can be changed meanwhile; users are served as before. <code>turnout doctor</code> looks at
          the stores.
        </Empty>
      ) : registry.length === 0 ? (
        <Empty title="No gateway is registered">One registers when it starts and reaches the stores.</Empty>
      ) : (
        <DataTable caption="Gateways" columns={columns} rows={registry} rowKey={({ id }) => id} />
      )}
    </Panel>
  );
}

function Digest({ digest, own }: { readonly digest: string | null; readonly own: string }) {
  if (digest === null) return <span class="unit">not known</span>;
  if (digest === own) return <Badge tone="good">as here</Badge>;
  return (
    <Badge tone="bad" title={`${digest} there, ${own} here: no truth moves while they differ.`}>
      differs
    </Badge>
  );
}

function Stores({ status: { stores } }: { readonly status: FullStatusDocument }) {
  const { state, record } = stores;
  if (state === null) {
    return (
      <Panel title="Stores">
        <Empty title="No worker answers">It is asked again every second.</Empty>
      </Panel>
    );
  }
  const asked = state.cacheHits + state.cacheMisses;
  const isAttached = state.attachment === 'attached';
  return (
    <Panel title="Stores">
      <dl class="facts">
        <dt>State map</dt>
        <dd>
          {state.kind} <Badge tone={isAttached ? 'good' : 'bad'}>{state.attachment}</Badge>
          {!isAttached && (
            <>
              {' '}
              for <Duration ms={state.detachedMs} />
            </>
          )}
        </dd>
        {state.problem !== null && (
          <>
            <dt>Problem</dt>
            <dd>{state.problem}</dd>
          </>
        )}
        <dt>Epoch</dt>
        <dd>
          <Count value={state.epoch} />
        </dd>
        <dt>Map</dt>
        <dd>
          <code>{state.mapId}</code>
        </dd>
        <dt>Users cached</dt>
        <dd>
          <Count value={state.cachedUsers} />
        </dd>
        <dt>Found in the cache</dt>
        <dd>
          {asked === 0
            ? 'nobody asked yet'
            : `${formatShare(state.cacheHits / asked)} of ${formatCount(asked)}`}
        </dd>
        <dt>Record</dt>
        <dd>{record.kind}</dd>
      </dl>
    </Panel>
  );
}

function Installation({ status }: { readonly status: FullStatusDocument }) {
  const { version, config, listen, truthDigest, uptimeMs } = status;
  return (
    <Panel title="This gateway">
      <dl class="facts">
        <dt>Version</dt>
        <dd>{version}</dd>
        <dt>Up for</dt>
        <dd>
          <Duration ms={uptimeMs} />
        </dd>
        <dt>Listens on</dt>
        <dd>
          <code>
            {listen.host}:{listen.port}
          </code>
        </dd>
        <dt>Configuration</dt>
        <dd>
          <code>{config.file}</code>
        </dd>
        <dt>Its digest</dt>
        <dd>
          <code>{truthDigest}</code>
        </dd>
      </dl>
    </Panel>
  );
}

const WORKERS: readonly Column<GatewayStatus>[] = [
  { key: 'worker', title: 'Worker', render: ({ worker, pid }) => `${worker} (process ${pid})` },
  {
    key: 'state',
    title: 'State',
    render: ({ state }) => <Badge tone={state === 'ready' ? 'good' : 'warn'}>{state}</Badge>,
  },
  {
    key: 'attachment',
    title: 'State map',
    render: ({ attachment }) => (
      <Badge tone={attachment === 'attached' ? 'good' : attachment === null ? 'calm' : 'bad'}>
        {attachment ?? 'not known'}
      </Badge>
    ),
  },
  { key: 'epoch', title: 'Epoch', align: 'end', render: ({ epoch }) => <Count value={epoch} /> },
  { key: 'flight', title: 'In flight', align: 'end', render: ({ inFlight }) => <Count value={inFlight} /> },
  { key: 'uptime', title: 'Up for', align: 'end', render: ({ uptimeMs }) => <Duration ms={uptimeMs} /> },
];

function Evict({ gateway, onClose }: { readonly gateway: GatewayDocument; readonly onClose: () => void }) {
  const [isGone, setGone] = useState(false);
  const evict = async (reason: string): Promise<void> => {
    await sendJson('DELETE', `/api/v1/gateways/${encodeURIComponent(gateway.id)}`, {
      risk: 'accepted',
      reason,
    });
  };
  return (
    <ReasonForm
      title={`Evict ${gateway.where}`}
      action="Evict"
      look="danger"
      onSubmit={evict}
      onClose={onClose}
      isDisabled={!isGone}
    >
      <p>
        Nobody waits for this gateway any more. Should its process still run, it may send writes to a backend
        that has lost their users.
      </p>
      <label class="row">
        <input
          type="checkbox"
          checked={isGone}
          onChange={({ currentTarget }) => setGone(currentTarget.checked)}
        />
        Its process is gone for certain
      </label>
    </ReasonForm>
  );
}

function Rebuild({ onClose }: { readonly onClose: () => void }) {
  return (
    <ReasonForm
      title="Rebuild the state map"
      action="Rebuild"
      look="danger"
      onSubmit={async (reason) => {
        await sendJson('POST', '/api/v1/rebuild', { reason });
      }}
      onClose={onClose}
    >
      <p>
        The map is made anew from the record, for one that is damaged. A lost one is rebuilt by itself.
        Gateways are detached until the new one is there: 10 million users take minutes.
      </p>
    </ReasonForm>
  );
}
