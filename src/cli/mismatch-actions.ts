/** What is done with a group of differences: `ack`, `assign`, `ignore`, `resolve`, `reopen`, `verify`. */
import { type Command, InvalidArgumentError } from 'commander';
import {
  type GroupDocument,
  GroupSchema,
  type VerificationDocument,
  VerificationSchema,
} from '../admin/report-documents.ts';
import { printable, timeInWords } from '../wording/printable.ts';
import { tellAdmin } from './admin-client.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import { watchInWords } from './share-in-words.ts';

interface Common {
  readonly note?: string;
  readonly json?: boolean;
}

function pathOf(id: string, action: string): string {
  return `/api/v1/mismatches/${encodeURIComponent(id)}/${action}`;
}

async function act(
  id: string,
  action: string,
  body: Readonly<Record<string, unknown>>,
  { note, json = false }: Common,
  { env, writer }: CliContext,
): Promise<ExitCode> {
  const said = note === undefined ? body : { ...body, note };
  const group = await tellAdmin(
    GroupSchema,
    { method: 'POST', path: pathOf(id, action), body: said },
    { env },
  );
  if (json) writer.json(group);
  else writer.line(`group ${group.id} is ${stateInWords(group)}`);
  return EXIT.ok;
}

function stateInWords({ status, ignoredUntil, owner }: GroupDocument): string {
  const until = ignoredUntil === null ? '' : ` until ${timeInWords(ignoredUntil)}`;
  return printable(`${status}${until}${owner === null ? '' : `, ${owner} owns it`}`);
}

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `7d`, `12h`. @returns milliseconds */
function parseDuration(text: string): number {
  const [, number, unit = ''] = /^(\d{1,5})([mhdw])$/u.exec(text) ?? [];
  const ms = Number(number) * (UNITS_MS[unit] ?? Number.NaN);
  if (!(ms > 0)) throw new InvalidArgumentError('A duration is a number with m, h, d or w, such as 7d.');
  return ms;
}

function parseTime(text: string): string {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError('A time looks like 2026-12-24T18:00:00Z.');
  return new Date(at).toISOString();
}

interface IgnoreOptions extends Common {
  readonly for?: number;
  readonly until?: string;
}

function untilOf({ for: ms, until }: IgnoreOptions): string {
  if ((ms === undefined) === (until === undefined)) {
    throw new CliError('Say until when: either --for 7d or --until 2026-12-24T18:00:00Z.', EXIT.usage);
  }
  return until ?? new Date(Date.now() + (ms ?? 0)).toISOString();
}

const WHY: Readonly<Record<string, string>> = {
  method: 'it is no GET or HEAD',
  credential_in_query: 'a credential in its query was not stored',
  request_changed: 'a part of its path or query was not stored',
  other_answer:
    'the backend that served does not show what it showed then; credentials are not stored, see shadow.replayHeaders',
  not_comparable: 'nothing can be said of the two answers',
  skipped: 'a backend did not take it',
  no_replay: 'there was no time left to ask',
};

function printVerification({ verdict, samples, watch }: VerificationDocument, { writer }: CliContext): void {
  const words: Readonly<Record<string, string>> = {
    fixed: writer.style('green', 'fixed'),
    still_there: writer.style('red', 'still there'),
    waiting: writer.style('yellow', 'cannot be told yet: the next compared reads will. Ask again later'),
  };
  writer.line(words[verdict] ?? printable(verdict));
  for (const { target, verdict: of, why } of samples) {
    const reason = why === null ? '' : `: ${WHY[why] ?? printable(why)}`;
    writer.line(`  ${of.replaceAll('_', ' ').padEnd(11)} ${printable(target)}${reason}`);
  }
  if (samples.length === 0) writer.line('  there is no sample to ask again');
  if (watch !== null) writer.line(`  watch: ${watchInWords(watch)}`);
}

/** Scripts wait until it is fixed. */
function exitCodeOf({ verdict }: VerificationDocument): ExitCode {
  if (verdict === 'fixed') return EXIT.ok;
  return verdict === 'waiting' ? EXIT.underWay : EXIT.failure;
}

async function verify(id: string, json: boolean, context: CliContext): Promise<ExitCode> {
  const call = { method: 'POST', path: pathOf(id, 'verify'), body: {} } as const;
  const verification = await tellAdmin(VerificationSchema, call, context);
  if (json) context.writer.json(verification);
  else printVerification(verification, context);
  return exitCodeOf(verification);
}

export function addMismatchActions(
  mismatches: Command,
  context: CliContext,
  end: (code: ExitCode) => void,
): void {
  const command = (name: string, description: string): Command =>
    mismatches
      .command(name)
      .description(description)
      .argument('<id>', 'of the group')
      .option('--note <text>', 'kept with the group')
      .option('--json', 'print JSON');
  command('ack', 'Says that somebody looks at it.')
    .alias('acknowledge')
    .option('--owner <name>', 'who')
    .action(async (id: string, options: Common & { owner?: string }) => {
      const body = options.owner === undefined ? {} : { owner: options.owner };
      end(await act(id, 'acknowledge', body, options, context));
    });
  command('assign', 'Says whose it is.')
    .argument('[owner]', 'nobody, when it is left out')
    .action(async (id: string, owner: string | undefined, options: Common) =>
      end(await act(id, 'assign', { owner: owner ?? null }, options, context)),
    );
  command('ignore', 'Ignores it until a moment; then it is open again.')
    .option('--for <duration>', 'such as 12h, 7d or 2w', parseDuration)
    .option('--until <time>', 'ISO 8601', parseTime)
    .action(async (id: string, options: IgnoreOptions) =>
      end(await act(id, 'ignore', { until: untilOf(options) }, options, context)),
    );
  command('resolve', 'Says that it is fixed. A confirmed difference that comes later opens it again.').action(
    async (id: string, options: Common) => end(await act(id, 'resolve', {}, options, context)),
  );
  command('reopen', 'Opens it again.').action(async (id: string, options: Common) =>
    end(await act(id, 'reopen', {}, options, context)),
  );
  mismatches
    .command('verify')
    .description(
      'Asks both backends for the reads of its samples again. Ends with 0 when it is fixed, 1 when it is still there, ' +
        '3 when that cannot be told yet.',
    )
    .argument('<id>', 'of the group')
    .option('--json', 'print JSON')
    .action(async (id: string, { json = false }: { json?: boolean }) => end(await verify(id, json, context)));
}
