/** `turnout user`: one user, and the pin that overrides its cohort. */
import type { Command } from 'commander';
import { type UserDocument, UserSchema } from '../admin/user-documents.ts';
import type { Backend } from '../model.ts';
import { printable, timeInWords } from '../wording/printable.ts';
import { askAdmin, ENVIRONMENT_HELP } from './admin-client.ts';
import {
  addChangeOptions,
  addDirtyOption,
  agreement,
  authorBody,
  type ChangeOptions,
  carryOut,
  type DirtyOption,
} from './carry-out.ts';
import { confirm } from './confirm.ts';
import { type CliContext, EXIT, type ExitCode } from './context.ts';
import { oneOf } from './options.ts';

const EXAMPLES = `
Examples:
  $ turnout user show u42
  $ turnout user pin u42 new --reason 'wants to try it'
  $ turnout user unpin u42 --reason 'seen enough'

A pin is obeyed before cohort, stage and ramp. Pinning a user to legacy whose writes are in new only is refused, unless
--dirty-users is force. Exit codes: as "turnout stage".
${ENVIRONMENT_HELP}`;

const pathOf = (user: string): string => `/api/v1/users/${encodeURIComponent(user)}`;

function membershipInWords({ record }: UserDocument): string {
  if (record.membership === null) return 'none yet';
  const { cohort, by, ordinal } = record.membership;
  if (by === 'rule') return `${printable(cohort)}, placed by its rule`;
  return `${printable(cohort)}, added${ordinal === null ? '' : ` as number ${ordinal + 1}`}`;
}

function print(view: UserDocument, { writer }: CliContext): void {
  const { user, record, dirty, routing, history } = view;
  const facts: readonly (readonly [string, string])[] = [
    ['goes to', routing === null ? 'unknown: no gateway could say' : routing.decision.target],
    ['cohort', membershipInWords(view)],
    ['pinned to', record.pin ?? 'nothing'],
    ['state', record.state ?? 'none'],
    ['id in new', record.newId === null ? 'none' : printable(record.newId)],
    ['writes in new', dirty ? 'yes, since its truth moved there' : 'none that are known of'],
  ];
  writer.line(writer.style('bold', `user ${printable(user)}`));
  for (const [fact, value] of facts) writer.line(`  ${writer.style('dim', fact.padEnd(15))} ${value}`);
  if (routing !== null) {
    writer.line();
    for (const [index, sentence] of routing.sentences.entries()) writer.line(`  ${index + 1}. ${sentence}`);
  }
  if (history.length === 0) return;
  writer.line();
  writer.table([
    ['when', 'change', 'epoch', 'by', 'reason'],
    ...history.map(({ at, kind, epoch, actor, reason }) => [
      timeInWords(at),
      printable(kind),
      epoch === null ? '' : String(epoch),
      printable(actor),
      printable(reason),
    ]),
  ]);
}

async function show(user: string, json: boolean, context: CliContext): Promise<ExitCode> {
  const view = await askAdmin(UserSchema, pathOf(user), context);
  if (json) context.writer.json(view);
  else print(view, context);
  return EXIT.ok;
}

type PinOptions = ChangeOptions & DirtyOption;

async function pin(
  user: string,
  backend: Backend,
  options: PinOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { yes = false } = options;
  const who = `user ${printable(user)}`;
  if (!yes) {
    const { routing } = await askAdmin(UserSchema, pathOf(user), context);
    const from = routing?.decision.target;
    if (from !== backend) {
      const moves = `reads and writes move ${from === undefined ? '' : `from ${from} `}to ${backend}`;
      await confirm(`${who}: ${moves}; ${await agreement(context)}`, yes, context);
    }
  }
  const body = { backend, ...authorBody(options) };
  return carryOut(
    { method: 'PUT', path: `${pathOf(user)}/pin`, body },
    options,
    ({ epoch, id }) =>
      context.writer.line(`${who} is pinned to ${backend} since epoch ${epoch ?? '?'} (change ${id})`),
    context,
  );
}

async function unpin(user: string, options: PinOptions, context: CliContext): Promise<ExitCode> {
  const { yes = false } = options;
  const who = `user ${printable(user)}`;
  if (!yes) {
    const { record } = await askAdmin(UserSchema, pathOf(user), context);
    const { cohort } = record.membership ?? {};
    const where =
      cohort === undefined ? 'where a cohort takes the user' : `where cohort ${printable(cohort)} is`;
    const sentence = `${who}: the pin to ${record.pin ?? 'nothing'} goes away, reads and writes move to ${where}`;
    await confirm(`${sentence}; ${await agreement(context)}`, yes, context);
  }
  return carryOut(
    { method: 'DELETE', path: `${pathOf(user)}/pin`, body: authorBody(options) },
    options,
    ({ epoch, id }) =>
      context.writer.line(`${who} is no longer pinned since epoch ${epoch ?? '?'} (change ${id})`),
    context,
  );
}

export function addUser(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  const user = program
    .command('user')
    .summary('one user: where it goes and why, and its pin')
    .description('Shows one user, pins it to a backend, or takes the pin away.')
    .addHelpText('after', EXAMPLES);
  user
    .command('show')
    .description('Shows what is known of one user.')
    .argument('<user>', 'its key')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (key: string, { json = false }: { json?: boolean }) => end(await show(key, json, context)));
  const pinned = user
    .command('pin')
    .description('Pins a user to one backend, whatever its cohort says.')
    .argument('<user>', 'its key')
    .argument('<backend>', 'legacy or new', oneOf(['legacy', 'new']));
  addChangeOptions(addDirtyOption(pinned))
    .addHelpText('after', EXAMPLES)
    .action(async (key: string, backend: Backend, options: PinOptions) =>
      end(await pin(key, backend, options, context)),
    );
  const unpinned = user
    .command('unpin')
    .description('Takes the pin of a user away.')
    .argument('<user>', 'its key');
  addChangeOptions(addDirtyOption(unpinned))
    .addHelpText('after', EXAMPLES)
    .action(async (key: string, options: PinOptions) => end(await unpin(key, options, context)));
}
