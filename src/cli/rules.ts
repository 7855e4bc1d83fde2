/** `turnout rules`: how the answers of a route are compared, tried before it is changed. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import {
  type RouteRulesDocument,
  RouteRulesSchema,
  SavedVersionSchema,
  type TrialDocument,
  TrialSchema,
} from '../admin/rules-routes.ts';
import { printable, timeInWords } from '../wording/printable.ts';
import { askAdmin, ENVIRONMENT_HELP, tellAdmin } from './admin-client.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import { wholeNumber } from './options.ts';

const EXAMPLES = `
Examples:
  $ turnout rules show '/api/*'
  $ turnout rules show '/api/*' --json | jq .rules > rules.json
  $ turnout rules try '/api/*' --file rules.json
  $ turnout rules set '/api/*' --file rules.json --reason 'new rounds half up' --expected-version 3
  $ turnout rules set '/api/*' --configured --reason 'the rules are in the configuration now'

A file has the rules as JSON, with the keys that "compare" has in the configuration. They take the place of the
configured rules of that route, as a whole, in every gateway within five seconds.
${ENVIRONMENT_HELP}`;

function pathOf(route: string): string {
  return `/api/v1/routes/${encodeURIComponent(route)}/rules`;
}

function readRules(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${file} cannot be read: ${reason}`, EXIT.failure, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${file} is not JSON: ${reason}`, EXIT.failure, { cause });
  }
}

const SOURCES: Readonly<Record<string, string>> = {
  'run-time': 'saved at run time; they replace those of the configuration',
  configuration: 'of the configuration',
  none: 'none: everything has to be the same',
};

function printRules(
  { route, source, rules, version, history }: RouteRulesDocument,
  { writer }: CliContext,
): void {
  writer.line(
    `${writer.style('bold', printable(route))}: version ${version}, ${SOURCES[source] ?? printable(source)}`,
  );
  for (const line of JSON.stringify(rules, undefined, 2).split('\n')) writer.line(printable(line));
  if (history.length === 0) return;
  writer.line();
  writer.table([
    ['version', 'when', 'by', 'what', 'reason'],
    ...history.map((saved) => [
      String(saved.version),
      timeInWords(saved.at),
      printable(saved.actor),
      saved.rules === null ? 'back to the configuration' : 'saved',
      printable(saved.reason),
    ]),
  ]);
}

function printTrial({ samples, groups, appear }: TrialDocument, { writer }: CliContext): void {
  writer.line(`Tried on ${samples} stored samples.`);
  if (groups.length > 0) {
    writer.line();
    writer.table([
      ['id', 'where', 'what', 'status', 'would', 'samples: gone', 'stay', 'unknown'],
      ...groups.map(({ id, where, kind, status, verdict, gone, stays, unknown }) => [
        id,
        printable(where),
        kind,
        status,
        verdict === 'gone' ? 'vanish' : verdict === 'stays' ? 'stay' : verdict,
        String(gone),
        String(stays),
        String(unknown),
      ]),
    ]);
  }
  if (appear.length === 0) return;
  writer.line('\nWould appear, covered by the rules of now:');
  for (const { where, kind, samples: count } of appear)
    writer.line(`  ${printable(where)} ${kind}, in ${count} samples`);
}

interface SetOptions {
  readonly file?: string;
  readonly configured?: boolean;
  readonly reason: string;
  readonly expectedVersion?: number;
  readonly json?: boolean;
}

async function set(route: string, options: SetOptions, context: CliContext): Promise<ExitCode> {
  const { file, configured = false, reason, expectedVersion, json = false } = options;
  if ((file === undefined) !== configured) {
    throw new CliError('Say which rules: either --file FILE or --configured.', EXIT.usage);
  }
  const rules = file === undefined ? null : readRules(file);
  const body = { rules, reason, ...(expectedVersion === undefined ? {} : { expectedVersion }) };
  const saved = await tellAdmin(SavedVersionSchema, { method: 'PUT', path: pathOf(route), body }, context);
  if (json) context.writer.json(saved);
  else {
    const which = rules === null ? 'those of the configuration' : `version ${saved.version}`;
    context.writer.line(`rules of ${printable(saved.route)}: ${which}, in every gateway within five seconds`);
  }
  return EXIT.ok;
}

async function tryOut(route: string, file: string, json: boolean, context: CliContext): Promise<ExitCode> {
  const call = { method: 'POST', path: `${pathOf(route)}/try`, body: { rules: readRules(file) } } as const;
  const trial = await tellAdmin(TrialSchema, call, context);
  if (json) context.writer.json(trial);
  else printTrial(trial, context);
  return EXIT.ok;
}

export function addRules(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  const rules = program
    .command('rules')
    .summary('how the answers of a route are compared')
    .description('Shows the rules of a route, tries others on stored samples, and saves them.')
    .addHelpText('after', EXAMPLES);
  const command = (name: string, description: string): Command =>
    rules
      .command(name)
      .description(description)
      .argument('<route>', 'its name; without one in the configuration, its methods and path')
      .option('--json', 'print JSON')
      .addHelpText('after', EXAMPLES);
  command('show', 'Shows the rules of a route, and where they come from.').action(
    async (route: string, { json = false }: { json?: boolean }) => {
      const found = await askAdmin(RouteRulesSchema, pathOf(route), context);
      if (json) context.writer.json(found);
      else printRules(found, context);
      end(EXIT.ok);
    },
  );
  command('try', 'Says which groups of differences would vanish, and which would stay. Changes nothing.')
    .requiredOption('--file <file>', 'with the rules')
    .action(async (route: string, { file, json = false }: { file: string; json?: boolean }) =>
      end(await tryOut(route, file, json, context)),
    );
  command('set', 'Saves the rules of a route.')
    .option('--file <file>', 'with the rules')
    .option('--configured', 'back to those of the configuration')
    .requiredOption('--reason <text>', 'why, for the audit')
    .option('--expected-version <number>', 'refused unless this one is in force', wholeNumber(0, 1e15))
    .action(async (route: string, options: SetOptions) => end(await set(route, options, context)));
}
