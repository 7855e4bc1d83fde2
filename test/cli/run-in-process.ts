/** Runs one command line in the test's own process, with an environment and outputs of its own. */
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
}

export async function run(
  args: readonly string[],
  { env = {}, isTTY = false }: RunOptions = {},
): Promise<Ran> {
  const written = { out: '', err: '' };
  const stdout = { isTTY, write: (text: string) => void (written.out += text) };
  const stderr = { isTTY, write: (text: string) => void (written.err += text) };
  const context: CliContext = {
    env,
    writer: new Writer({ stdout, stderr, env }),
    signals: () => {
      throw new Error('this command is not one that runs until it is stopped');
    },
  };
  const code = await runCli(args, context);
  return { code, ...written };
}
