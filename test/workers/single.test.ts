import t, { type Test } from 'tap';
import { createGateway } from '../../src/gateway.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import type { OpenGatewayFn } from '../../src/workers/open-gateway.ts';
import { startTurnout } from '../../src/workers/start-turnout.ts';
import { MemoryState } from '../harness/memory-state.ts';
import { get } from './client.ts';
import { backend, workersConfig } from './running-workers.ts';

/** A gateway with a state map in memory, which opens when it is told to. */
async function open(t: Test, permitted: Promise<void> = Promise.resolve()) {
  const backendPort = await backend(t);
  // The admin listener has to be known before the start has ended.
  const adminPort = await freePort(t);
  const config = workersConfig(backendPort, {
    admin: { listen: { host: '127.0.0.1', port: adminPort } },
  });
  const telemetry = createTelemetry({
    level: 'error',
    accessSample: 0,
    destination: { write: () => {} },
  });
  const openGateway: OpenGatewayFn = async () => {
    await permitted;
    const state = new MemoryState(config.cohorts);
    telemetry.watchState(state);
    const gateway = await createGateway({ config, state, telemetry });
    return {
      address: gateway.address,
      state,
      explain: (request) => gateway.explain(request),
      reload: (next) => gateway.reload(next),
      inFlight: () => gateway.inFlight(),
      close: (options) => gateway.close(options),
    };
  };
  const starting = startTurnout({ config, telemetry, open: openGateway });
  t.teardown(async () => {
    await (await starting.catch(() => undefined))?.kill();
    telemetry.close();
  });
  const admin = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${adminPort}${path}`, { headers: { connection: 'close' } });
  return { starting, admin, config };
}

async function freePort(t: Test): Promise<number> {
  let port = 0;
  await t.test('a port for the admin listener', async (inner) => {
    port = await backend(inner);
  });
  return port;
}

void t.test('one process has gateway, metrics and status', async (t) => {
  const { starting, admin } = await open(t);
  const { address } = await starting;
  t.match(await get(address.port, false), { ok: true });
  const metrics = await (await admin('/metrics')).text();
  t.match(metrics, 'turnout_workers{state="ready"} 1');
  t.match(metrics, /turnout_requests_total\{.*outcome="2xx"\} 1/u);
  t.match(metrics, /process_resident_memory_bytes\{worker="1"\}/u);
  t.match(await (await admin('/api/v1/status')).json(), {
    listen: { port: address.port },
    gateways: [{ worker: '1', pid: process.pid, state: 'ready', epoch: 1 }],
    cohorts: [{ name: 'movers' }, { name: 'everyone' }],
  });
});

void t.test('while it opens its stores it is alive, not ready, and says so', async (t) => {
  const permission = Promise.withResolvers<void>();
  const { starting, admin } = await open(t, permission.promise);
  const alive = async (): Promise<Response> => {
    for (;;) {
      const answer = await admin('/livez').catch(() => undefined);
      if (answer !== undefined) return answer;
    }
  };
  t.equal((await alive()).status, 200);
  const ready = await admin('/readyz');
  t.equal(ready.status, 503);
  t.match(await ready.json(), { status: 'starting', workers: { ready: 0, wanted: 1 } });
  t.match(await (await admin('/api/v1/explain')).json(), { status: 503, code: 'no_worker' });
  t.match(await (await admin('/api/v1/status')).json(), { gateways: [{ state: 'starting' }], cohorts: [] });
  t.match(await (await admin('/metrics')).text(), 'turnout_workers{state="starting"} 1');
  permission.resolve();
  await starting;
  t.equal((await admin('/readyz')).status, 200);
});

void t.test('what cannot be opened ends the start, and the admin listener with it', async (t) => {
  const { starting, admin } = await open(t, Promise.reject(new Error('no stores')));
  await t.rejects(starting, { message: 'no stores' });
  await t.rejects(admin('/livez'));
});

void t.test('a single process replaces no workers, and reloads in place', async (t) => {
  const { starting, admin, config } = await open(t);
  const turnout = await starting;
  t.equal(await turnout.replaceWorkers(), false);
  await turnout.reload({ ...config, anonymous: 'new' });
  t.match(await (await admin('/api/v1/explain')).json(), { decision: { target: 'new' } });
});
