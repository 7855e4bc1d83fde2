/** `turnout mismatches`: where the two backends differ, as a list of things to look after. */
import type { Command } from 'commander';
import {
  type GroupDocument,
  type GroupInFullDocument,
  GroupInFullSchema,
  GroupSchema,
} from '../admin/report-documents.ts';
import { printable, timeInWords } from '../wording/printable.ts';
import { askAdmin, askPages, ENVIRONMENT_HELP } from './admin-client.ts';
import { type CliContext, EXIT, type ExitCode } from './context.ts';
import { addMismatchActions } from './mismatch-actions.ts';
import { wholeNumber } from './options.ts';
import { printSample } from './sample-in-words.ts';
import { shareInWords, shortShare, watchInWords } from './share-in-words.ts';

const EXAMPLES = `
Examples:
  $ turnout mismatches
  $ turnout mismatches list --cohort beta --status open --sort last_seen
  $ turnout mismatches list --judgement all --json | jq '.[] | select(.users.estimate > 100)'
  $ turnout mismatches show 3f9a61c2d4e5b687
  $ turnout mismatches ack 3f9a61c2d4e5b687 --owner ann --note 'rounding, JIRA-12'
  $ turnout mismatches ignore 3f9a61c2d4e5b687 --for 7d
  $ turnout mismatches resolve 3f9a61c2d4e5b687 --note 'fixed in 1.4'
  $ turnout mismatches verify 3f9a61c2d4e5b687

${ENVIRONMENT_HELP}`;

const SHOWN = 30;
const SHOWN_MAX = 10_000;
const WIDTH = 120;

interface ListOptions {
  readonly status?: string;
  readonly judgement?: string;
  readonly route?: string;
  readonly cohort?: string;
  readonly sort?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

export function groupsTable(groups: readonly GroupDocument[]): string[][] {
  return [
    ['id', 'route', 'where', 'what', 'reads', 'users', 'last seen', 'state'],
    ...groups.map((group) => [
      group.id,
      printable(group.route),
      printable(group.where),
      printable(`${group.kind} ${group.types}`),
      shortShare(group.share),
      `~${group.users.estimate}`,
      timeInWords(group.lastSeen),
      stateOf(group),
    ]),
  ];
}

function stateOf({ status, judgement, owner }: GroupDocument): string {
  const judged = judgement.kind === 'reported' ? [] : [judgement.kind];
  return printable([status, ...judged, ...(owner === null ? [] : [owner])].join(', '));
}

async function list(options: ListOptions, context: CliContext): Promise<ExitCode> {
  const { limit = SHOWN, json = false, ...filters } = options;
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== undefined));
  const path = `/api/v1/mismatches${query.size === 0 ? '' : `?${query.toString()}`}`;
  const groups = await askPages(GroupSchema, path, limit, context);
  const { writer } = context;
  if (json) writer.json(groups);
  else if (groups.length === 0) {
    writer.line(
      'No difference that more than noise explains. "turnout coverage" says how much was compared.',
    );
  } else writer.table(groupsTable(groups));
  return EXIT.ok;
}

function facts({ group, watch }: GroupInFullDocument): readonly (readonly [string, string | null])[] {
  const { judgement, users, ignoredUntil, reopenedAt, lastConfirmed } = group;
  const because = judgement.because.replaceAll('_', ' ');
  const cohorts = group.cohorts.map(({ cohort, reads }) => `${cohort === '' ? 'none' : cohort} ${reads}`);
  return [
    ['route', group.route],
    ['where', group.where],
    ['what', `${group.kind} ${group.types}`],
    ['judged', `${judgement.kind}: ${because}`],
    ['reads', shareInWords(group.share)],
    ['noise', shareInWords(group.noise)],
    [
      'of these',
      `${group.confirmed} confirmed, ${group.transient} transient, ${group.flapping} flapping, ${group.unconfirmed} unconfirmed`,
    ],
    ['users', `about ${users.estimate} ± ${users.error}`],
    ['cohorts', cohorts.join(', ')],
    ['seen', `${timeInWords(group.firstSeen)} to ${timeInWords(group.lastSeen)}`],
    ['last confirmed', lastConfirmed === null ? 'never' : timeInWords(lastConfirmed)],
    ['status', `${group.status} since ${timeInWords(group.statusSince)}`],
    ['ignored until', ignoredUntil === null ? null : timeInWords(ignoredUntil)],
    ['reopened', reopenedAt === null ? null : `${group.reopened} times, last ${timeInWords(reopenedAt)}`],
    ['owner', group.owner],
    ['note', group.note],
    ['watch', watch === null ? null : watchInWords(watch)],
  ];
}

interface ShowOptions {
  readonly samples: number;
  readonly width: number;
  readonly bodies?: boolean;
  readonly json?: boolean;
}

async function show(id: string, options: ShowOptions, context: CliContext): Promise<ExitCode> {
  const { writer } = context;
  const found = await askAdmin(GroupInFullSchema, `/api/v1/mismatches/${encodeURIComponent(id)}`, context);
  if (options.json === true) {
    writer.json(found);
    return EXIT.ok;
  }
  writer.line(writer.style('bold', `mismatch group ${found.group.id}`));
  for (const [fact, value] of facts(found)) {
    if (value !== null) writer.line(`  ${writer.style('dim', fact.padEnd(15))} ${printable(value)}`);
  }
  if (found.events.length > 0) {
    writer.line();
    writer.table([
      ['when', 'who', 'did', 'from', 'to', 'detail'],
      ...found.events.map(({ at, actor, action, from, to, detail }) => [
        timeInWords(at),
        printable(actor),
        action,
        from,
        to,
        printable(detail ?? ''),
      ]),
    ]);
  }
  for (const sample of found.samples.slice(0, options.samples)) {
    writer.line();
    printSample(sample, { width: options.width, bodies: options.bodies === true }, writer);
  }
  const left = found.samples.length - options.samples;
  if (left > 0) writer.line(`\n${left} more samples: --samples ${found.samples.length} shows them.`);
  return EXIT.ok;
}

export function addMismatches(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  const mismatches = program
    .command('mismatches')
    .summary('where the two backends differ')
    .description(
      'Lists groups of differences that shadow reads found, shows one, and says what became of it.',
    )
    .addHelpText('after', EXAMPLES);
  mismatches
    .command('list', { isDefault: true })
    .description('Lists groups of differences, what matters most first. Noise is shown on demand.')
    .option('--status <words>', 'open, acknowledged, ignored, resolved; separated by commas')
    .option('--judgement <words>', 'reported, unproven, unconfirmed, noise; separated by commas, or all')
    .option('--route <name>', 'of this route')
    .option('--cohort <name>', 'seen in this cohort')
    .option('--sort <word>', 'importance, weight, share, users, reads, last_seen or first_seen')
    .option('--limit <number>', `how many (${SHOWN})`, wholeNumber(1, SHOWN_MAX))
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: ListOptions) => end(await list(options, context)));
  mismatches
    .command('show')
    .description(
      'Shows one group with its numbers, what was done with it, and pairs of answers side by side.',
    )
    .argument('<id>', 'of the group')
    .option('--samples <number>', 'pairs of answers', wholeNumber(0, 5), 1)
    .option('--bodies', 'the answers too where they have little in common')
    .option('--width <characters>', 'of both sides together', wholeNumber(60, 400), WIDTH)
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (id: string, options: ShowOptions) => end(await show(id, options, context)));
  addMismatchActions(mismatches, context, end);
}
