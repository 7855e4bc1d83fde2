/** Gateways in processes of their own on real stores, and a control service in the test's. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { Test } from 'tap';
import type { ConfigModel } from '../../src/config/model.ts';
import type { Control } from '../../src/cutover/control.ts';
import type { Backend } from '../../src/model.ts';
import { openControl } from '../../src/workers/open-control.ts';
import { type PostgresFixture, startPostgres } from '../fixtures/postgres.ts';
import { type RedisFixture, startRedis } from '../fixtures/redis.ts';
import { type Settings, testConfig } from '../harness/gateway.ts';
import { within } from '../harness/within.ts';
import { redisModel } from '../state/redis-setup.ts';

import type { StartMessage } from './gateway-process.ts';

const ENDING = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const ENTRY = fileURLToPath(new URL(`./gateway-process${ENDING}`, import.meta.url));

export interface RunningGateway {
  readonly id: string;
  readonly process: ChildProcess;
  readonly port: number;
}

export interface GatewaysWorld {
  readonly config: ConfigModel;
  readonly redis: RedisFixture;
  readonly postgres: PostgresFixture;
  readonly control: Control;
  readonly start: (id: string) => Promise<RunningGateway>;
}

/** @param settings go over a configuration with one default cohort `movers` at `off` */
export async function gatewaysWorld(
  t: Test,
  backends: { port(owner: Backend): number },
  settings: Settings = {},
): Promise<GatewaysWorld> {
  const [redis, postgres] = await Promise.all([
    startRedis(t, { disposable: true }),
    startPostgres(t, { disposable: true }),
  ]);
  const written = testConfig({
    backends: { legacy: backends.port('legacy'), new: backends.port('new') },
    settings: {
      cohorts: [{ name: 'movers', default: true, stage: 'off' }],
      log: { level: 'error' },
      ...settings,
    },
  });
  const config: ConfigModel = {
    ...written,
    state: redisModel({ url: redis.url, keyPrefix: redis.prefix }),
    record: { kind: 'postgres', url: postgres.url, poolMax: 4, statementMs: 1_000 },
  };
  // The first gateway prepares the stores; this one waits until then.
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const control = await openControl(() => config, log);
  if (control === undefined) throw new Error('no control service');
  t.teardown(() => control.close());
  const start = async (id: string): Promise<RunningGateway> => {
    const child = fork(ENTRY, [], { serialization: 'advanced' });
    t.teardown(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGCONT');
      if (child.connected) child.disconnect();
      await within(exited, `the end of gateway ${id}`, 5_000).catch(() => child.kill('SIGKILL'));
    });
    const message: StartMessage = { id, config };
    child.send(message);
    const [said]: { port: number }[] = await within(
      once(child, 'message'),
      `the start of gateway ${id}`,
      20_000,
    );
    return { id, process: child, port: said?.port ?? 0 };
  };
  return { config, redis, postgres, control, start };
}

/** Asks again until as many gateways are alive. */
export async function untilLive(control: Control, count: number): Promise<void> {
  const alive = async (): Promise<void> => {
    for (;;) {
      const gateways = await control.gateways().catch(() => []);
      if (gateways.filter(({ verdict }) => verdict === 'live').length === count) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await within(alive(), `${count} gateways that are alive`, 20_000);
}
