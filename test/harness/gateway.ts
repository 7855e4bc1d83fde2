/** A gateway in the test's own process, between two backends, on free ports. */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { ConfigModel } from '../../src/config/model.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { ERRORS, type ErrorCode } from '../../src/errors.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { AttemptCounter } from '../../src/guard/attempt-counter.ts';
import type { CountingSettings } from '../../src/guard/open-attempts.ts';
import { FAILURE_KINDS } from '../../src/guard/slot.ts';
import type { Backend } from '../../src/model.ts';
import type { ShadowReports } from '../../src/shadow/create-shadow-reads.ts';
import type { WriteMarker } from '../../src/state/state-map.ts';
import { createTelemetry, type ProcessTelemetry } from '../../src/telemetry/create-telemetry.ts';
import type { Outcome } from '../../src/telemetry/telemetry.ts';
import { MarkedMemoryState } from './memory-marks.ts';
import { MemoryState } from './memory-state.ts';
import { type ConnectOptions, connectRaw, type RawClient } from './raw-client.ts';
import type { Teardown } from './teardown.ts';
import { within } from './within.ts';

/** What a configuration may hold; `parseConfig` says whether it does. */
export type Settings = { readonly [key: string]: unknown };

export interface GatewayOptions {
  /** The ports, or whole origins, of the two backends. */
  readonly backends: { readonly [B in Backend]: number | string };
  /** Goes over the defaults, section by section. */
  readonly settings?: Settings;
  /** Goes over both backends' sections. */
  readonly backendSettings?: Settings;
  /** Where shadow reads are told to; without it there are none. */
  readonly reports?: ShadowReports;
  /** How what is sent to the backends is counted; of all kinds of failures, after a second, unless given. */
  readonly counting?: CountingSettings;
  /** Without them nobody knows who wrote to `new`, and no read falls back. */
  readonly marks?: WriteMarker;
  /** The share of requests in the access log; none unless given. */
  readonly accessSample?: number;
}

/**
 * The header line that makes the gateway choose a backend: `nina` is in a cohort that has moved, `leo` is in
 * the default cohort, which has not.
 */
export const AS_USER_OF: { readonly [B in Backend]: string } = {
  legacy: 'X-User: leo\r\n',
  new: 'X-User: nina\r\n',
};

export const BACKENDS: readonly Backend[] = ['legacy', 'new'];

/** Runs a case once for each backend; `t.jobs` decides whether side by side. */
export function onBothBackends(
  t: Test,
  name: string,
  run: (t: Test, backend: Backend) => Promise<void>,
): void {
  for (const backend of BACKENDS) {
    void t.test(`${name} (${backend})`, (subtest) => run(subtest, backend));
  }
}

/** How long a request's end may take to be counted; it only decides how long a failing test takes. */
const COUNTED_MS_MAX = 10_000;

export class TestGateway {
  readonly gateway: Gateway;
  readonly telemetry: ProcessTelemetry;
  readonly state: MemoryState;
  readonly config: ConfigModel;
  readonly port: number;
  /** The log, line by line. */
  readonly log: readonly string[];
  readonly attempts: AttemptCounter;
  readonly #t: Teardown;

  constructor(
    t: Teardown,
    parts: {
      gateway: Gateway;
      telemetry: ProcessTelemetry;
      state: MemoryState;
      config: ConfigModel;
      log: readonly string[];
      attempts: AttemptCounter;
    },
  ) {
    this.#t = t;
    this.gateway = parts.gateway;
    this.telemetry = parts.telemetry;
    this.state = parts.state;
    this.config = parts.config;
    this.log = parts.log;
    this.attempts = parts.attempts;
    this.port = parts.gateway.address.port;
  }

  /** A new connection to the gateway. */
  connect(options: Partial<ConnectOptions> = {}): Promise<RawClient> {
    return connectRaw(this.#t, { port: this.port, ...options });
  }

  /** How many requests have ended so, over all routes, for one backend or for none. */
  async count(outcome: Outcome, backend: Backend | 'none'): Promise<number> {
    return this.sum('turnout_requests_total', { outcome, backend });
  }

  /** How many requests have failed with this code, at the stage and the side of the table of errors. */
  async failures(code: ErrorCode): Promise<number> {
    const [stage = '', side = ''] = ERRORS[code].stage.split(', ');
    return this.sum('turnout_errors_total', { code, stage, side });
  }

  /** Waits until a request has ended so: the end is counted after the client has its answer. */
  async ended(outcome: Outcome, backend: Backend | 'none', count = 1): Promise<void> {
    const deadlineMs = performance.now() + COUNTED_MS_MAX;
    while ((await this.count(outcome, backend)) < count) {
      if (performance.now() > deadlineMs) {
        const got = await this.count(outcome, backend);
        throw new Error(`${got} × ${outcome} at ${backend} in the metrics, not ${count}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** A counter, over all samples that have these labels. */
  async sum(name: string, labels: { readonly [label: string]: string }): Promise<number> {
    let sum = 0;
    for (const family of await this.telemetry.families()) {
      if (family.name !== name || family.kind !== 'plain') continue;
      for (const sample of family.samples) {
        if (Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
          sum += sample.value;
      }
    }
    return sum;
  }
}

/** How long a gateway may take to close when a test ends, milliseconds: nothing should be in flight then. */
const CLOSE_MS_MAX = 5_000;

/** Starts a gateway that ends with the test. The test fails if the end takes too long. */
export async function startGateway(t: Teardown, options: GatewayOptions): Promise<TestGateway> {
  const config = testConfig(options);
  const log: string[] = [];
  const telemetry = createTelemetry({
    level: 'debug',
    accessSample: options.accessSample ?? 0,
    destination: { write: (line: string) => void log.push(line) },
  });
  const { marks } = options;
  const { cohorts } = config;
  const state = marks === undefined ? new MemoryState(cohorts) : new MarkedMemoryState(cohorts, marks);
  const counting = options.counting ?? { failures: FAILURE_KINDS, stalledAfterMs: 1_000 };
  const attempts = new AttemptCounter(counting, () => performance.now());
  const gateway = await createGateway({ config, state, telemetry, reports: options.reports, attempts });
  t.teardown(async () => {
    await within(gateway.close(), 'the end of the gateway', CLOSE_MS_MAX);
    telemetry.close();
  });
  return new TestGateway(t, { gateway, telemetry, state, config, log, attempts });
}

/** @throws Error with every problem, when the settings are not a valid configuration */
export function testConfig({ backends, settings = {}, backendSettings = {} }: GatewayOptions): ConfigModel {
  const origin = (where: number | string): string =>
    typeof where === 'string' ? where : `http://127.0.0.1:${where}`;
  // Long enough for a machine that is busy with other tests.
  const connectMs = 10_000;
  const defaults: Settings = {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { listen: { host: '127.0.0.1', port: 0 } },
    backends: {
      legacy: { url: origin(backends.legacy), connectMs, ...backendSettings },
      new: { url: origin(backends.new), connectMs, ...backendSettings },
    },
    state: { kind: 'embedded' },
    record: { kind: 'embedded', dir: join(tmpdir(), 'turnout-unused') },
    identity: [{ from: 'header', name: 'x-user', trusted: true }],
    cohorts: [
      { name: 'movers', rule: { attribute: 'header.x-user', in: ['nina'] }, stage: 'complete' },
      { name: 'everyone', default: true, stage: 'off' },
    ],
    shutdown: { graceMs: 200 },
  };
  // YAML reads JSON.
  const text = JSON.stringify(merged(defaults, settings));
  return parseConfig(text, { file: 'test.yaml', env: {} });
}

function merged(base: Settings, over: Settings): Settings {
  const out: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = out[key];
    out[key] = isSection(before) && isSection(value) ? merged(before, value) : value;
  }
  return out;
}

function isSection(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
