/** `turnout db`: the schema of the record, apart from the start of a gateway. */
import type { Command } from 'commander';
import { type MigrationStatus, readMigrations, runMigrations } from '../storage/migration-status.ts';
import { printable, timeInWords } from '../wording/printable.ts';
import { readConfig } from './config-file.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import { messageOf } from './finding.ts';

const EXAMPLES = `
Examples:
  $ turnout db status --config turnout.yaml
  $ turnout db migrate --config turnout.yaml

The first gateway that starts runs what is pending; gateways that start together wait for one another. Run it apart where
the gateway's own database user may not change tables. The embedded record cannot be looked at while a gateway runs on it.

Exit codes: 0 done, 1 failed; for status also: something is pending. 64 wrong usage, 78 wrong configuration.`;

const ANSWER_MS = 5_000;

interface DbOptions {
  readonly config: string;
  readonly json?: boolean;
}

async function whole<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new CliError(`The record cannot be used: ${messageOf(cause)}.`, EXIT.failure, { cause });
  }
}

function printStatus(
  { where, server, applied, pending, unknown }: MigrationStatus,
  { writer }: CliContext,
): void {
  writer.line(server === undefined ? where : `${where}, Postgres ${server}`);
  writer.line();
  writer.table([
    ['migration', 'name', 'applied'],
    ...applied.map(({ number, name, at }) => [
      String(number),
      printable(name),
      at === undefined ? 'yes' : timeInWords(at.toISOString()),
    ]),
    ...pending.map(({ number, name }) => [String(number), name, 'pending']),
  ]);
  if (unknown.length === 0) return;
  writer.line();
  writer.line(`A newer version of Turnout applied ${unknown.join(', ')}: this one cannot use the record.`);
}

async function status({ config, json = false }: DbOptions, context: CliContext): Promise<ExitCode> {
  const found = await whole(readMigrations(readConfig(config, context).record, ANSWER_MS));
  if (json) context.writer.json(found);
  else printStatus(found, context);
  return found.pending.length === 0 && found.unknown.length === 0 ? EXIT.ok : EXIT.failure;
}

async function migrate({ config, json = false }: DbOptions, context: CliContext): Promise<ExitCode> {
  const { writer } = context;
  const { where, pending } = await whole(runMigrations(readConfig(config, context).record, ANSWER_MS));
  if (json) writer.json({ where, ran: pending });
  else if (pending.length === 0) writer.line(`${where} has the newest schema already`);
  else {
    for (const { number, name } of pending) writer.line(`ran migration ${number}, ${name}`);
    writer.line(`${where} has the newest schema`);
  }
  return EXIT.ok;
}

export function addDb(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  const db = program
    .command('db')
    .summary('the schema of the record')
    .description('Shows or runs the migrations of the record.')
    .addHelpText('after', EXAMPLES);
  for (const [name, description, run] of [
    ['status', 'Shows which migrations the record has, and which are pending.', status],
    ['migrate', 'Brings the record to the schema of this version.', migrate],
  ] as const) {
    db.command(name)
      .description(description)
      .requiredOption('-c, --config <file>', 'the configuration that names the record')
      .option('--json', 'print JSON')
      .addHelpText('after', EXAMPLES)
      .action(async (options: DbOptions) => end(await run(options, context)));
  }
}
