/** A primary with two workers on real stores: a flip through the admin API, and a worker that is killed. */
import t from 'tap';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { startTurnout } from '../../src/workers/start-turnout.ts';
import { FlipLoad, RecordingBackends } from '../cutover/flip-load.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { testConfig } from '../harness/gateway.ts';
import { within } from '../harness/within.ts';
import { redisModel } from '../state/redis-setup.ts';

const TOKEN = 'a-token-of-the-test-that-is-long-enough';

interface GatewayRow {
  readonly id: string;
  readonly state: string;
}

function isGateways(value: unknown): value is { readonly items: readonly GatewayRow[] } {
  return typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items);
}

void t.test('workers flip together; one that was killed is struck off by its primary', async (t) => {
  const backends = await RecordingBackends.start(t);
  const [redis, postgres] = await Promise.all([startRedis(t), startPostgres(t)]);
  const written = testConfig({
    backends: { legacy: backends.port('legacy'), new: backends.port('new') },
    backendSettings: { headersMs: 500 },
    settings: {
      cohorts: [{ name: 'movers', default: true, stage: 'off' }],
      cutover: { selfFenceAfterMs: 1_000, holdMaxMs: 5_000, drainMaxMs: 3_000 },
      admin: {
        listen: { host: '127.0.0.1', port: 0 },
        tokens: [{ name: 'ops', role: 'operator', token: TOKEN }],
      },
      log: { level: 'error' },
    },
  });
  const telemetry = createTelemetry({ level: 'error', accessSample: 0, worker: 'primary' });
  const turnout = await startTurnout({
    config: {
      ...written,
      workers: 2,
      state: redisModel({ url: redis.url, keyPrefix: redis.prefix }),
      record: { kind: 'postgres', url: postgres.url, poolMax: 4, statementMs: 1_000 },
    },
    telemetry,
  });
  t.teardown(async () => {
    await turnout.kill();
    telemetry.close();
  });
  const admin = async (path: string, body?: unknown): Promise<{ status: number; document: unknown }> => {
    const answer = await fetch(`http://127.0.0.1:${turnout.adminAddress.port}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', connection: 'close' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: answer.status, document: await answer.json() };
  };
  const flip = (stage: string): Promise<{ status: number; document: unknown }> =>
    admin('/api/v1/cohorts/movers/stage', { stage, reason: 'test' });
  const gateways = async (): Promise<readonly GatewayRow[]> => {
    const { document } = await admin('/api/v1/gateways');
    return isGateways(document) ? document.items : [];
  };
  const untilGateways = (wanted: (all: readonly GatewayRow[]) => boolean, what: string): Promise<void> =>
    within(
      (async () => {
        while (!wanted(await gateways())) await new Promise((resolve) => setTimeout(resolve, 50));
      })(),
      what,
      30_000,
    );
  const alive = (all: readonly GatewayRow[]): number => all.filter(({ state }) => state === 'live').length;

  await untilGateways((all) => alive(all) === 2, 'two gateways that are alive');
  const load = new FlipLoad([turnout.address.port]);
  load.target = 'new';
  load.flip = 1;
  load.run(['nina', 'leo']);
  t.match(await flip('live'), { status: 200 });
  await load.stop();
  t.same(load.failures, []);
  t.same(load.stale, []);
  t.match(await flip('complete'), { status: 200 });

  const before = new Set((await gateways()).map(({ id }) => id));
  const { document } = await admin('/api/v1/status');
  const [pid] = pidsIn(document);
  process.kill(pid ?? 0, 'SIGKILL');
  await untilGateways(
    (all) => alive(all) === 2 && all.length === 2 && all.some(({ id }) => !before.has(id)),
    'the new worker in the place of the old one',
  );
  t.match(await flip('live'), { status: 200 }, 'the one that is gone is in nobody’s way');
});

function pidsIn(document: unknown): readonly number[] {
  const { gateways }: { gateways: { pid: number }[] } = JSON.parse(JSON.stringify(document));
  return gateways.map(({ pid }) => pid);
}
