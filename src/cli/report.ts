/** `turnout coverage` and `turnout report`: how much is known, and what it says of a cohort. */
import { type Command, Option } from 'commander';
import { CohortReportSchema, type CoverageDocument, CoverageSchema } from '../admin/evidence-documents.ts';
import { printable } from '../wording/printable.ts';
import { askAdmin, ENVIRONMENT_HELP } from './admin-client.ts';
import { type CliContext, EXIT, type ExitCode } from './context.ts';
import { wholeNumber } from './options.ts';
import { shareInWords } from './share-in-words.ts';

const COVERAGE_EXAMPLES = `
Examples:
  $ turnout coverage
  $ turnout coverage --cohort beta --days 30
  $ turnout coverage --json | jq '.never'

${ENVIRONMENT_HELP}`;

const REPORT_EXAMPLES = `
Examples:
  $ turnout report beta                   Markdown, for a change ticket
  $ turnout report beta --days 30 --json  the same as data

${ENVIRONMENT_HELP}`;

const DAYS_MAX = 999;

function skippedInWords(skipped: Readonly<Record<string, number>>): string {
  return Object.entries(skipped)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');
}

function printCoverage({ rows, never, notShadowed }: CoverageDocument, { writer }: CliContext): void {
  if (rows.length === 0) writer.line('Nothing was compared or skipped in this time.');
  else {
    writer.table([
      ['route', 'cohort', 'compared', 'matched', 'repeated for noise', 'skipped'],
      ...rows.map((row) => [
        printable(row.route),
        row.cohort === '' ? 'none' : printable(row.cohort),
        String(row.compared),
        shareInWords(row.matched),
        String(row.noiseReads),
        skippedInWords(row.skipped),
      ]),
    ]);
  }
  const names = (list: readonly string[]): string => list.map(printable).join(', ');
  if (never.length > 0) writer.line(`\n${writer.style('yellow', 'never compared')}: ${names(never)}`);
  if (notShadowed.length > 0)
    writer.line(`\n${writer.style('dim', 'not to be compared')}: ${names(notShadowed)}`);
}

interface CoverageOptions {
  readonly cohort?: string;
  readonly days?: number;
  readonly json?: boolean;
}

async function coverage(options: CoverageOptions, context: CliContext): Promise<ExitCode> {
  const { cohort, days, json = false } = options;
  const query = new URLSearchParams();
  if (cohort !== undefined) query.set('cohort', cohort);
  if (days !== undefined) query.set('days', String(days));
  const found = await askAdmin(CoverageSchema, `/api/v1/coverage?${query.toString()}`, context);
  if (json) context.writer.json(found);
  else printCoverage(found, context);
  return EXIT.ok;
}

interface ReportOptions {
  readonly days?: number;
  readonly json?: boolean;
}

async function report(
  cohort: string,
  { days, json = false }: ReportOptions,
  context: CliContext,
): Promise<ExitCode> {
  const query = new URLSearchParams(json ? {} : { markdown: 'true' });
  if (days !== undefined) query.set('days', String(days));
  const path = `/api/v1/cohorts/${encodeURIComponent(cohort)}/report?${query.toString()}`;
  const found = await askAdmin(CohortReportSchema, path, context);
  if (json) context.writer.json(found);
  else context.writer.raw(found.markdown ?? '');
  return EXIT.ok;
}

export function addCoverage(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('coverage')
    .summary('what was compared, and what never was')
    .description('Says by route and cohort how many reads were compared, how many were skipped and why.')
    .option('--cohort <name>', 'of this cohort')
    .option('--days <number>', 'how far to look back (7)', wholeNumber(1, DAYS_MAX))
    .option('--json', 'print JSON')
    .addHelpText('after', COVERAGE_EXAMPLES)
    .action(async (options: CoverageOptions) => end(await coverage(options, context)));
}

export function addReport(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('report')
    .summary('the evidence on a cohort, for a change ticket')
    .description(
      'Match share with its interval, groups of differences by weight, coverage, latency, and what is not known.',
    )
    .argument('<cohort>', 'its name')
    .option('--days <number>', 'how far to look back (7)', wholeNumber(1, DAYS_MAX))
    .addOption(new Option('--markdown', 'print Markdown; it does so anyway').conflicts('json'))
    .option('--json', 'print JSON')
    .addHelpText('after', REPORT_EXAMPLES)
    .action(async (cohort: string, options: ReportOptions) => end(await report(cohort, options, context)));
}
