/** Runs one command line as a process of its own, without a terminal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { within } from '../harness/within.ts';
import type { Ran } from './run-in-process.ts';

const ENDING = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const MAIN = fileURLToPath(new URL(`../../src/main${ENDING}`, import.meta.url));
const END_MS = 60_000;

/** The caller waits for its end. */
export function startProgram(args: readonly string[], env: Readonly<Record<string, string>>) {
  return spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export async function runProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const child = startProgram(args, env);
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  try {
    const [out, err, [code]] = await within(ended, `the end of turnout ${args.join(' ')}`, END_MS);
    return { code, out, err };
  } finally {
    child.kill('SIGKILL');
  }
}
