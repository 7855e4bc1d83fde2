/**
 * Starts the processes of a run, each on the core it belongs to, and stops every one of them by its pid,
 * whatever happens.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { extname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ReadyMessage } from './announce-ready.ts';

/** As it is written, or compiled. */
const MAIN = fileURLToPath(new URL(`../src/main${extname(import.meta.filename)}`, import.meta.url));
/** As in the program's first line, its workers and the container. */
const PROGRAM_FLAGS = ['--max-semi-space-size=2'];
const PROGRAM_ENV = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '1048576' };
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 5_000;
const STDERR_CHARS_MAX = 10_000;

/** The proxy under test has a core of its own; everything else shares the other one. `any`: not pinned at all. */
export type Core = 'proxy' | 'rest' | 'any';
const CORES: Record<Exclude<Core, 'any'>, string> = { proxy: '0', rest: '1' };

export interface Started {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Where its inspector listens, once it has said so. */
  inspectorUrl(): string | undefined;
}

export interface StartOptions {
  readonly core: Core;
  /** The process speaks to this one, and ends when this one does. */
  readonly ipc?: boolean;
  /** Besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

export class Processes {
  readonly pinned: boolean;
  readonly #running = new Set<ChildProcess>();
  readonly #stops: (() => Promise<void>)[] = [];

  readonly #inspect: boolean;

  /** @param options.inspect whether peers that run in Node can be profiled */
  constructor({ inspect }: { inspect: boolean }) {
    this.#inspect = inspect;
    this.pinned = spawnSync('taskset', ['-c', '0,1', 'true']).status === 0;
  }

  /** Starts a command; `taskset` becomes it, so that the pid is its own. */
  start(command: string, args: readonly string[], options: StartOptions): Started {
    const [file = command, ...argv] = this.pinning(options.core, [command, ...args]);
    const child = spawn(file, argv, {
      stdio: ['ignore', 'ignore', 'pipe', ...(options.ipc === true ? (['ipc'] as const) : [])],
      env: { ...process.env, ...options.env, NODE_ENV: 'production' },
    });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    let stderr = '';
    let inspectorUrl: string | undefined;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_CHARS_MAX);
      inspectorUrl ??= /^Debugger listening on (\S+)$/m.exec(stderr)?.[1];
    });
    child.once('exit', (code, signal) => {
      if (code !== 0 && signal !== 'SIGTERM')
        console.error(`${command} ended (${code ?? signal}): ${stderr}`);
    });
    if (child.pid === undefined) throw new Error(`${command} did not start`);
    return { pid: child.pid, child, inspectorUrl: () => inspectorUrl };
  }

  /** Starts Turnout as it would run. */
  startTurnout(configFile: string, core: Core): Started {
    const args = [...this.peerFlags(), ...PROGRAM_FLAGS, MAIN, 'start', '--config', configFile];
    return this.start(process.execPath, args, { core, env: PROGRAM_ENV });
  }

  /** Starts a file of this benchmark in a Node of its own and waits for the ports it listens on. */
  async startNode(
    file: string,
    args: readonly string[],
    { core }: StartOptions,
  ): Promise<Started & ReadyMessage> {
    const flags = core === 'proxy' ? this.peerFlags() : [];
    const started = this.start(process.execPath, [...flags, file, ...args], { core, ipc: true });
    const message = await new Promise<ReadyMessage>((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`${file} was not ready in time`)), START_MS_MAX);
      started.child.once('message', (ready: ReadyMessage) => {
        clearTimeout(timer);
        done(ready);
      });
      started.child.once('exit', (code) => {
        clearTimeout(timer);
        failed(new Error(`${file} ended with ${code} before it was ready`));
      });
    });
    return { ...started, ...message };
  }

  /** Waits until something accepts connections on the port. */
  async untilListening(port: number, started: Started): Promise<void> {
    const deadlineMs = performance.now() + START_MS_MAX;
    while (!(await accepts(port))) {
      if (started.child.exitCode !== null) throw new Error(`the process for port ${port} ended at once`);
      if (performance.now() > deadlineMs) throw new Error(`nothing listens on port ${port}`);
      await delay(50);
    }
  }

  /** Flags for the peers that run in Node; `BENCH_NODE_FLAGS` has more of them, to try one out on all alike. */
  peerFlags(): string[] {
    const given = (process.env['BENCH_NODE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
    return this.#inspect ? ['--inspect=127.0.0.1:0', ...given] : given;
  }

  /** The command line that runs a command on its core. */
  pinning(core: Core, commandLine: readonly string[]): string[] {
    if (core === 'any' || !this.pinned) return [...commandLine];
    return ['taskset', '-c', CORES[core], ...commandLine];
  }

  async stop(started: Started): Promise<void> {
    await stopChild(started.child);
  }

  /** Registers what else has to be stopped; the last registered is stopped first. */
  onStop(stop: () => Promise<void>): void {
    this.#stops.unshift(stop);
  }

  /** Stops everything, also when one of the stops fails or hangs; that one is named on standard error. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map(stopChild));
    for (const stop of this.#stops.splice(0)) {
      const overdue = delay(STOP_MS_MAX, 'overdue', { ref: false });
      const problem = await Promise.race([stop(), overdue]).catch((error: unknown) => error);
      if (problem !== undefined) console.error('not stopped:', problem);
    }
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((done) => void child.once('exit', () => done()));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await exited;
  clearTimeout(killer);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
