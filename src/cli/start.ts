/** `turnout start`: the gateway itself. */
import type { Command } from 'commander';
import { loadConfig } from '../config/load-config.ts';
import { readConfig, withPorts } from './config-file.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import { parsePort } from './options.ts';
import { serve } from './serve.ts';

const EXAMPLES = `
Examples:
  $ turnout start --config turnout.yaml
  $ turnout start --config turnout.yaml --port 9090 --admin-port 9091
  $ kill -HUP PID     read the configuration again; a bad file changes nothing
  $ kill -USR2 PID    replace the workers one by one, without losing a request
  $ kill -TERM PID    finish what is in flight, then stop; a second time: stop at once

Exit codes: 0 stopped, 1 could not start, 64 wrong usage, 78 wrong configuration.`;

interface StartOptions {
  readonly config: string;
  readonly port?: number;
  readonly adminPort?: number;
  readonly json?: boolean;
}

export function addStart(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('start')
    .summary('run the gateway')
    .description(
      'Runs the gateway and its admin listener until it is stopped. Logs JSON lines on standard output.',
    )
    .requiredOption('-c, --config <file>', 'the configuration, see config/turnout.yaml for every key')
    .option('-p, --port <number>', 'listen here instead of listen.port', parsePort)
    .option('--admin-port <number>', 'listen here instead of admin.listen.port', parsePort)
    .option('--json', 'accepted for symmetry: the log is JSON already')
    .addHelpText('after', EXAMPLES)
    .action(async ({ config: file, port, adminPort }: StartOptions) => {
      const ports = { port, adminPort };
      const config = withPorts(readConfig(file, context), ports);
      if (config.listen.port !== 0 && config.listen.port === config.admin.listen.port) {
        throw new CliError(`--port and --admin-port are both ${config.listen.port}.`, EXIT.usage);
      }
      const readAgain = () => withPorts(loadConfig(file, context.env), ports);
      end(await serve({ config, readAgain, signals: context.signals() }));
    });
}
