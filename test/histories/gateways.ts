/** The gateways: each `turnout start` in a process of its own, on the same ports however often it starts. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onFreePorts, type ServerProcess, startServer } from '../fixtures/server-process.ts';
import type { Teardown } from '../harness/teardown.ts';
import { pause } from './clock.ts';
import { entryOf } from './fork-process.ts';

const ENDING = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const MAIN = fileURLToPath(new URL(`../../src/main${ENDING}`, import.meta.url));
const LOG_LINES_MAX = 20_000;
const STARTS_MAX = 5;

/** Parts of a gateway that a test replaces by broken ones; `broken-gateway.ts` says what each does. */
export const FAULTS = ['no-drain', 'no-fence', 'put-back', 'not-sticky', 'no-marks', 'no-look'] as const;
export type Fault = (typeof FAULTS)[number];

export interface GatewayPlan {
  readonly name: string;
  /** For its configuration and its log. */
  readonly dir: string;
  /** Without `listen` and `admin`. */
  readonly config: object;
  readonly fault?: Fault;
}

export class GatewayProcess {
  readonly name: string;
  readonly port: number;
  readonly adminPort: number;
  readonly #plan: GatewayPlan;
  #server: ServerProcess | undefined;
  #logged = 0;
  /** Stopped by a signal. */
  stopped = false;

  private constructor(plan: GatewayPlan, port: number, adminPort: number) {
    this.name = plan.name;
    this.port = port;
    this.adminPort = adminPort;
    this.#plan = plan;
  }

  /** Chooses its ports; it does not run yet. */
  static async prepare(t: Teardown, plan: GatewayPlan): Promise<GatewayProcess> {
    return onFreePorts(2, async ([port = 0, adminPort = 0]) => {
      const gateway = new GatewayProcess(plan, port, adminPort);
      const listen = { host: '127.0.0.1', port };
      const admin = { listen: { host: '127.0.0.1', port: adminPort } };
      // YAML reads JSON.
      writeFileSync(gateway.#file('yaml'), JSON.stringify({ ...plan.config, listen, admin }, null, 2));
      t.teardown(() => gateway.kill());
      return gateway;
    });
  }

  get runs(): boolean {
    return this.#server !== undefined;
  }

  get pid(): number | undefined {
    return this.#server?.pid;
  }

  #file(ending: string): string {
    return join(this.#plan.dir, `${this.name}.${ending}`);
  }

  #log(line: string): void {
    this.#logged += 1;
    if (this.#logged <= LOG_LINES_MAX) appendFileSync(this.#file('log'), `${line}\n`);
  }

  /** Resolves when it listens. Stores that are away are waited for. @throws when it does not start in the end */
  async start(): Promise<void> {
    const { fault, dir } = this.#plan;
    const entry = fault === undefined ? [MAIN] : [entryOf('broken-gateway'), fault];
    for (let attempt = 1; this.#server === undefined; attempt += 1) {
      try {
        this.#server = await startServer({
          file: process.execPath,
          args: [...entry, 'start', '--config', this.#file('yaml')],
          cwd: dir,
          ready: /"event":"listening"/,
          endSignal: 'KILL',
          onLine: (line) => this.#log(line),
        });
      } catch (error) {
        if (attempt === STARTS_MAX) throw error;
        await pause(200);
      }
    }
    this.stopped = false;
  }

  /** At once, as a crash does. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    // Before the watchdog, which lets a stopped process continue first.
    server.signal('SIGKILL');
    await server.end();
  }

  stop(): void {
    this.stopped = true;
    this.#server?.signal('SIGSTOP');
  }

  continue(): void {
    this.stopped = false;
    this.#server?.signal('SIGCONT');
  }
}
