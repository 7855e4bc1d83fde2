/** The program as a process of its own, with its log and its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { within } from '../harness/within.ts';

const ENDING = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const MAIN = fileURLToPath(new URL(`../../src/main${ENDING}`, import.meta.url));

/** The first start of the embedded record takes some seconds, more on a busy machine. */
const START_MS = 60_000;

type Entry = Record<string, unknown>;

export class TurnoutProcess {
  readonly entries: Entry[] = [];
  stderr = '';
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  #listeners: (() => void)[] = [];

  constructor(t: Test, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...env },
      stdio: 'pipe',
    });
    this.#child = child;
    this.ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (this.stderr += text));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.entries.push(JSON.parse(line));
      for (const listener of this.#listeners.splice(0)) listener();
    });
    t.teardown(async () => {
      child.kill('SIGKILL');
      await this.ended;
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Resolves when it logs this event for the `count`th time; rejects when it ends before. */
  async logged(event: string, count = 1): Promise<Entry> {
    const look = async (): Promise<Entry> => {
      for (;;) {
        const found = this.entries.filter((entry) => entry['event'] === event)[count - 1];
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => this.#listeners.push(resolve));
      }
    };
    const early = this.ended.then((code): never => {
      throw new Error(`ended with ${code} before it logged ${event}: ${this.stderr}`);
    });
    return within(Promise.race([look(), early]), `the event ${event}`, START_MS);
  }

  end(): Promise<number | null> {
    return within(this.ended, 'the end of the process', START_MS);
  }

  /** The ports of the gateway and of its admin listener, once it listens. */
  async ports(): Promise<{ port: number; adminPort: number }> {
    const { address, admin } = await this.logged('listening');
    return { port: portOf(address), adminPort: portOf(admin) };
  }
}

function portOf(address: unknown): number {
  if (typeof address === 'object' && address !== null && 'port' in address) return Number(address.port);
  throw new Error('an address without a port');
}
