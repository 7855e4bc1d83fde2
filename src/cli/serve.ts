/**
 * Runs a gateway until it is told to stop, and acts on the signals meanwhile: SIGHUP reads the configuration
 * again, SIGUSR2 replaces the workers, SIGTERM and SIGINT end it in order, the second of them at once.
 */
import { compareForReload } from '../config/compare-for-reload.ts';
import type { ConfigModel } from '../config/model.ts';
import { ConfigError } from '../config/problem.ts';
import { createTelemetry, type ProcessTelemetry } from '../telemetry/create-telemetry.ts';
import { VERSION } from '../telemetry/version.ts';
import { type RunningTurnout, startTurnout, workerCount } from '../workers/start-turnout.ts';
import { CliError, EXIT, type ExitCode, type Signals } from './context.ts';

/** What ends at once gets this long to do so. */
const KILL_MS = 2_000;

export interface ServeOptions {
  readonly config: ConfigModel;
  /** Reads the configuration again. @throws ConfigError when it cannot be used */
  readonly readAgain: () => ConfigModel;
  readonly signals: Signals;
}

/** In words: what to do about a listener that could not be had. */
function startFailure(error: unknown, { listen, admin }: ConfigModel): CliError {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const isAdmin = error instanceof Error && 'port' in error && error.port === admin.listen.port;
  const { host, port } = isAdmin ? admin.listen : listen;
  const option = isAdmin ? '--admin-port' : '--port';
  const of = isAdmin ? 'the admin listener' : 'the gateway';
  switch (code) {
    case 'EADDRINUSE':
      return new CliError(
        `Port ${port} on ${host} is in use, so ${of} cannot start. Stop what uses it, or choose another with ${option}.`,
        EXIT.failure,
        { cause: error },
      );
    case 'EACCES':
      return new CliError(
        `Port ${port} on ${host} needs rights that this user does not have. Choose another with ${option}.`,
        EXIT.failure,
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
      return new CliError(`${host} is not an address of this machine, so ${of} cannot start.`, EXIT.failure, {
        cause: error,
      });
    default:
      return new CliError(`The gateway cannot start: ${message}`, EXIT.failure, { cause: error });
  }
}

/** Takes a changed file over, one change after the other. A bad file changes nothing. */
class Reloader {
  readonly #running: RunningTurnout;
  readonly #telemetry: ProcessTelemetry;
  readonly #readAgain: () => ConfigModel;
  #last: Promise<void> = Promise.resolve();

  constructor(running: RunningTurnout, telemetry: ProcessTelemetry, options: ServeOptions) {
    this.#running = running;
    this.#telemetry = telemetry;
    this.#readAgain = options.readAgain;
  }

  request(): void {
    this.#last = this.#last.then(() => this.#reload());
  }

  async #reload(): Promise<void> {
    const { log } = this.#telemetry;
    try {
      const next = this.#readAgain();
      const plan = compareForReload(this.#running.config(), next);
      await this.#running.reload(next);
      if (plan.needsRestart.length > 0) {
        const event = { event: 'config_needs_restart', parts: plan.needsRestart };
        log.warn(event, 'parts of the configuration take effect with the next start only');
      }
      const { applied, notes } = plan;
      log.info({ event: 'config_reloaded', file: next.file, applied, notes }, 'configuration reloaded');
    } catch (error) {
      const what = 'the configuration cannot be used; the last good one stays in force';
      if (error instanceof ConfigError) {
        log.error({ event: 'config_rejected', file: error.file, problems: error.problems }, what);
      } else {
        log.error({ event: 'config_rejected', err: error }, what);
      }
    }
  }
}

function whenAborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    else signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
}

/** In order, unless it is asked for a second time. */
async function stop(running: RunningTurnout, { stopNow }: Signals): Promise<void> {
  const outcome = await Promise.race([running.close(), whenAborted(stopNow)]);
  if (outcome !== 'aborted') return;
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, KILL_MS);
  });
  await Promise.race([running.kill(), bound]);
  clearTimeout(timer);
}

/**
 * @returns the exit code, once everything has stopped
 * @throws CliError when the gateway cannot start
 */
export async function serve(options: ServeOptions): Promise<ExitCode> {
  const { config, signals } = options;
  const workers = workerCount(config);
  const telemetry = createTelemetry({ ...config.log, worker: workers === 1 ? '1' : 'primary' });
  const { log } = telemetry;
  log.info({ event: 'starting', version: VERSION, file: config.file, workers }, 'starting');
  for (const { path, message } of config.warnings) log.warn({ event: 'config_warning', path }, message);
  try {
    const running = await startUnlessStopped(config, telemetry, signals);
    if (running === undefined) return EXIT.ok;
    const { address, adminAddress } = running;
    log.info({ event: 'listening', address, admin: adminAddress, workers }, 'listening');
    const reloader = new Reloader(running, telemetry, options);
    signals.onReload(() => reloader.request());
    signals.onReplace(() => void running.replaceWorkers());
    await whenAborted(signals.stop);
    log.info({ event: 'stopping' }, 'stopping: finishing what is in flight');
    await stop(running, signals);
    log.info({ event: 'stopped' }, 'stopped');
    return EXIT.ok;
  } finally {
    telemetry.close();
  }
}

/** @returns `undefined` when it was stopped first; whatever it had begun ends with this process */
async function startUnlessStopped(
  config: ConfigModel,
  telemetry: ProcessTelemetry,
  { stop: stopped }: Signals,
): Promise<RunningTurnout | undefined> {
  try {
    const outcome = await Promise.race([startTurnout({ config, telemetry }), whenAborted(stopped)]);
    return outcome === 'aborted' ? undefined : outcome;
  } catch (error) {
    throw startFailure(error, config);
  }
}
