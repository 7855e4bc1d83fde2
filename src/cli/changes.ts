/** `turnout changes`: who changed what, when, why, and what became of it. */
import { Type } from '@sinclair/typebox';
import { type Command, InvalidArgumentError } from 'commander';
import {
  type ChangeDocument,
  type ChangeInProgressDocument,
  ChangeInProgressSchema,
  ChangeSchema,
} from '../admin/control-documents.ts';
import { CHANGE_KINDS } from '../cutover/change.ts';
import { changeInWords } from '../wording/change-in-words.ts';
import { progressInWords } from '../wording/change-progress.ts';
import { printable, timeInWords } from '../wording/printable.ts';
import { askAdmin, askPages, ENVIRONMENT_HELP } from './admin-client.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import { wholeNumber } from './options.ts';

const EXAMPLES = `
Examples:
  $ turnout changes
  $ turnout changes --cohort beta --limit 100
  $ turnout changes --open
  $ turnout changes --kind pin,unpin
  $ turnout changes 5f0c1e9a-4c1d-4a39-9b1f-0d2a8a3c7e11
  $ turnout changes 5f0c1e9a-4c1d-4a39-9b1f-0d2a8a3c7e11 --dirty > kept.txt
  $ turnout changes --json | jq '.[] | select(.phase == "undone") | .note'

${ENVIRONMENT_HELP}`;

const SHOWN = 20;
const SHOWN_MAX = 100_000;

interface ChangesOptions {
  readonly cohort?: string;
  readonly user?: string;
  readonly kind?: string;
  readonly open?: boolean;
  readonly dirty?: boolean;
  readonly limit?: number;
  readonly json?: boolean;
}

export function changesTable(changes: readonly ChangeDocument[]): string[][] {
  return [
    ['when', 'cohort', 'change', 'phase', 'epoch', 'by', 'id', 'reason'],
    ...changes.map((change) => [
      timeInWords(change.createdAt),
      printable(change.cohort ?? ''),
      changeInWords(change),
      change.phase,
      change.epoch === null ? '' : String(change.epoch),
      printable(change.actor),
      change.id,
      printable(change.reason),
    ]),
  ];
}

function printOne(change: ChangeInProgressDocument, { writer }: CliContext): void {
  const { epochs } = change;
  const facts: readonly (readonly [string, string | null])[] = [
    ['cohort', change.cohort === null ? null : printable(change.cohort)],
    ['change', changeInWords(change)],
    ['part of job', change.job],
    ['moves users', change.movesTruth ? 'yes' : 'no'],
    ['now', progressInWords(change)],
    ['hold epoch', epochs.hold === null ? null : String(epochs.hold)],
    ['switch epoch', epochs.switch === null ? null : String(epochs.switch)],
    ['release epoch', epochs.release === null ? null : String(epochs.release)],
    ['in force since', change.epoch === null ? null : `epoch ${change.epoch}, on every gateway`],
    ['by', printable(change.actor)],
    ['reason', printable(change.reason)],
    ['begun', timeInWords(change.createdAt)],
    ['ended', change.endedAt === null ? null : timeInWords(change.endedAt)],
  ];
  writer.line(writer.style('bold', `change ${change.id}`));
  for (const [fact, value] of facts) {
    if (value !== null) writer.line(`  ${writer.style('dim', fact.padEnd(15))} ${value}`);
  }
  if (change.gateways.length === 0) return;
  writer.line();
  writer.table([
    ['gateway', 'where', 'state', 'applied', 'drained', 'acknowledged'],
    ...change.gateways.map(({ id, where, state, applied, drained, acknowledged }) => [
      printable(id),
      printable(where),
      state,
      String(applied ?? '?'),
      String(drained ?? '?'),
      acknowledged ? 'yes' : 'no',
    ]),
  ]);
}

/** As a file, so that it can be given to `cohort add` and the like. */
async function listDirty(id: string, json: boolean, { env, writer }: CliContext): Promise<ExitCode> {
  const users = await askPages(Type.String(), `/api/v1/changes/${id}/dirty`, SHOWN_MAX, { env });
  if (json) writer.json(users);
  else for (const user of users) writer.line(user);
  return EXIT.ok;
}

async function run(id: string | undefined, options: ChangesOptions, context: CliContext): Promise<ExitCode> {
  const { cohort, user, kind, open, dirty = false, limit = SHOWN, json = false } = options;
  const { writer } = context;
  if (id !== undefined) {
    if ([cohort, user, kind, open, options.limit].some((option) => option !== undefined)) {
      const filters = '--cohort, --user, --kind, --open and --limit';
      throw new CliError(`${filters} are about the list: leave out the id.`, EXIT.usage);
    }
    if (dirty) return listDirty(id, json, context);
    const change = await askAdmin(ChangeInProgressSchema, `/api/v1/changes/${id}`, context);
    if (json) writer.json(change);
    else printOne(change, context);
    return EXIT.ok;
  }
  if (dirty) throw new CliError('--dirty is about one change: give its id.', EXIT.usage);
  const query = new URLSearchParams({
    ...(cohort === undefined ? {} : { cohort }),
    ...(user === undefined ? {} : { user }),
    ...(kind === undefined ? {} : { kind }),
    ...(open === true ? { open: 'true' } : {}),
  });
  const changes = await askPages(ChangeSchema, `/api/v1/changes?${query.toString()}`, limit, context);
  if (json) writer.json(changes);
  else if (changes.length === 0)
    writer.line(query.size === 0 ? 'Nothing was changed yet.' : 'No such changes.');
  else writer.table(changesTable(changes));
  return EXIT.ok;
}

function parseId(text: string): string {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu.test(text)) {
    throw new InvalidArgumentError('An id looks like 5f0c1e9a-4c1d-4a39-9b1f-0d2a8a3c7e11.');
  }
  return text;
}

export function addChanges(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('changes')
    .summary('who changed what, and what became of it')
    .description('Lists the changes, the newest first, or shows one with the gateways that it waits for.')
    .argument('[id]', 'of one change', parseId)
    .option('--cohort <name>', 'only changes of this cohort')
    .option('--user <user>', 'only pins of this user ("turnout user show" has the rest)')
    .option('--kind <kinds>', `only these kinds, with commas: ${CHANGE_KINDS.join(', ')}`)
    .option('--open', 'only changes that are not over')
    .option('--dirty', 'of one change: the users whose writes were in new only, one a line')
    .option('--limit <number>', `how many (${SHOWN})`, wholeNumber(1, SHOWN_MAX))
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (id: string | undefined, options: ChangesOptions) => end(await run(id, options, context)));
}
