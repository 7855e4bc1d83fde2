#!/usr/bin/env -S MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=1048576 node --max-semi-space-size=2
/**
 * The program: hands the command line, the environment and the signals of the process to the commands. The
 * only place that reads them.
 */
import './workers/keep-heap-small.ts';
import { createInterface } from 'node:readline/promises';
import type { CliContext, Signals } from './cli/context.ts';
import { runCli } from './cli/program.ts';
import { Writer } from './cli/writer.ts';

/** Takes the signals over. Node's own way, to end at once, holds until then. */
function takeSignals(): Signals {
  const stop = new AbortController();
  const stopNow = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => (stop.signal.aborted ? stopNow : stop).abort());
  }
  const onReload = (listener: () => void) => void process.on('SIGHUP', listener);
  const onReplace = (listener: () => void) => void process.on('SIGUSR2', listener);
  // Before there is something to reload or replace, they must not end the process.
  onReload(() => {});
  onReplace(() => {});
  return { stop: stop.signal, stopNow: stopNow.signal, onReload, onReplace };
}

const { env, stdin, stdout, stderr } = process;

// Whoever reads the result has enough of it, as `head` has.
stdout.on('error', () => process.exit(1));

/** On standard error, so that the result can still be sent elsewhere. */
async function askPerson(question: string): Promise<string> {
  const terminal = createInterface({ input: stdin, output: stderr });
  // Ctrl-C and Ctrl-D are an answer too: none.
  const gone = new Promise<string>((resolve) => void terminal.once('close', () => resolve('')));
  try {
    return await Promise.race([terminal.question(question), gone]);
  } finally {
    terminal.close();
  }
}

/** As they are pressed, and without showing them. */
function readKeys(pressed: (key: string) => void): () => void {
  const take = (typed: Buffer): void => {
    for (const key of typed.toString()) pressed(key);
  };
  stdin.setRawMode(true).on('data', take).resume();
  return () => void stdin.setRawMode(false).off('data', take).pause();
}

const context: CliContext = {
  env,
  writer: new Writer({ stdout, stderr, env }),
  ask: stdin.isTTY && stderr.isTTY ? askPerson : undefined,
  stdin,
  keys: stdin.isTTY ? readKeys : undefined,
  signals: takeSignals,
};
// Said outright: a command that was stopped while it still started may leave something behind that is open.
process.exit(await runCli(process.argv.slice(2), context));
