/**
 * A sample backend in a process of its own, seen from the demo: started, watched, started again when it dies,
 * stopped. Modes: stopped → starting → running → (ended → starting →) … → stopped.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Backend } from '../model.ts';
import { request } from '../node-http.ts';
import { DemoError } from './demo-error.ts';
import { asShopMessage, type CopyToMessage, type StartMessage } from './shop-messages.ts';

export interface SampleBackendOptions {
  readonly shop: Backend;
  readonly host: string;
  /** 0 lets the system choose; the choice is kept over restarts. */
  readonly port: number;
  readonly file: string;
  readonly faults: boolean;
  /** Gets one line for a person when something happened. */
  readonly report: (line: string) => void;
}

const START_MAX_MS = 20_000;
const HEALTH_MAX_MS = 5_000;
const STOP_MAX_MS = 4_000;
const RESTART_FIRST_MS = 250;
const RESTART_MAX_MS = 10_000;
/** A backend that ran this long starts again without waiting long. */
const SETTLED_MS = 30_000;

export class SampleBackend {
  readonly #options: SampleBackendOptions;
  #child: ChildProcess | undefined;
  #port: number;
  #copyToPort: number | undefined;
  #stopped = false;
  #restart: NodeJS.Timeout | undefined;
  #restartMs = RESTART_FIRST_MS;
  #runningSince = 0;

  constructor(options: SampleBackendOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  /** The port it listens on; only after `start`. */
  get port(): number {
    return this.#port;
  }

  /** `undefined` while it is not running. */
  get pid(): number | undefined {
    return this.#child !== undefined && isRunning(this.#child) ? this.#child.pid : undefined;
  }

  /**
   * Resolves when the backend answers `/health`. From then on it is started again whenever it ends.
   * @throws DemoError; nothing is left running then.
   */
  async start(): Promise<void> {
    const child = this.#fork();
    try {
      this.#port = await this.#whenListening(child);
      await expectHealth(this.#options.host, this.#port);
    } catch (cause) {
      await end(child);
      const { shop, host } = this.#options;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DemoError(`the ${shop} sample backend cannot start on ${host}:${this.#port}: ${reason}`, {
        cause,
      });
    }
    this.#runningSince = performance.now();
    // It may have died in the very moment in which its health was asked for.
    if (isRunning(child)) child.once('exit', () => this.#ended(child));
    else this.#ended(child);
  }

  /** Has its writes copied to the other shop, also after a restart. */
  copyTo(other: SampleBackend): void {
    this.#copyToPort = other.port;
    if (this.#child !== undefined) this.#tellWhereToCopy(this.#child);
  }

  #tellWhereToCopy(child: ChildProcess): void {
    if (this.#copyToPort === undefined || !child.connected) return;
    const message: CopyToMessage = { kind: 'copy-to', host: this.#options.host, port: this.#copyToPort };
    child.send(message, () => undefined);
  }

  /** Ends the process, by force when it does not go in time. Data that it has acknowledged is on the disk. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#restart);
    if (this.#child !== undefined) await end(this.#child);
  }

  /** Kills its process, as a crash would, and leaves it so until it is mended. */
  async breakDown(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined || !isRunning(child)) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Starts it again after `breakDown`. @throws DemoError as `start` */
  async mend(): Promise<void> {
    this.#stopped = false;
    await this.start();
  }

  #fork(): ChildProcess {
    // The sibling has this module's extension: .ts from the sources, .js when compiled.
    const module = new URL(`./shop-process${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
    const child = fork(fileURLToPath(module), {
      // node:sqlite warns that it is new on the older of the supported versions of Node.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    return child;
  }

  #whenListening(child: ChildProcess): Promise<number> {
    const { shop, host, file, faults, report } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('it did not start in time')), START_MAX_MS);
      const settle = (action: () => void): void => {
        clearTimeout(timer);
        action();
      };
      child.on('error', (error) => settle(() => reject(error)));
      child.once('exit', () => settle(() => reject(new Error('its process ended'))));
      child.on('message', (sent) => {
        const message = asShopMessage(sent);
        if (message === undefined) return;
        switch (message.kind) {
          case 'ready': {
            this.#tellWhereToCopy(child);
            const start: StartMessage = { kind: 'start', shop, host, port: this.#port, file, faults };
            child.send(start, () => undefined);
            return;
          }
          case 'listening':
            return settle(() => resolve(message.port));
          case 'failed':
            return settle(() => reject(new Error(message.reason)));
          case 'defect':
            return report(`the ${shop} sample backend met a defect: ${message.reason}`);
          default:
            return message satisfies never;
        }
      });
    });
  }

  #ended(child: ChildProcess): void {
    this.#child = undefined;
    if (this.#stopped) return;
    if (performance.now() - this.#runningSince >= SETTLED_MS) this.#restartMs = RESTART_FIRST_MS;
    const how = child.signalCode ?? `exit code ${child.exitCode ?? 'unknown'}`;
    this.#startAgain(`the ${this.#options.shop} sample backend ended (${how})`);
  }

  #startAgain(because: string): void {
    const waitMs = this.#restartMs;
    this.#restartMs = Math.min(waitMs * 2, RESTART_MAX_MS);
    this.#options.report(`${because}; starting it again in ${waitMs / 1000} s`);
    this.#restart = setTimeout(() => {
      this.start().then(
        () => this.#options.report(`the ${this.#options.shop} sample backend is back`),
        (error: unknown) => {
          if (!this.#stopped) this.#startAgain(error instanceof Error ? error.message : String(error));
        },
      );
    }, waitMs);
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function end(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
  await exited;
  clearTimeout(force);
}

function expectHealth(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host, port, path: '/health', agent: false, signal: AbortSignal.timeout(HEALTH_MAX_MS) },
      (response) => {
        response.resume();
        if (response.statusCode === 200) resolve();
        else reject(new Error(`its /health answers ${response.statusCode}`));
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}
