/** `turnout guard`: what the guard sees and judges, what tripped, and letting a cohort go live again. */
import type { Command } from 'commander';
import {
  ClearAnswerSchema,
  type CohortGuardDocument,
  GuardSchema,
  type JudgementDocument,
  type SideDocument,
  type TripDocument,
  TripSchema,
} from '../admin/guard-documents.ts';
import { metricValue } from '../admin/trip-sentences.ts';
import { secondsInWords } from '../wording/duration-in-words.ts';
import { printable, timeInWords } from '../wording/printable.ts';
import { runInWords } from '../wording/ramp-in-words.ts';
import { askAdmin, askPages, ENVIRONMENT_HELP, tellOnce } from './admin-client.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import { addDryRun } from './guard-dry-run.ts';
import { wholeNumber } from './options.ts';

const EXAMPLES = `
The guard watches what new answers, second by second, and sends a cohort back to legacy when a condition is shown to be
exceeded: by default more than 5 % of its requests fail, or take more than 1,000 ms in the mean, or get no answer. A cohort
that it took back stays there until a person clears it. docs/guard-operation.md explains it, docs/guard.md how it judges.

Words of a verdict: healthy (shown to be below the threshold), uncertain (neither shown to be below nor above it), no data
(too few requests to say anything), tripped (shown to be above it).

Examples:
  $ turnout guard status                                       what does it see now?
  $ turnout guard show                                         why did it go back last? (at 3 a.m., begin here)
  $ turnout guard trips --cohort beta                          what tripped before
  $ turnout guard clear beta --reason 'the fix is deployed'    let it go live again
  $ turnout guard dry-run beta --from 7d --condition errorRate:2%
                                                               would 2 % have tripped in the last week?

Exit codes: 0 done, 1 failed or refused (nothing is tripped, there is no such trip), 64 wrong usage.
${ENVIRONMENT_HELP}`;

const TRIPS_SHOWN = 20;
const TRIPS_MAX = 100_000;

function share(failed: number, requests: number): string {
  return requests === 0 ? '-' : metricValue('errorRate', failed / requests);
}

function counts({ window }: SideDocument): string[] {
  const { requests, failed } = window;
  return [requests.toLocaleString('en'), share(failed, requests)];
}

function judged(cohort: string, { condition, verdict, figures }: JudgementDocument): string[] {
  const { metric, name, action } = condition;
  const shown = (value: number | null): string => (value === null ? '-' : metricValue(metric, value));
  const bounds =
    figures.lower === null || figures.upper === null
      ? ''
      : `${shown(figures.lower)} to ${shown(figures.upper)}`;
  return [
    printable(cohort),
    name,
    verdict === 'no-data' ? 'no data' : verdict,
    shown(figures.value),
    bounds,
    shown(figures.threshold ?? condition.over),
    shown(figures.legacyValue),
    figures.requests.toLocaleString('en'),
    action,
  ];
}

function noteOf({ cohort, phase, trip, ramp }: CohortGuardDocument): string[] {
  const lines: string[] = [];
  const name = printable(cohort);
  if (phase === 'tripped' && trip !== null) {
    lines.push(
      `${name}: ${trip.condition.name} tripped at ${timeInWords(trip.trippedAt)}; "turnout guard show ${trip.id}" says why, "turnout guard clear ${name} --reason …" lets it go live again.`,
    );
  }
  if (phase === 'cooling' && trip !== null) {
    lines.push(
      `${name}: ${trip.condition.name} tripped at ${timeInWords(trip.trippedAt)}; it is not said again for a while.`,
    );
  }
  if (ramp !== null && ramp.endedAt === null) lines.push(`${name}: ramp ${runInWords(ramp)}.`);
  return lines;
}

async function status(name: string | undefined, json: boolean, context: CliContext): Promise<ExitCode> {
  const { writer } = context;
  const guard = await askAdmin(GuardSchema, '/api/v1/guard', context);
  const cohorts = guard.cohorts.filter(({ cohort }) => name === undefined || cohort === name);
  if (name !== undefined && cohorts.length === 0)
    throw new CliError(`There is no cohort ${printable(name)}.`);
  if (json) {
    writer.json({ ...guard, cohorts });
    return EXIT.ok;
  }
  if (cohorts.length === 0) {
    writer.line('There are no cohorts.');
    return EXIT.ok;
  }
  writer.line(`In the last ${secondsInWords(guard.windowMs)}:`);
  writer.table([
    ['cohort', 'stage', 'guard', 'to new', 'failed', 'to legacy', 'failed'],
    ...cohorts.map((cohort) => [
      printable(cohort.cohort),
      cohort.stage,
      cohort.phase,
      ...counts(cohort.new),
      ...counts(cohort.legacy),
    ]),
  ]);
  const judgements = cohorts.flatMap(({ cohort, judgements: all }) => all.map((one) => judged(cohort, one)));
  if (judgements.length > 0) {
    writer.line();
    writer.table([
      ['cohort', 'condition', 'verdict', 'new', 'surely', 'trips over', 'legacy', 'requests', 'then'],
      ...judgements,
    ]);
  }
  const notes = cohorts.flatMap(noteOf);
  if (notes.length > 0) writer.line();
  for (const note of notes) writer.line(note);
  return EXIT.ok;
}

function stateOf({ action, clearedAt, inForceAt }: TripDocument): string {
  if (clearedAt !== null) return 'cleared';
  if (action !== 'rollback') return 'told';
  return inForceAt === null ? 'going back' : 'went back, not cleared';
}

interface TripsOptions {
  readonly cohort?: string;
  readonly limit: number;
  readonly json?: boolean;
}

async function trips({ cohort, limit, json = false }: TripsOptions, context: CliContext): Promise<ExitCode> {
  const query = cohort === undefined ? '' : `?cohort=${encodeURIComponent(cohort)}`;
  const found = await askPages(TripSchema, `/api/v1/guard/trips${query}`, limit, context);
  if (json) context.writer.json(found);
  else if (found.length === 0) context.writer.line('Nothing has tripped.');
  else {
    context.writer.table([
      ['id', 'when', 'cohort', 'condition', 'new', 'then', 'in force after', 'state'],
      ...found.map((trip) => [
        trip.id,
        timeInWords(trip.trippedAt),
        printable(trip.cohort),
        trip.condition.name,
        trip.figures.value === null ? '-' : metricValue(trip.condition.metric, trip.figures.value),
        trip.action,
        trip.untilInForceMs === null ? '-' : secondsInWords(trip.untilInForceMs),
        stateOf(trip),
      ]),
    ]);
  }
  return EXIT.ok;
}

async function latest(context: CliContext): Promise<TripDocument> {
  const [newest] = await askPages(TripSchema, '/api/v1/guard/trips', 1, context);
  if (newest === undefined) throw new CliError('Nothing has tripped.');
  return newest;
}

async function show(id: string | undefined, json: boolean, context: CliContext): Promise<ExitCode> {
  const { writer } = context;
  const trip =
    id === undefined
      ? await latest(context)
      : await askAdmin(TripSchema, `/api/v1/guard/trips/${encodeURIComponent(id)}`, context);
  if (json) {
    writer.json(trip);
    return EXIT.ok;
  }
  writer.line(writer.style('bold', `trip ${trip.id}`));
  for (const sentence of trip.sentences) writer.line(`  ${printable(sentence)}`);
  if (trip.action !== 'rollback' || trip.clearedAt !== null) return EXIT.ok;
  const change = trip.change === null ? '' : `"turnout changes ${trip.change}" shows the rollback. `;
  writer.line();
  writer.line(`${change}When new is well again:`);
  writer.line(`  $ turnout guard clear ${printable(trip.cohort)} --reason '…'`);
  return EXIT.ok;
}

async function clear(
  cohort: string,
  { reason, json = false }: { readonly reason: string; readonly json?: boolean },
  context: CliContext,
): Promise<ExitCode> {
  const path = `/api/v1/cohorts/${encodeURIComponent(cohort)}/ramp`;
  // Once only: a second one would be told that nothing is tripped.
  const { trip } = await tellOnce(
    ClearAnswerSchema,
    { method: 'POST', path, body: { action: 'clear', reason } },
    context,
  );
  if (json) context.writer.json(trip);
  else {
    const name = printable(cohort);
    context.writer.line(`trip ${trip.id} is cleared: cohort ${name} may go live again. Nobody was moved.`);
    context.writer.line(`  $ turnout stage ${name} live --ramp 1% --reason '…'`);
  }
  return EXIT.ok;
}

export function addGuard(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  const guard = program
    .command('guard')
    .summary('what it watches, what tripped, and letting a cohort go live again')
    .description('The guard sends a cohort back to legacy by itself when new is shown to fail.')
    .addHelpText('after', EXAMPLES);
  guard
    .command('status', { isDefault: true })
    .description('Prints what the guard sees and judges of each cohort.')
    .argument('[cohort]', 'only this one')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (cohort: string | undefined, { json = false }: { json?: boolean }) =>
      end(await status(cohort, json, context)),
    );
  guard
    .command('trips')
    .description('Lists what tripped, the newest first.')
    .option('--cohort <name>', 'only of this cohort')
    .option('--limit <number>', 'how many', wholeNumber(1, TRIPS_MAX), TRIPS_SHOWN)
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: TripsOptions) => end(await trips(options, context)));
  guard
    .command('show')
    .description(
      'Says why it went back: which condition, which figures, which gateways, how long until in force.',
    )
    .argument('[trip]', 'its id; without it the latest one')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (id: string | undefined, { json = false }: { json?: boolean }) =>
      end(await show(id, json, context)),
    );
  guard
    .command('clear')
    .description('Lets a cohort that the guard took back go live again. It moves nobody by itself.')
    .argument('<cohort>', 'its name')
    .requiredOption('--reason <text>', 'why, for the audit')
    .option('--json', 'print the trip as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (cohort: string, options: { readonly reason: string; readonly json?: boolean }) =>
      end(await clear(cohort, options, context)),
    );
  addDryRun(guard, context, end);
}
