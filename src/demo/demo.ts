/**
 * The demo: both sample backends in processes of their own, then the gateway and its admin listener as
 * `turnout start` would run them. It stops in the other order, so that no request loses its backend.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Address } from '../config/model.ts';
import type { Backend } from '../model.ts';
import { banner } from './banner.ts';
import { DemoError } from './demo-error.ts';
import { expectFreePorts } from './free-ports.ts';
import { SampleBackend } from './sample-backend.ts';

export interface DemoPorts {
  /** 0 lets the system choose, for each. */
  readonly gateway: number;
  readonly admin: number;
  readonly legacy: number;
  readonly new: number;
}

export const DEMO_PORTS: DemoPorts = Object.freeze({ gateway: 8080, admin: 8081, legacy: 9001, new: 9002 });

/** A gateway and its admin listener, as far as the demo is concerned. */
export interface DemoGateway {
  readonly gateway: Address;
  readonly admin: Address;
  /** Finishes what is in flight, within the configured grace. */
  close(): Promise<void>;
}

/** What a story has to do with. */
export interface RunningDemo {
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  readonly newShop: Pick<SampleBackend, 'breakDown' | 'mend'>;
}

export interface DemoOptions {
  readonly ports: DemoPorts;
  /** An absolute path; created when it does not exist. */
  readonly dataDir: string;
  /** Whether the new shop has its seeded faults. */
  readonly faults: boolean;
  /** Whether each shop copies its writes to the other one. */
  readonly copies: boolean;
  /** Starts the gateway on the demo's configuration with these variables set in it. */
  readonly startGateway: (variables: Readonly<Record<string, string>>) => Promise<DemoGateway>;
  /** Told instead of the banner; the demo stops when it is over. */
  readonly story?: (running: RunningDemo) => Promise<void>;
  /** Gets what the demo has to say, a line at a time, without line ends. */
  readonly write: (line: string) => void;
  /** Stops the demo. */
  readonly signal: AbortSignal;
}

const HOST = '127.0.0.1';

/**
 * Runs until the signal stops it.
 * @throws DemoError when something of the demo cannot start, or what `startGateway` throws; nothing is left
 *   running then.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { ports, dataDir, signal, write } = options;
  await expectFreePorts(HOST, [
    { name: 'gateway', port: ports.gateway, hint: 'choose another with --port or TURNOUT_PORT' },
    { name: 'admin', port: ports.admin, hint: 'choose another with --admin-port or TURNOUT_ADMIN_PORT' },
    { name: 'legacy shop', port: ports.legacy, hint: 'choose another with TURNOUT_LEGACY_PORT' },
    { name: 'new shop', port: ports.new, hint: 'choose another with TURNOUT_NEW_PORT' },
  ]);
  await mkdir(dataDir, { recursive: true }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DemoError(`the data cannot be kept in ${dataDir}: ${reason}`, { cause });
  });
  const shops = { legacy: sampleBackend('legacy', options), new: sampleBackend('new', options) };
  try {
    await startBoth(shops.legacy, shops.new);
    if (signal.aborted) return;
    if (options.copies) {
      shops.legacy.copyTo(shops.new);
      shops.new.copyTo(shops.legacy);
    }
    const gateway = await options.startGateway({
      TURNOUT_PORT: String(ports.gateway),
      TURNOUT_ADMIN_PORT: String(ports.admin),
      TURNOUT_LEGACY_PORT: String(shops.legacy.port),
      TURNOUT_NEW_PORT: String(shops.new.port),
      TURNOUT_DATA_DIR: dataDir,
    });
    try {
      if (options.story === undefined) {
        if (!signal.aborted) for (const line of banner(bannerFacts(options, gateway, shops))) write(line);
        await whenAborted(signal);
      } else if (!signal.aborted) {
        await options.story({
          gatewayUrl: url(gateway.gateway),
          adminUrl: url(gateway.admin),
          newShop: shops.new,
        });
      }
      write('stopping');
    } finally {
      await gateway.close();
    }
  } finally {
    await Promise.all([shops.legacy.stop(), shops.new.stop()]);
  }
  write(`stopped; the data is kept in ${dataDir}`);
}

/** Waits for both also when one fails, so that neither is left half started. */
async function startBoth(...shops: readonly SampleBackend[]): Promise<void> {
  const outcomes = await Promise.allSettled(shops.map((shop) => shop.start()));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

function sampleBackend(shop: Backend, { ports, dataDir, faults, write }: DemoOptions): SampleBackend {
  const file = join(dataDir, 'demo-shops', `${shop}.db`);
  return new SampleBackend({ shop, host: HOST, port: ports[shop], file, faults, report: write });
}

function bannerFacts(
  { ports, faults, dataDir }: DemoOptions,
  { gateway, admin }: DemoGateway,
  shops: Readonly<Record<Backend, SampleBackend>>,
): Parameters<typeof banner>[0] {
  return {
    gatewayUrl: url(gateway),
    adminUrl: url(admin),
    legacyUrl: url({ host: HOST, port: shops.legacy.port }),
    legacyPid: shops.legacy.pid,
    newPid: shops.new.pid,
    newUrl: url({ host: HOST, port: shops.new.port }),
    faults,
    dataDir,
    defaultPort: ports.gateway === DEMO_PORTS.gateway,
    defaultAdminPort: ports.admin === DEMO_PORTS.admin,
  };
}

function url({ host, port }: Address): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
