/**
 * Starts what a configuration asks for: one process that does everything, or a primary with workers. Both
 * are handled alike from here on.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { AdminSource } from '../admin/admin-source.ts';
import { type Admin, createAdmin } from '../admin/create-admin.ts';
import type { Address, ConfigModel } from '../config/model.ts';
import { truthDigest } from '../config/truth-digest.ts';
import type { Control } from '../cutover/control.ts';
import type { GuardControl } from '../guard/guard-control.ts';
import type { ReportReader } from '../reports/create-report-reader.ts';
import type { ProcessTelemetry } from '../telemetry/create-telemetry.ts';
import { expectFree } from './expect-free.ts';
import { type OpenControl, openControl, writeMaxMs } from './open-control.ts';
import { type OpenGatewayFn, openGateway } from './open-gateway.ts';
import { type OpenReader, openReader } from './open-reports.ts';
import { SingleSource } from './single-source.ts';
import { SupervisedSource } from './supervised-source.ts';
import { Supervisor } from './supervisor.ts';

export interface RunningTurnout {
  readonly address: Address;
  readonly adminAddress: Address;
  readonly workers: number;
  /** The configuration in force. */
  config(): ConfigModel;
  /** Takes a validated configuration; listeners and stores keep what they were started with. */
  reload(next: ConfigModel): Promise<void>;
  /** @returns whether all workers were replaced; false at once for a single process, which cannot. */
  replaceWorkers(): Promise<boolean>;
  /** Stops accepting, finishes what is in flight within the grace of the configuration. */
  close(): Promise<void>;
  /** Ends at once what `close` would wait for. */
  kill(): Promise<void>;
}

export interface StartOptions {
  readonly config: ConfigModel;
  /** Of this process. */
  readonly telemetry: ProcessTelemetry;
  /** The first file of a worker process; the installed one unless given. */
  readonly workerEntry?: string;
  /** For a single process; the real one unless given. */
  readonly open?: OpenGatewayFn;
}

/** The same file with the same ending: `.ts` as written, `.js` once compiled. */
function installedEntry(): string {
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(new URL(`./worker-entry${ending}`, import.meta.url));
}

export function workerCount({ workers }: Pick<ConfigModel, 'workers'>): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

/**
 * The admin listener comes first and goes last: probes and people see what is going on meanwhile.
 *
 * @throws the listener's own error (`EADDRINUSE`, …), WorkerStartError, or an Error in words for an operator
 */
export async function startTurnout(options: StartOptions): Promise<RunningTurnout> {
  await expectFree(options.config.listen);
  const count = workerCount(options.config);
  return count === 1 ? startSingle(options) : startSupervised(options, count);
}

/**
 * What a running process takes over of a changed configuration. The rest stays as it was started, also for a
 * worker that is started again later: two workers never use different backends or stores.
 */
function takenOver(current: ConfigModel, next: ConfigModel): ConfigModel {
  const { listen, workers, backends, state, record, admin } = current;
  return {
    ...next,
    listen,
    workers,
    backends,
    state,
    record,
    admin: { ...next.admin, listen: admin.listen },
  };
}

/** What the admin listener asks; each is `undefined` while the gateway starts. */
interface Services {
  readonly control: () => Control | undefined;
  readonly reports: () => ReportReader | undefined;
  readonly guard: () => GuardControl | undefined;
  /** In force. */
  readonly config: () => ConfigModel;
}

function listenForAdmin(
  source: AdminSource,
  { config, ...services }: Services,
  telemetry: ProcessTelemetry,
): Promise<Admin> {
  const { listen, tokens } = config().admin;
  const guardConfig = () => config().guard;
  return createAdmin({ listen, tokens, source, ...services, guardConfig, log: telemetry.log });
}

async function startSingle({
  config: first,
  telemetry,
  open = openGateway,
}: StartOptions): Promise<RunningTurnout> {
  const source = new SingleSource(first, telemetry);
  const services: Services = {
    control: () => source.control,
    reports: () => source.reports,
    guard: () => source.guard,
    config: () => source.config,
  };
  const admin = await listenForAdmin(source, services, telemetry);
  const gateway = await open(first, telemetry).catch(async (error: unknown) => {
    await admin.close();
    throw error;
  });
  source.serves(gateway);
  const close = async (graceMs: number): Promise<void> => {
    source.stops();
    await gateway.close({ graceMs });
    await admin.close();
  };
  return {
    address: gateway.address,
    adminAddress: admin.address,
    workers: 1,
    config: () => source.config,
    reload: async (next) => {
      const config = takenOver(source.config, next);
      gateway.reload(config);
      source.config = config;
      telemetry.configure(next.log);
      admin.setTokens(next.admin.tokens);
    },
    replaceWorkers: async () => false,
    close: () => close(source.config.shutdown.graceMs),
    kill: () => close(0),
  };
}

async function startSupervised(options: StartOptions, workers: number): Promise<RunningTurnout> {
  const { config, telemetry, workerEntry: entry = installedEntry() } = options;
  let current = config;
  let control: OpenControl | undefined;
  let reader: OpenReader | undefined;
  const strikeOff = ({ gatewayId }: { gatewayId: string }): void => {
    // Its process is gone for certain. What it had sent may still be at work at its backend, until the deadline.
    setTimeout(() => {
      control?.evictGateway(gatewayId).catch(() => {});
    }, writeMaxMs(current)).unref();
  };
  const { log } = telemetry;
  const supervisor = new Supervisor({ config, workers, entry, log, onGone: strikeOff });
  const source = new SupervisedSource(supervisor, telemetry, () => truthDigest(current));
  const services: Services = {
    control: () => control,
    reports: () => reader,
    guard: () => control?.guard,
    config: () => current,
  };
  const admin = await listenForAdmin(source, services, telemetry);
  try {
    await supervisor.start();
    control = await openControl(() => current, log);
    if (control !== undefined) telemetry.watchGuard(control.guard);
    reader = await openReader(() => current, log);
  } catch (error) {
    await supervisor.kill();
    await admin.close();
    throw error;
  }
  return {
    address: supervisor.address,
    adminAddress: admin.address,
    workers,
    config: () => current,
    reload: async (next) => {
      current = takenOver(current, next);
      await supervisor.reload(current);
      telemetry.configure(next.log);
      admin.setTokens(next.admin.tokens);
    },
    replaceWorkers: () => supervisor.replaceAll(),
    close: async () => {
      await control?.close();
      await reader?.close();
      await supervisor.close(current.shutdown.graceMs);
      await admin.close();
    },
    kill: async () => {
      await Promise.all([supervisor.kill(), control?.close(), reader?.close()]);
      await admin.close();
    },
  };
}
