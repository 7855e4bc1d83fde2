/** The command line: which commands there are, and how every one of them ends. */
import { Command, CommanderError } from 'commander';
import { VERSION } from '../telemetry/version.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import { addStart } from './start.ts';

const EXAMPLES = `
A first look, with two sample backends and nothing to install:
  $ turnout demo

Your own systems:
  $ turnout check turnout.yaml                                 is the configuration right?
  $ turnout explain --config turnout.yaml --user u42 --path /  where would this user go, and why?
  $ turnout start --config turnout.yaml                        run the gateway
  $ turnout status                                             what is it doing?
  $ turnout doctor --config turnout.yaml                       is anything wrong with it?
  $ turnout mismatches                                         where do the two backends differ?
  $ turnout stage beta live --ramp 10% --reason 'first users'  move users
  $ turnout rollback beta --reason 'orders are slow'           and back
  $ turnout guard show                                         why did it go back by itself?

"turnout COMMAND --help" explains one command, with examples.`;

function createProgram({ writer }: CliContext): Command {
  return new Command('turnout')
    .description('An HTTP gateway that moves users from a legacy system to its replacement, and back.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError(true)
    .showHelpAfterError('("turnout --help" lists the commands and their options)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => writer.raw(text),
      writeErr: (text) => writer.rawNote(text),
      getOutHasColors: () => writer.colours.out,
      getErrHasColors: () => writer.colours.err,
    });
}

/** The demo brings two sample systems with it, which no other command has to load. */
async function addDemo(
  program: Command,
  args: readonly string[],
  context: CliContext,
  end: (code: ExitCode) => void,
): Promise<void> {
  if (args.includes('demo')) {
    const { addDemo: add } = await import('./demo.ts');
    add(program, context, end);
    return;
  }
  // Listed by `--help`, and suggested to whoever misspells its name.
  program.command('demo').summary('try it: a gateway between two sample systems');
}

/** Whoever runs a gateway would keep them in memory for as long as it runs: some megabytes. */
async function addOthers(
  program: Command,
  args: readonly string[],
  context: CliContext,
  end: (code: ExitCode) => void,
): Promise<void> {
  await addDemo(program, args, context, end);
  const { addOperations } = await import('./operations.ts');
  addOperations(program, context, end);
}

function endOf(error: unknown, { writer }: CliContext): ExitCode {
  if (error instanceof CommanderError) {
    // Help and version that were asked for end well; everything else that it throws is about usage.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  if (error instanceof CliError) {
    writer.note(error.message);
    return error.exitCode;
  }
  writer.note(`A defect: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return EXIT.failure;
}

/**
 * Runs one command line.
 *
 * @param args without the program's name
 * @returns the exit code, when the command has ended
 */
export async function runCli(args: readonly string[], context: CliContext): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const end = (with_: ExitCode): void => {
    code = with_;
  };
  try {
    const program = createProgram(context);
    addStart(program, context, end);
    if (args[0] !== 'start') await addOthers(program, args, context, end);
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return EXIT.usage;
    }
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return endOf(error, context);
  }
}
