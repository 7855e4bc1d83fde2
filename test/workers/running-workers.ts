/** A primary in the test's process, with workers of its own, between it and a backend of the test. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { ConfigModel } from '../../src/config/model.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { type RunningTurnout, startTurnout } from '../../src/workers/start-turnout.ts';
import { type Settings, testConfig } from '../harness/gateway.ts';
import { within } from '../harness/within.ts';

/** Of this file and its siblings, as written or compiled. */
export const ENDING = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

export const MEMORY_WORKER = fileURLToPath(new URL(`./memory-worker${ENDING}`, import.meta.url));

/** Requests that the test's backend answered. */
export const SERVED =
  'turnout_requests_total{route="default",cohort="none",backend="legacy",class="read",outcome="2xx"}';

export interface Workers {
  readonly turnout: RunningTurnout;
  readonly config: ConfigModel;
  readonly port: number;
  /** Lines of the primary's log, newest last. */
  readonly events: () => readonly Record<string, unknown>[];
  /** Resolves when the primary logs this event for the `count`th time. */
  readonly logged: (event: string, count?: number) => Promise<Record<string, unknown>>;
  readonly admin: (path: string) => Promise<string>;
  /** The process ids of the workers that serve. */
  readonly pids: () => Promise<number[]>;
  /** The value of one line of the metrics; 0 when there is none. */
  readonly metric: (series: string) => Promise<number>;
}

/** A backend on loopback that ends with the test. Answers at once unless it is given a listener. */
export async function backend(
  t: Test,
  listener: RequestListener = (_request, response) => response.end('ok'),
): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** The configuration of a gateway with several workers; only errors are logged. */
export function workersConfig(backendPort: number, settings: Settings = {}): ConfigModel {
  return testConfig({
    backends: { legacy: backendPort, new: backendPort },
    settings: { log: { level: 'error' }, shutdown: { graceMs: 10_000 }, ...settings },
  });
}

class PrimaryLog {
  readonly entries: Record<string, unknown>[] = [];
  #listeners: (() => void)[] = [];

  write(line: string): void {
    this.entries.push(JSON.parse(line));
    for (const listener of this.#listeners.splice(0)) listener();
  }

  async logged(event: string, count: number): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.entries.filter((entry) => entry['event'] === event)[count - 1];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }
}

export async function startWorkers(t: Test, workers: number, config: ConfigModel): Promise<Workers> {
  const log = new PrimaryLog();
  const telemetry = createTelemetry({ level: 'info', accessSample: 0, worker: 'primary', destination: log });
  const turnout = await startTurnout({
    config: { ...config, workers },
    telemetry,
    workerEntry: MEMORY_WORKER,
  });
  t.teardown(async () => {
    await turnout.kill();
    telemetry.close();
  });
  const admin = async (path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${turnout.adminAddress.port}${path}`, {
      headers: { connection: 'close' },
    });
    return response.text();
  };
  return {
    turnout,
    config,
    port: turnout.address.port,
    events: () => log.entries,
    logged: (event, count = 1) => within(log.logged(event, count), `the event ${event}`, 20_000),
    admin,
    pids: async () => {
      const status: { gateways: { pid: number; state: string }[] } = JSON.parse(
        await admin('/api/v1/status'),
      );
      return status.gateways.filter(({ state }) => state === 'ready').map(({ pid }) => pid);
    },
    metric: async (series) => {
      const line = (await admin('/metrics')).split('\n').find((each) => each.startsWith(`${series} `));
      return line === undefined ? 0 : Number(line.slice(series.length + 1));
    },
  };
}
