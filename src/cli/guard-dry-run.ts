/** `turnout guard dry-run`: when would the guard have tripped? */
import { type Command, InvalidArgumentError } from 'commander';
import { type DryRunDocument, DryRunSchema } from '../admin/guard-documents.ts';
import { metricValue } from '../admin/trip-sentences.ts';
import { durationInWords } from '../wording/duration-in-words.ts';
import { printable, timeInWords } from '../wording/printable.ts';
import { ENVIRONMENT_HELP, tellOnce } from './admin-client.ts';
import { CONDITION_HELP, type ConditionForm, collectCondition } from './condition-option.ts';
import { type CliContext, EXIT, type ExitCode } from './context.ts';
import { spanMs } from './duration.ts';

const EXAMPLES = `
It judges the seconds that were recorded, by the very code that judges now, and changes nothing. They are kept for 14 days.
After each trip the condition is quiet for the cooldown. Without --condition it takes the conditions in force.

Examples:
  $ turnout guard dry-run beta --from 24h
  $ turnout guard dry-run beta --from 2026-11-20T00:00:00Z --to 2026-11-21T00:00:00Z
  $ turnout guard dry-run beta --from 7d --condition errorRate:2% --condition p99LatencyMs:800,x1.5
  $ turnout guard dry-run beta --from 7d --condition meanLatencyMs:400,window=60s,min=20,windows=2/3 --json

Exit codes: 0 judged, whatever came out, 1 failed or refused, 64 wrong usage.
${ENVIRONMENT_HELP}`;

/** Judging two weeks of seconds takes a while. */
const ANSWER_MS = 120_000;

/** ISO 8601, or `24h`: so long ago. @returns milliseconds of the day's clock, or how long before now */
function parseMoment(text: string): { readonly at: number } | { readonly ago: number } {
  if (/^\d+(ms|s|m|h|d)$/u.test(text)) return { ago: spanMs(text) };
  const at = Date.parse(text);
  if (Number.isNaN(at)) {
    throw new InvalidArgumentError('A time looks like 2026-11-21T09:00:00Z, or 24h for a day ago.');
  }
  return { at };
}

type Moment = ReturnType<typeof parseMoment>;

interface DryRunOptions {
  readonly from: Moment;
  readonly to?: Moment;
  readonly condition?: readonly ConditionForm[];
  readonly json?: boolean;
}

function iso(moment: Moment, now: number): string {
  return new Date('at' in moment ? moment.at : now - moment.ago).toISOString();
}

function print({ cohort, conditions, slots, from, to, trips }: DryRunDocument, { writer }: CliContext): void {
  const name = printable(cohort);
  if (slots === 0 || from === null || to === null) {
    writer.line(`Nothing was recorded of cohort ${name} in that time.`);
    return;
  }
  const judged = durationInWords(slots * 1_000);
  writer.line(
    `${judged} were recorded of cohort ${name} between ${timeInWords(from)} and ${timeInWords(to)}.`,
  );
  writer.line(`Judged by ${conditions.map((condition) => condition.name).join(', ')}.`);
  if (trips.length === 0) {
    writer.line('It would not have tripped.');
    return;
  }
  writer.line(`It would have tripped ${trips.length === 1 ? 'once' : `${trips.length} times`}:`);
  const metrics = new Map(conditions.map((condition) => [condition.name, condition.metric]));
  writer.table([
    ['when', 'condition', 'new', 'trips over', 'legacy', 'requests', 'shown by'],
    ...trips.map(({ at, condition, path, figures }) => {
      const metric = metrics.get(condition);
      const shown = (value: number | null): string =>
        value === null || metric === undefined ? '-' : metricValue(metric, value);
      return [
        timeInWords(at),
        printable(condition),
        shown(figures.value),
        shown(figures.threshold),
        shown(figures.legacyValue),
        figures.requests.toLocaleString('en'),
        path === 'windows' ? 'whole windows' : 'overwhelming evidence',
      ];
    }),
  ]);
}

export function addDryRun(guard: Command, context: CliContext, end: (code: ExitCode) => void): void {
  guard
    .command('dry-run')
    .description('Says when the guard would have tripped, by the conditions in force or by others.')
    .argument('<cohort>', 'its name')
    .requiredOption('--from <time>', 'ISO 8601, or 24h for a day ago', parseMoment)
    .option('--to <time>', 'the same; now unless given, and at most 14 days later', parseMoment)
    .option('--condition <condition>', CONDITION_HELP, collectCondition)
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (cohort: string, { from, to = { ago: 0 }, condition, json = false }: DryRunOptions) => {
      const now = Date.now();
      const body = {
        cohort,
        from: iso(from, now),
        to: iso(to, now),
        ...(condition === undefined ? {} : { conditions: condition }),
      };
      const call = { method: 'POST', path: '/api/v1/guard/dry-run', body, answerMs: ANSWER_MS } as const;
      const run = await tellOnce(DryRunSchema, call, context);
      if (json) context.writer.json(run);
      else print(run, context);
      end(EXIT.ok);
    });
}
