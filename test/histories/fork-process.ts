/** A process of this folder that is told what to do, and ends when its parent does. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Teardown } from '../harness/teardown.ts';
import { within } from '../harness/within.ts';

const ENDING = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** Of a file of this folder: as written, or compiled. */
export function entryOf(name: string): string {
  return fileURLToPath(new URL(`./${name}${ENDING}`, import.meta.url));
}

export interface ForkedProcess {
  readonly child: ChildProcess;
  /** Sends a message and resolves with the next one that comes back. */
  ask<Answer>(message: object): Promise<Answer>;
  /** Lets it end in order. */
  end(): Promise<void>;
}

export function forkProcess(t: Teardown, name: string): ForkedProcess {
  const child = fork(entryOf(name), [], { serialization: 'advanced' });
  const exited = once(child, 'exit');
  const end = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    await within(exited, `the end of ${name}`, 10_000).catch(() => child.kill('SIGKILL'));
  };
  t.teardown(end);
  return {
    child,
    end,
    ask: async <Answer>(message: object): Promise<Answer> => {
      child.send(message);
      const [answer]: Answer[] = await within(once(child, 'message'), `an answer of ${name}`, 60_000);
      if (answer === undefined) throw new Error(`${name} answered nothing`);
      return answer;
    },
  };
}
