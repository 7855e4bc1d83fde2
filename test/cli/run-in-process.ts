/** Runs one command line in the test's own process, with an environment and outputs of its own. */
import { Readable } from 'node:stream';
import type { CliContext } from '../../src/cli/context.ts';
import { runCli } from '../../src/cli/program.ts';
import { Writer } from '../../src/cli/writer.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly isTTY?: boolean;
  /** What the person at the terminal types; without it there is none. */
  readonly answer?: string;
  /** What is piped in. */
  readonly stdin?: Readable;
  /** Stands for Ctrl-C. */
  readonly stop?: AbortSignal;
  /** Of the terminal. */
  readonly screen?: { readonly columns: number; readonly rows: number };
  /** Stands for the keyboard. */
  readonly keys?: CliContext['keys'];
  /** Gets everything that was written to standard output, each time there is more. */
  readonly onOutput?: (written: string) => void;
  /** Gets everything that was written to standard error, each time there is more. */
  readonly onError?: (written: string) => void;
}

export async function run(
  args: readonly string[],
  {
    env = {},
    isTTY = false,
    answer,
    onError,
    onOutput,
    screen,
    keys,
    stdin,
    stop = new AbortController().signal,
  }: RunOptions = {},
): Promise<Ran> {
  const written = { out: '', err: '' };
  const stdout = {
    isTTY,
    ...screen,
    write: (text: string) => {
      written.out += text;
      onOutput?.(written.out);
    },
  };
  const stderr = {
    isTTY,
    write: (text: string) => {
      written.err += text;
      onError?.(written.err);
    },
  };
  const context: CliContext = {
    env,
    writer: new Writer({ stdout, stderr, env }),
    ask:
      answer === undefined
        ? undefined
        : async (question) => {
            written.err += question;
            return answer;
          },
    keys,
    stdin: stdin === undefined ? Readable.from([]) : stdin,
    signals: () => {
      const { signal: never } = new AbortController();
      return { stop, stopNow: never, onReload: () => undefined, onReplace: () => undefined };
    },
  };
  const code = await runCli(args, context);
  return { code, ...written };
}
